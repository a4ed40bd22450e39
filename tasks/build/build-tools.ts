// SPDX-License-Identifier: MIT
/** Shared by the builds of QEMU, Linux and Busybox: ccache, a reproducible time, resuming after a kill. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { StopwatchError } from '../../lib/errors.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { bootId } from '../../lib/process/leftovers.js';
import type { TaskContext } from '../engine/task.js';
import { which } from '../../lib/which.js';

/** The time in every build output: 2026-01-01T00:00:00Z, in seconds. */
export const BUILD_EPOCH = 1_767_225_600;

/** True if compilers are called through ccache. Throws 'host-package-missing' when build.ccache is on and it is missing. */
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
 * ccache in depend mode: it takes the list of headers from the compiler's dependency file instead of running the
 * preprocessor for every miss, so that filling an empty cache costs little.
 *
 * `base` is for a build that names headers by absolute paths: ccache makes those below it relative, so that another
 * work directory hits too. That costs a system call for every directory of every header: half of a miss of the kernel.
 */
export function ccacheEnvironment(base?: string): Record<string, string> {
  return {
    CCACHE_DEPEND: '1',
    ...(base === undefined ? {} : { CCACHE_BASEDIR: base }),
    CCACHE_NOHASHDIR: '1',
    CCACHE_SLOPPINESS: 'include_file_ctime,include_file_mtime,time_macros',
  };
}

const MARKER = '.build-under-way';
/** Files that compilers and linkers write; not the configuration of a build. */
const PRODUCT = /\.(o|a|so|ko|obj|lds|mod|dtb)$|^(vmlinux|Image|busybox|qemu-system-)/;
/**
 * Seconds. Files written this shortly before a kill, or before the machine crashed, may be truncated although make
 * considers them new.
 */
const IN_FLIGHT_S = { killed: 3, crashed: 60 };

/**
 * Runs a build that make or ninja can resume. make trusts times, so a file that a killed compiler was writing looks
 * finished. Therefore a marker exists while a build runs, with the machine's boot in it. If it is found, the files
 * written just before the kill are removed and built again; only then does the marker name the present boot.
 */
export async function resumeBuild(
  directory: string,
  context: TaskContext,
  build: () => Promise<void>,
): Promise<void> {
  const marker = join(directory, MARKER);
  await mkdir(directory, { recursive: true });
  if (existsSync(marker)) {
    const hasCrashed = (await readFile(marker, 'utf8')) !== bootId();
    const seconds = hasCrashed ? IN_FLIGHT_S.crashed : IN_FLIGHT_S.killed;
    const removed = await removeInFlight(directory, seconds);
    if (removed > 0)
      context.log(
        `The last build was killed: ${removed} files that it may have been writing are built again.`,
      );
  }
  await writeFileAtomic(marker, bootId());
  try {
    await build();
  } finally {
    // After a failure too: make itself has removed what the failed command wrote.
    if (!context.signal.aborted) await rm(marker, { force: true });
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

/** True if a build directory is configured exactly this way. */
export async function isConfigured(stamp: string, how: string): Promise<boolean> {
  return (await readFile(stamp, 'utf8').catch(() => undefined)) === how;
}

/** The first line of the program's `--version`. */
export async function versionOf(program: string, context: TaskContext): Promise<string> {
  const text = await context.exec(program, ['--version'], { capture: true });
  return text.split('\n', 1)[0] ?? '';
}
