// SPDX-License-Identifier: MIT
/** Shared by the builds of QEMU, Linux and Busybox: ccache, a reproducible time, resuming after a kill. */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
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
/** Files that make and ninja do not make again: the configuration, ninja's log, and what meson writes when ninja configures again. */
const STATE =
  /(?:^|\/)(?:\.config|\.ninja_\w+|build\.ninja[^/]*|compile_commands\.json|Makefile\.prereqs|(?:[\w-]+-)?config[-.][\w-]+(?:\.(?:h|mak|cross))?)$|^(?:meson-|pyvenv\/)/;
/**
 * Seconds. Files written this shortly before a kill, or before the host crashed, may be truncated although make
 * considers them new.
 */
const IN_FLIGHT_S = { killed: 3, crashed: 60 };

/**
 * Runs a build that make or ninja can resume. make trusts times, so a file that a killed compiler was writing looks
 * finished. Therefore a marker, which holds the host's boot ID, exists from the start of a build until one has succeeded
 * and is on the disk. If it is found, the files that the last build wrote just before its end are removed and built
 * again; only then does the marker name the present boot.
 */
export async function resumeBuild(
  directory: string,
  context: TaskContext,
  build: () => Promise<void>,
): Promise<void> {
  const marker = join(directory, MARKER);
  await mkdir(directory, { recursive: true });
  const boot = await readFile(marker, 'utf8').catch(() => undefined);
  if (boot !== undefined) {
    const seconds = boot === bootId() ? IN_FLIGHT_S.killed : IN_FLIGHT_S.crashed;
    const removed = await removeInFlight(directory, seconds);
    if (removed > 0)
      context.log(
        `The last build did not succeed: what it wrote in its last ${seconds} s is built again (files: ${removed}).`,
      );
  }
  if (boot !== bootId()) await writeFileAtomic(marker, bootId());
  await build();
  // Object files are not outputs of a task, so nothing else flushes them.
  await context.exec('sync', ['-f', directory]);
  if (!context.signal.aborted) await rm(marker, { force: true });
}

/** Files from before the marker are whole: a build that succeeded was flushed, and after a crash this has removed the others. */
async function removeInFlight(directory: string, seconds: number): Promise<number> {
  const { mtimeMs: start } = await stat(join(directory, MARKER));
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    names
      .filter((entry) => entry.isFile() && entry.name !== MARKER)
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !STATE.test(relative(directory, path)))
      .map(async (path) => {
        const { mtimeMs, size } = await stat(path);
        return { path, mtimeMs, size };
      }),
  );
  const written = files.filter(({ mtimeMs }) => mtimeMs >= start);
  const last = Math.max(...written.map(({ mtimeMs }) => mtimeMs));
  const doubtful = written.filter(({ mtimeMs, size }) => size === 0 || mtimeMs >= last - seconds * 1000);
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
