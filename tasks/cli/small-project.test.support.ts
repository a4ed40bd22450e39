// SPDX-License-Identifier: MIT
/** A project with releases of a few files, and the real command line in it: everything but the compilers runs. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../config/paths.js';
import { compress, makeTar } from '../trees/archives.test.support.js';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface SmallProject {
  readonly directory: string;
  readonly work: string;
  /** Puts a release where downloads are put by hand; gives its sum. */
  release(name: string, version: string, files: Readonly<Record<string, string>>, ending?: string): string;
  /** Writes a file of the project; gives its path. */
  write(path: string, text: string): string;
  stopwatch(args: readonly string[], options?: { readonly signalAfter?: Promise<void> }): Promise<Ended>;
  remove(): void;
}

/** An address at which nothing answers. */
export const NOWHERE = 'http://127.0.0.1:9';

export function smallProject(): SmallProject {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-small-')));
  const main = join(packageRoot(), 'dist/stopwatch.js');
  const downloads = join(directory, 'cache', 'stopwatch', 'downloads');
  mkdirSync(downloads, { recursive: true });
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    XDG_CACHE_HOME: join(directory, 'cache'),
    NO_COLOR: '1',
  };
  return {
    directory,
    work: join(directory, '.stopwatch'),
    release(name, version, files, ending = 'tar.bz2') {
      const top = `${name}-${version}`;
      const entries = Object.entries(files).map(([path, content]) => ({ path: `${top}/${path}`, content }));
      const programs: Readonly<Record<string, string>> = { 'tar.bz2': 'bzip2', 'tar.xz': 'xz' };
      const data = compress(
        makeTar([{ path: `${top}/`, type: 'Directory' }, ...entries]),
        programs[ending] ?? 'gzip',
      );
      writeFileSync(join(downloads, `${top}.${ending}`), data);
      return createHash('sha256').update(data).digest('hex');
    },
    write(path, text) {
      const file = join(directory, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    stopwatch: async (args, { signalAfter } = {}) =>
      new Promise((resolve) => {
        const child = execFile(
          process.execPath,
          [main, ...args],
          { cwd: directory, env, encoding: 'utf8' },
          (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
        );
        child.stdin?.end();
        void signalAfter?.then(() => child.kill('SIGINT'));
      }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A source of the configuration with this one place. */
export function sourceAt(name: string, version: string, sha256: string, ending = 'tar.bz2') {
  return { version, mirrors: [{ url: `${NOWHERE}/${name}-${version}.${ending}`, sha256 }] };
}
