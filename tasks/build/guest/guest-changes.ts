// SPDX-License-Identifier: MIT
/** What a guest changed on its disk, compared with what was written there and with guest_fs/. Pure, but for the record of what was written. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { GuestFile } from '../../../vm/device.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import type { DiskFile, DiskReader } from './guest-disk.js';

const baseSchema = z.record(z.string(), z.string());
/** Path in the guest to the sha256 of what was written there from guest_fs/. */
export type Base = Readonly<Record<string, string>>;

/** Not an output of the task that makes the disk: update_patches writes it too. */
const baseOf = (disk: string): string => `${disk}.written.json`;

/** Undefined for a disk of an earlier version. */
export async function readBase(disk: string): Promise<Base | undefined> {
  try {
    return baseSchema.parse(JSON.parse(await readFile(baseOf(disk), 'utf8')));
  } catch {
    return undefined;
  }
}

export async function writeBase(disk: string, base: Base): Promise<void> {
  await writeFileAtomic(baseOf(disk), JSON.stringify(base, null, 1));
}

export const sumOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** Sums of the guest's files on the disk as they are. */
export async function sumsOnDisk(reader: DiskReader, guest: readonly GuestFile[]): Promise<Base> {
  const contents = await reader.read(guest.map(({ path }) => path));
  return Object.fromEntries([...contents].map(([path, content]) => [path, sumOf(content)]));
}

/** One file of guest_fs/ and what to do about it. */
export type GuestChange =
  /** The guest's is to be written to the file. */
  | { readonly kind: 'take'; readonly entry: GuestFile; readonly content: Buffer }
  /** Both sides have changed, each in its own way. */
  | { readonly kind: 'conflict'; readonly entry: GuestFile; readonly content: Buffer }
  /** The guest removed it, or changed its rights, which follow from its place in guest_fs/. */
  | { readonly kind: 'removed'; readonly entry: GuestFile }
  | { readonly kind: 'mode'; readonly entry: GuestFile; readonly mode: number };

export interface Sides {
  readonly guest: readonly GuestFile[];
  readonly base: Base | undefined;
  readonly onDisk: readonly DiskFile[];
  readonly contents: ReadonlyMap<string, Buffer>;
  /** Content of the files of guest_fs/, by `file` of their entries; one that is missing is left out. */
  readonly here: ReadonlyMap<string, Buffer>;
}

/** Without a base, what differs may be of either side: a conflict. */
export function guestChanges({ guest, base, onDisk, contents, here }: Sides): readonly GuestChange[] {
  const changes: GuestChange[] = [];
  const taken = new Map<string, string>();
  for (const entry of guest) {
    const there = onDisk.find(({ path }) => path === entry.path);
    const content = contents.get(entry.path);
    if (there === undefined || content === undefined) {
      changes.push({ kind: 'removed', entry });
      continue;
    }
    if (there.mode !== entry.mode) changes.push({ kind: 'mode', entry, mode: there.mode });
    const ours = here.get(entry.file);
    const [now, file, was] = [sumOf(content), ours && sumOf(ours), base?.[entry.path]];
    if (now === was || now === file) continue;
    // The same file may be in several places of the guest.
    const other = taken.get(entry.file);
    if (other === now) continue;
    const kind = file === was && other === undefined ? 'take' : 'conflict';
    changes.push({ kind, entry, content });
    taken.set(entry.file, now);
  }
  return changes;
}

/** What is on the disk and is not copied there: made by the guest. Shells' histories do not count. */
export function newFiles(onDisk: readonly DiskFile[], known: ReadonlySet<string>): readonly DiskFile[] {
  return onDisk.filter(
    ({ path, type }) => type === 'f' && !known.has(path) && !/\/\.(?:ash|bash)_history$/.test(path),
  );
}
