// SPDX-License-Identifier: MIT
/** What the builds of QEMU, Linux and Busybox have in common: ccache, reproducible time, going on after a kill. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { StopwatchError } from '../../lib/errors.js';
import type { TaskContext } from '../engine/task.js';
import { which } from '../../lib/which.js';

/** The one time that is built into anything: 2026-01-01T00:00:00Z, seconds. */
export const BUILD_EPOCH = 1_767_225_600;

/** Whether compilers are called through ccache. Throws 'host-package-missing' when it must be there and is not. */
export function usesCcache(config: Config, path: string): boolean {
  if (config.build.ccache === 'off') return false;
  const installed = which('ccache', path).found;
  if (!installed && config.build.ccache === 'on') {
    throw new StopwatchError('host-package-missing', 'build.ccache is on, but there is no ccache in PATH', {
      hint: 'Install ccache, or set build.ccache to auto.',
    });
  }
  return installed;
}

/**
 * ccache in depend mode: it takes the list of headers from the compiler's own
 * dependency file instead of running the preprocessor for every miss, so that
 * filling an empty cache costs little.
 *
 * `base` is for a build that names headers by absolute paths: those below it are made relative, so that another
 * work directory has its hits too. ccache asks the system about every directory of every header for that, which
 * was half of what a miss of the kernel cost.
 */
export function ccacheEnvironment(base?: string): Record<string, string> {
  return {
    CCACHE_DEPEND: '1',
    ...(base === undefined ? {} : { CCACHE_BASEDIR: base }),
    CCACHE_NOHASHDIR: '1',
    CCACHE_SLOPPINESS: 'include_file_ctime,include_file_mtime,time_macros',
  };
}

const MARK = '.build-under-way';
/** What compilers and linkers write, as opposed to what configures a build. */
const PRODUCT = /\.(o|a|so|ko|obj|lds|mod|dtb)$|^(vmlinux|Image|busybox|qemu-system-)/;
/** Files written this shortly before a kill may be cut off although make takes them for new, seconds. */
const IN_FLIGHT_S = { killed: 3, crashed: 60 };

/**
 * Runs a build that make or ninja carries on from where it was. make trusts
 * times: what a compiler was just writing when it was killed looks finished.
 * So a mark is there while a build runs; where it is found, products that
 * were written last before the end are made again.
 */
export async function resumeBuild(
  directory: string,
  context: TaskContext,
  build: () => Promise<void>,
): Promise<void> {
  const mark = join(directory, MARK);
  await mkdir(directory, { recursive: true });
  if (existsSync(mark)) {
    const seconds = context.crashed ? IN_FLIGHT_S.crashed : IN_FLIGHT_S.killed;
    const removed = await removeInFlight(directory, seconds);
    if (removed > 0)
      context.log(`The last build was cut off: ${removed} files that were in the making are made again.`);
  }
  await writeFile(mark, '');
  try {
    await build();
  } finally {
    // An orderly end, good or bad: make itself has removed what a failed command left.
    if (!context.signal.aborted) await rm(mark, { force: true });
  }
}

async function removeInFlight(directory: string, seconds: number): Promise<number> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const products = await Promise.all(
    names
      .filter((entry) => entry.isFile() && PRODUCT.test(entry.name))
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const { mtimeMs, size } = await stat(path);
        return { path, mtimeMs, size };
      }),
  );
  const last = Math.max(...products.map(({ mtimeMs }) => mtimeMs));
  const doubtful = products.filter(({ mtimeMs, size }) => size === 0 || mtimeMs >= last - seconds * 1000);
  await Promise.all(doubtful.map(({ path }) => rm(path, { force: true })));
  return doubtful.length;
}

/** Whether a build directory was configured in just this way, to the end. */
export async function isConfigured(stamp: string, how: string): Promise<boolean> {
  return (await readFile(stamp, 'utf8').catch(() => undefined)) === how;
}

/** The program's `--version`, first line: part of how a directory was configured. */
export async function versionOf(program: string, context: TaskContext): Promise<string> {
  const text = await context.exec(program, ['--version'], { capture: true });
  return text.split('\n', 1)[0] ?? '';
}
