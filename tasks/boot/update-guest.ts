// SPDX-License-Identifier: MIT
/** The guest's part of `update_patches`: files that were changed on the disk of `run --rw` become guest_fs/ again. */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import type { Services } from '../config/services.js';
import type { ProjectDevice } from '../../vm/device.js';
import { StopwatchError } from '../../lib/errors.js';
import { printable } from '../../lib/printable.js';
import { shellQuote } from '../../lib/process/process.js';
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
} from '../build/guest/guest-changes.js';
import { type DiskDeps, withDisk } from '../build/guest/guest-disk.js';
import type { Layout } from '../build/layout.js';
import { guestFiles } from '../build/guest/guest-base.js';
import { ownEntries } from '../build/guest/own-files.js';
import { rootEntries } from '../build/guest/root-entries.js';
import { rootFiles } from '../build/guest/rootfs.js';

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
  devices: readonly ProjectDevice[],
): Promise<GuestUpdate> {
  const { disk } = layout;
  if (!existsSync(disk)) return { take: [], told: [] };
  const deps: DiskDeps = {
    processes: await services.processes(),
    signal: services.signal,
    env: baseEnvironment(services.environment),
  };
  const guest = guestFiles(layout, devices);
  return withDisk(disk, deps, async (reader) => {
    const [onDisk, base] = [await reader.list(), await readBase(disk)];
    const contents = await reader.read(guest.map(({ path }) => path));
    const here = new Map<string, Buffer>();
    for (const { file } of guest) {
      const content = await readFile(file).catch(() => undefined);
      if (content !== undefined) here.set(file, content);
    }
    const changes = guestChanges({ guest, base, onDisk, contents, here });
    const name = nameIn(layout);
    const conflicts = changes.filter((change) => change.kind === 'conflict');
    if (conflicts.length > 0) throw await conflict(layout, conflicts, deps);
    const { config } = services.loaded;
    const built = rootEntries([], rootFiles(config, layout, devices), ownEntries(config, layout));
    const known = new Set(built.map(({ path }) => path));
    const added = newFiles(onDisk, known);
    return {
      take: changes.flatMap((change) =>
        change.kind === 'take' && !isPackages(layout, change.entry.file)
          ? [{ file: change.entry.file, path: change.entry.path, content: change.content }]
          : [],
      ),
      told: [
        ...changes.flatMap((change) => toldOf(change, layout, name(change.entry.file))),
        ...added.map((file) => addition(disk, file, devices)),
      ],
    };
  });
}

/** Writes what was found; gives the files, relative to the project. */
export async function writeGuest(layout: Layout, { take }: GuestUpdate): Promise<readonly string[]> {
  const written: string[] = [];
  for (const { file, content } of take) {
    const mode = await stat(file).then(
      (found) => found.mode & 0o777,
      () => 0o755,
    );
    await writeFileAtomic(file, [content]);
    await chmod(file, mode);
    written.push(nameIn(layout)(file));
  }
  const base = await readBase(layout.disk);
  if (take.length > 0 && base !== undefined) {
    const now = Object.fromEntries(take.map(({ path, content }) => [path, sumOf(content)]));
    await writeBase(layout.disk, { ...base, ...now });
  }
  return written;
}

const octal = (rights: number): string => `0o${rights.toString(8)}`;

/** For people: relative to the project. */
function nameIn({ project }: Layout): (file: string) => string {
  return (file) => relative(project, file);
}

/** A file of the installed package, which every project shares. */
function isPackages({ package: own, project }: Layout, file: string): boolean {
  return own !== project && file.startsWith(`${own}/`);
}

function toldOf(change: GuestChange, layout: Layout, file: string): string[] {
  const { path, mode } = change.entry;
  switch (change.kind) {
    case 'removed':
      return [`${path} was removed in the guest; ${file} stays: delete it`];
    case 'mode':
      return [
        `${path} has other rights in the guest (${octal(change.mode)}, not ${octal(mode)}); the next disk has those again`,
      ];
    case 'take':
      return isPackages(layout, change.entry.file)
        ? [`${path} was changed in the guest; ${file} is the package's and stays as it is`]
        : [];
    case 'conflict':
      return [];
    default:
      return unreachable(change);
  }
}

/** A device's folder goes to /usr/bin. */
export function addition(
  disk: string,
  { path }: { readonly path: string },
  devices: readonly ProjectDevice[],
): string {
  const names = devices.map(({ device }) => device.description.name);
  const name = names.find((one) => basename(path).startsWith(one)) ?? names[0] ?? 'NAME';
  const file = `guest_fs/${name}/${basename(path)}`;
  const shown = printable(path);
  // The name is the guest's. What a shell or debugfs makes of such a one is not worth the risk.
  if (!/^[\w./+@:,=-]+$/.test(path))
    return `${shown} is new in the guest. Give it a name of letters, digits, dots and dashes there, and it can be kept`;
  const command = shellQuote({ file: 'debugfs', args: ['-R', `dump ${path} ${file}`, disk] });
  return `${shown} is new in the guest. To keep it (it goes to /usr/bin): ${command}`;
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
          args: ['-u', '--label', nameIn(layout)(file), '--label', `guest:${path}`, file, theirs],
          env: deps.env,
        },
        { signal: deps.signal, capture: true },
      );
      lines.push(...stdout.split('\n').slice(0, 40));
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const files = changes.map(({ entry }) => nameIn(layout)(entry.file)).join(', ');
  return new StopwatchError('patch-failed', `${files}: changed in the guest and here, each in its own way`, {
    hint: `Nothing was written. Make ${files} what it should be, or delete ${layout.disk} to give up the guest's.`,
    lastLines: lines,
  });
}
