// SPDX-License-Identifier: MIT
/** Finds a guest's edits on the disk of `run --rw`, without root and without mounting it, and copies them to guest_fs/. */
import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { z } from 'zod';
import { baseEnvironment } from '../../../lib/environment.js';
import { StopwatchError } from '../../../lib/errors.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import { readJson } from '../../../lib/read-json.js';
import { printable } from '../../../lib/printable.js';
import { type Processes, shellQuote } from '../../../lib/process/process.js';
import type { GuestFile, ProjectDevice } from '../../../vm/device.js';
import type { Config } from '../../config/schema.js';
import type { Services } from '../../config/services.js';
import type { Layout } from '../layout.js';
import { guestFiles } from './guest-base.js';
import { ownEntries } from './own-files.js';
import { rootEntries } from './root-entries.js';
import { rootFiles } from './rootfs.js';

interface DiskPorts {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
}

/** Regular files of the disk, by their paths in the guest. */
interface DiskFiles {
  /** All of them, sorted, but for what is mounted over or of no value. */
  readonly paths: readonly string[];
  /** Content of those that were asked for. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

const IGNORED = /^\/(?:dev|proc|sys|run|tmp|lost\+found)\/|\/\.(?:ash|bash)_history$/;

/** Reads a copy whose journal is replayed: a machine that was switched off leaves one, and one that runs writes on. */
export async function readDisk(
  disk: string,
  wanted: readonly string[],
  { processes, signal, env }: DiskPorts,
): Promise<DiskFiles> {
  const directory = await mkdtemp(`${disk}.read-`);
  const [image, root] = [join(directory, 'image'), join(directory, 'root')];
  const run = async (file: string, args: readonly string[]) => {
    const exit = await processes.run({ file, args, env }, { signal, capture: true });
    signal.throwIfAborted();
    return exit;
  };
  try {
    await copyFile(disk, image, constants.COPYFILE_FICLONE);
    // 1: something was repaired, as it would be at the next boot.
    const check = await run('e2fsck', ['-p', image]);
    if (check.exitCode !== 0 && check.exitCode !== 1) {
      throw new StopwatchError('command-failed', `${disk} is damaged: e2fsck does not repair it by itself`, {
        command: `e2fsck -p ${disk}`,
        lastLines: check.stdout.split('\n').slice(-10),
        hint: `e2fsck -y ${disk}, or delete it to start from a new one.`,
      });
    }
    await mkdir(root);
    await run('debugfs', ['-R', `rdump / "${root.replaceAll('"', '""')}"`, image]);
    // A directory that the guest protects could be neither read nor removed.
    await run('find', [root, '-type', 'd', '-exec', 'chmod', 'u+rwx', '{}', ';']);
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    // Not through a symbolic link: that would lead to a file of the host.
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
      .filter((path) => !IGNORED.test(path))
      .sort();
    const contents = new Map<string, Buffer>();
    for (const path of paths) if (wanted.includes(path)) contents.set(path, await readFile(join(root, path)));
    return { paths, contents };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Path in the guest to the sha256 of what was written there from guest_fs/. */
const writtenSums = z.record(z.string(), z.string());
export type WrittenSums = Readonly<z.infer<typeof writtenSums>>;

/** Not an output of the task that makes the disk: update_patches writes it too. */
const recordOf = (disk: string): string => `${disk}.written.json`;

/** The next version of the disk is made here, and its record beside it, before it replaces the disk. */
export const nextOf = (disk: string): string => `${disk}.partial`;

/** Empty for a disk of an earlier version. */
export function readWritten(disk: string): WrittenSums {
  // After a kill: the disk was replaced, its record not yet.
  const next = existsSync(nextOf(disk)) ? undefined : readJson(recordOf(nextOf(disk)), writtenSums);
  return next ?? readJson(recordOf(disk), writtenSums) ?? {};
}

export async function recordWritten(disk: string, written: WrittenSums): Promise<void> {
  await writeFileAtomic(recordOf(disk), JSON.stringify(written, null, 1));
  await rm(recordOf(nextOf(disk)), { force: true });
}

export const sumOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** The files of guest_fs/ that the guest has; not those that the user's own (`guest.files`) replace. */
export function editable(
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
): readonly GuestFile[] {
  const own = new Set(ownEntries(config, layout).map(({ path }) => path));
  return guestFiles(layout, devices).filter(({ path }) => !own.has(path));
}

/** A file of guest_fs/ that the guest has with another content. */
interface GuestEdit extends GuestFile {
  readonly content: Buffer;
  /** It was changed here as well, or in another way in another place of the guest. */
  readonly conflict: boolean;
}

/** `here`: content of the files of guest_fs/, by `file`. What was never recorded may have been changed on either side. */
export function guestEdits(
  guest: readonly GuestFile[],
  written: WrittenSums,
  contents: DiskFiles['contents'],
  here: ReadonlyMap<string, Buffer>,
): readonly GuestEdit[] {
  const edits: GuestEdit[] = [];
  for (const entry of guest) {
    const content = contents.get(entry.path);
    const local = here.get(entry.file);
    if (content === undefined || sumOf(content) === written[entry.path] || local?.equals(content)) continue;
    // The same file may be in several places of the guest.
    const other = edits.find(({ file }) => file === entry.file);
    if (other?.content.equals(content)) continue;
    const unchanged = local !== undefined && sumOf(local) === written[entry.path];
    edits.push({ ...entry, content, conflict: !unchanged || other !== undefined });
  }
  return edits;
}

/** The files that `update_patches` is to write to guest_fs/, and its notices; nothing is written yet. */
interface GuestUpdate {
  readonly take: readonly GuestEdit[];
  readonly notices: readonly string[];
}

/** Throws 'patch-failed' with the differences where both sides changed a file. The caller holds the lock. */
export async function guestUpdate(
  services: Services,
  layout: Layout,
  devices: readonly ProjectDevice[],
): Promise<GuestUpdate> {
  const { disk, project } = layout;
  if (!existsSync(disk)) return { take: [], notices: [] };
  const { signal, environment } = services;
  const ports = { processes: await services.processes(), signal, env: baseEnvironment(environment) };
  const { config } = services.loaded;
  const guest = editable(config, layout, devices);
  const { paths, contents } = await readDisk(
    disk,
    guest.map(({ path }) => path),
    ports,
  );
  const here = new Map<string, Buffer>();
  for (const { file } of guest) if (existsSync(file)) here.set(file, await readFile(file));
  const edits = guestEdits(guest, readWritten(disk), contents, here);
  const conflicts = edits.filter(({ conflict }) => conflict);
  if (conflicts.length > 0) throw await conflictError(layout, conflicts, ports);
  const built = rootEntries([], rootFiles(config, layout, devices), ownEntries(config, layout));
  const known = new Set(built.map(({ path }) => path));
  // The installed package is shared by all projects.
  const isPackages = (file: string) => layout.package !== project && file.startsWith(`${layout.package}/`);
  return {
    take: edits.filter(({ file }) => !isPackages(file)),
    notices: [
      ...edits
        .filter(({ file }) => isPackages(file))
        .map(
          ({ path, file }) =>
            `${path} was changed in the guest; ${relative(project, file)} is the package's and stays as it is`,
        ),
      ...paths.filter((path) => !known.has(path)).map((path) => addition(disk, path, devices)),
    ],
  };
}

/** Writes what was found; gives the files, relative to the project. */
export async function writeGuest(
  { disk, project }: Layout,
  { take }: GuestUpdate,
): Promise<readonly string[]> {
  for (const { file, content } of take) {
    const { mode } = await stat(file);
    await writeFileAtomic(file, [content]);
    await chmod(file, mode & 0o777);
  }
  if (take.length > 0) {
    const now = Object.fromEntries(take.map(({ path, content }) => [path, sumOf(content)]));
    await recordWritten(disk, { ...readWritten(disk), ...now });
  }
  return take.map(({ file }) => relative(project, file));
}

/** Advice for a new file of the guest. The files of a device's folder go to /usr/bin. */
export function addition(disk: string, path: string, devices: readonly ProjectDevice[]): string {
  const names = devices.map(({ device }) => device.description.name);
  const name = names.find((one) => basename(path).startsWith(one)) ?? names[0] ?? 'NAME';
  const shown = printable(path);
  // The name is the guest's. What a shell or debugfs makes of such a one is not worth the risk.
  if (!/^[\w./+@:,=-]+$/.test(path))
    return `${shown} is new in the guest. Give it a name of letters, digits, dots and dashes there, and it can be kept`;
  const request = `dump ${path} guest_fs/${name}/${basename(path)}`;
  return `${shown} is new in the guest. To keep it (it goes to /usr/bin): ${shellQuote({ file: 'debugfs', args: ['-R', request, disk] })}`;
}

async function conflictError(
  { project, disk }: Layout,
  edits: readonly GuestEdit[],
  { processes, signal, env }: DiskPorts,
): Promise<StopwatchError> {
  const lines: string[] = [];
  for (const { file, path, content } of edits) {
    const args = ['-u', '--label', relative(project, file), '--label', `guest:${path}`, file, '-'];
    const command = { file: 'diff', args, env };
    const { stdout } = await processes.run(command, { signal, capture: true, input: content.toString() });
    lines.push(...stdout.split('\n').slice(0, 40));
  }
  const files = [...new Set(edits.map(({ file }) => relative(project, file)))].join(', ');
  return new StopwatchError('patch-failed', `${files}: changed in the guest and here, each in its own way`, {
    hint: `Nothing was written. Make ${files} what it should be, or delete ${disk} to give up the guest's.`,
    lastLines: lines,
  });
}
