// SPDX-License-Identifier: MIT
/** Reads the guest's disk without root and without mounting it, by debugfs(8) of e2fsprogs. Never writes to it. */
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import type { Processes } from '../../../lib/process/process.js';

export interface DiskDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
}

export interface DiskFile {
  readonly path: string;
  readonly type: 'f' | 'l';
  /** Permissions alone, such as 0o755. */
  readonly mode: number;
}

export interface DiskReader {
  /** Files and symbolic links, sorted; not those below what is mounted over, or holds nothing of value. */
  list(): Promise<readonly DiskFile[]>;
  /** Content of these files; one that is missing is left out. */
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}

const IGNORED = /^\/(?:dev|proc|sys|run|tmp|lost\+found)\//;

/**
 * Runs `fn` with a reader of a copy of the disk, whose journal is replayed: a
 * machine that was switched off leaves one, and one that is running writes on.
 * Throws 'command-failed' for a disk that cannot be read.
 */
export async function withDisk<T>(
  disk: string,
  deps: DiskDeps,
  fn: (reader: DiskReader) => Promise<T>,
): Promise<T> {
  await mkdir(dirname(disk), { recursive: true });
  const directory = await mkdtemp(`${disk}.read-`);
  const [image, root] = [join(directory, 'image'), join(directory, 'root')];
  const run = async (file: string, args: readonly string[]) => {
    const exit = await deps.processes.run(
      { file, args, env: deps.env },
      { signal: deps.signal, capture: true },
    );
    deps.signal.throwIfAborted();
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
    return await fn(readerOf(root));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `root`: what debugfs wrote of the guest's files. */
function readerOf(root: string): DiskReader {
  const list = async (): Promise<DiskFile[]> => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.map(async (entry): Promise<DiskFile[]> => {
      const file = join(entry.parentPath, entry.name);
      const path = file.slice(root.length);
      if (IGNORED.test(path) || !(entry.isFile() || entry.isSymbolicLink())) return [];
      const { mode } = await lstat(file);
      return [{ path, type: entry.isFile() ? 'f' : 'l', mode: mode & 0o7777 }];
    });
    return (await Promise.all(files)).flat().sort((a, b) => (a.path < b.path ? -1 : 1));
  };
  return {
    list,
    async read(paths) {
      const contents = new Map<string, Buffer>();
      // Not through a symbolic link: that would lead to a file of the host.
      for (const { path, type } of await list()) {
        if (type === 'f' && paths.includes(path)) contents.set(path, await readFile(join(root, path)));
      }
      return contents;
    },
  };
}
