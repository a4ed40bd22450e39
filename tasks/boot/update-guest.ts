// SPDX-License-Identifier: MIT
/** The guest's part of `update_patches`: files that were changed on the disk of `run --rw` become guest_fs/ again. */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import type { Services } from '../config/services.js';
import type { DeviceDescription } from '../../vm/device.js';
import { StopwatchError } from '../../lib/errors.js';
import { unreachable } from '../../lib/unreachable.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { baseEnvironment } from '../../lib/environment.js';
import {
  type GuestChange,
  guestChanges,
  newFiles,
  readBase,
  sumOf,
  writeBase,
} from '../build/guest-changes.js';
import { type DiskDeps, withDisk } from '../build/guest-disk.js';
import type { Layout } from '../build/layout.js';
import { rootEntries } from '../build/root-entries.js';
import { rootFiles } from '../build/rootfs.js';

/** What there is to do, found out before anything is written. */
export interface GuestUpdate {
  readonly take: readonly { readonly file: string; readonly path: string; readonly content: Buffer }[];
  /** What the user has to do or to know. */
  readonly told: readonly string[];
}

/** Throws 'patch-failed' with the differences where both sides changed a file. The caller holds the lock. */
export async function guestUpdate(
  services: Services,
  layout: Layout,
  device: DeviceDescription,
): Promise<GuestUpdate> {
  const { disk } = layout;
  if (!existsSync(disk)) return { take: [], told: [] };
  const deps: DiskDeps = {
    processes: await services.processes(),
    signal: services.signal,
    env: baseEnvironment(services.environment),
  };
  const { guest } = device.build;
  return withDisk(disk, deps, async (reader) => {
    const [onDisk, base] = [await reader.list(), await readBase(disk)];
    const contents = await reader.read(guest.map(({ path }) => path));
    const here = new Map<string, Buffer>();
    for (const { file } of guest) {
      const content = await readFile(join(layout.device, file)).catch(() => undefined);
      if (content !== undefined) here.set(file, content);
    }
    const changes = guestChanges({ guest, base, onDisk, contents, here });
    const conflicts = changes.filter((change) => change.kind === 'conflict');
    if (conflicts.length > 0) throw await conflict(layout, conflicts, deps);
    const built = rootEntries([], rootFiles(services.loaded.config, layout, device), device);
    const known = new Set(built.map(({ path }) => path));
    const added = newFiles(onDisk, known);
    return {
      take: changes.flatMap((change) =>
        change.kind === 'take'
          ? [{ file: change.entry.file, path: change.entry.path, content: change.content }]
          : [],
      ),
      told: [...changes.flatMap(toldOf), ...added.map((file) => addition(disk, file))],
    };
  });
}

/** Writes what was found; gives the files, relative to the project. */
export async function writeGuest(
  services: Services,
  layout: Layout,
  { take }: GuestUpdate,
): Promise<readonly string[]> {
  const written: string[] = [];
  for (const { file, content } of take) {
    const target = join(layout.device, file);
    const mode = await stat(target).then(
      (found) => found.mode & 0o777,
      () => 0o755,
    );
    await writeFileAtomic(target, [content]);
    await chmod(target, mode);
    written.push(relative(services.loaded.paths.project, target));
  }
  const base = await readBase(layout.disk);
  if (take.length > 0 && base !== undefined) {
    const now = Object.fromEntries(take.map(({ path, content }) => [path, sumOf(content)]));
    await writeBase(layout.disk, { ...base, ...now });
  }
  return written;
}

const octal = (rights: number): string => `0o${rights.toString(8)}`;

function toldOf(change: GuestChange): string[] {
  const { path, mode, file } = change.entry;
  switch (change.kind) {
    case 'removed':
      return [
        `${path} was removed in the guest; ${file} stays: take its row out of the device's description`,
      ];
    case 'mode':
      return [
        `${path} has other rights in the guest (${octal(change.mode)}, not ${octal(mode)}): change them in the device's description`,
      ];
    case 'take':
    case 'conflict':
      return [];
    default:
      return unreachable(change);
  }
}

function addition(disk: string, { path, mode }: { readonly path: string; readonly mode: number }): string {
  const file = `guest_fs/${basename(path)}`;
  const row = `{ file: '${file}', path: '${path}', mode: ${octal(mode)} }`;
  return `${path} is new in the guest. To keep it: debugfs -R 'dump ${path} ${file}' ${disk}, and in the device's description, build.guest: ${row}`;
}

async function conflict(
  layout: Layout,
  changes: readonly GuestChange[],
  deps: DiskDeps,
): Promise<StopwatchError> {
  const lines: string[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'stopwatch-guest-'));
  try {
    for (const change of changes) {
      if (change.kind !== 'conflict') continue;
      const theirs = join(directory, 'guest');
      await writeFile(theirs, change.content);
      const { file, path } = change.entry;
      const { stdout } = await deps.processes.run(
        {
          file: 'diff',
          args: ['-u', '--label', file, '--label', `guest:${path}`, join(layout.device, file), theirs],
          env: deps.env,
        },
        { signal: deps.signal, capture: true },
      );
      lines.push(...stdout.split('\n').slice(0, 40));
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const files = changes.map(({ entry }) => entry.file).join(', ');
  return new StopwatchError('patch-failed', `${files}: changed in the guest and here, each in its own way`, {
    hint: `Nothing was written. Make ${files} what it should be, or delete ${layout.disk} to give up the guest's.`,
    lastLines: lines,
  });
}
