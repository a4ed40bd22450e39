// SPDX-License-Identifier: MIT
/** Reads the guest's disk without root and without mounting it, by debugfs(8) of e2fsprogs. Never writes to it. */
import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import type { Processes } from '../../lib/process/process.js';

export interface DiskDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
}

export interface DiskFile {
  readonly path: string;
  /** Of find's %y: 'f' or 'l'; anything else is '?'. */
  readonly type: 'f' | 'l' | '?';
  /** Rights alone, such as 0o755. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

export interface DiskReader {
  /** Everything but directories, in directories that are not of the moment; sorted. */
  list(): Promise<readonly DiskFile[]>;
  /** Content of these files; one that is not there is left out. */
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}

/** What is mounted over, or is nobody's work. */
const PASSING = new Set(['/dev', '/proc', '/sys', '/run', '/tmp', '/lost+found']);

/**
 * Runs `fn` with a reader of a copy of the disk, whose journal is played back: a
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
  const image = join(directory, 'image');
  try {
    await copyFile(disk, image, constants.COPYFILE_FICLONE);
    // 1: something was repaired, as it would be at the next boot.
    const check = await deps.processes.run(
      { file: 'e2fsck', args: ['-p', image], env: deps.env },
      { signal: deps.signal, capture: true },
    );
    deps.signal.throwIfAborted();
    if (check.exitCode !== 0 && check.exitCode !== 1) {
      throw new StopwatchError('command-failed', `${disk} is damaged: e2fsck does not repair it by itself`, {
        command: `e2fsck -p ${disk}`,
        lastLines: check.stdout.split('\n').slice(-10),
        hint: `e2fsck -y ${disk}, or delete it to start from a new one.`,
      });
    }
    return await fn(readerOf(image, directory, deps));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function readerOf(image: string, directory: string, deps: DiskDeps): DiskReader {
  const debugfs = async (commands: readonly string[]): Promise<string> => {
    const script = join(directory, 'script');
    await writeFile(script, commands.map((command) => `${command}\n`).join(''));
    const { stdout } = await deps.processes.run(
      { file: 'debugfs', args: ['-f', script, image], env: deps.env },
      { signal: deps.signal, capture: true },
    );
    deps.signal.throwIfAborted();
    return stdout;
  };
  return {
    async list() {
      const found: DiskFile[] = [];
      // One level of directories at a time: each needs one look for all of them.
      for (let level: readonly string[] = ['']; level.length > 0; ) {
        const next: string[] = [];
        const said = await debugfs(level.map((path) => `ls -p ${quoted(path === '' ? '/' : path)}`));
        for (const { directory: path, entries } of listings(said, level)) {
          for (const { name, mode, size } of entries) {
            const at = `${path}/${name}`;
            const kind = mode & 0o170000;
            if (kind === 0o040000) {
              if (!PASSING.has(at)) next.push(at);
            } else {
              const type = kind === 0o100000 ? 'f' : kind === 0o120000 ? 'l' : '?';
              found.push({ path: at, type, mode: mode & 0o7777, size });
            }
          }
        }
        level = next;
      }
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async read(paths) {
      const out = join(directory, 'out');
      await mkdir(out, { recursive: true });
      await debugfs(paths.map((path, index) => `dump ${quoted(path)} ${quoted(join(out, String(index)))}`));
      const contents = new Map<string, Buffer>();
      for (const [index, path] of paths.entries()) {
        const content = await readFile(join(out, String(index))).catch(() => undefined);
        if (content !== undefined) contents.set(path, content);
      }
      await rm(out, { recursive: true, force: true });
      return contents;
    },
  };
}

const quoted = (path: string): string => `"${path.replaceAll('"', '""')}"`;

interface Listing {
  readonly directory: string;
  readonly entries: readonly { readonly name: string; readonly mode: number; readonly size: number }[];
}

/** debugfs repeats each command of a script before its answer: `debugfs: ls -p "/etc"`. */
function listings(said: string, directories: readonly string[]): readonly Listing[] {
  const parts = said.split(/^debugfs: ls -p .*\n/m).slice(1);
  return directories.map((directory, index) => {
    const entries = (parts[index] ?? '').split('\n').flatMap((line) => {
      // /inode/mode/uid/gid/name/size/
      const [, , mode = '', , , name = '', size = ''] = line.split('/');
      if (name === '' || name === '.' || name === '..') return [];
      return [{ name, mode: Number.parseInt(mode, 8), size: Number(size) || 0 }];
    });
    return { directory, entries };
  });
}
