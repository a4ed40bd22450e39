// SPDX-License-Identifier: MIT
/**
 * Locks between processes, by flock(1) on a descriptor of ours.
 *
 * A flock(2) belongs to the open file description. flock(1) gets ours as its descriptor 3, locks it
 * and exits; the lock holds while our descriptor is open. It ends with this process however that
 * dies, so there are no stale locks. Node opens files close-on-exec, so no other child inherits it.
 */
import { mkdir, type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { withoutCredentials } from './credentials.js';
import { errnoOf } from './errno.js';
import { StopwatchError } from './errors.js';
import { baseEnvironment } from './environment.js';
import { createProcesses, type Processes } from './process/process.js';

interface LockOptions {
  readonly signal: AbortSignal;
  /** False: fail with 'locked' instead of waiting. True if absent. */
  readonly wait?: boolean | undefined;
  /** Called once with a description of the holder when another process holds the lock. */
  readonly onWaiting?: ((holder: string) => void) | undefined;
  /** What this process is doing, for others who wait: its command line. */
  readonly describe?: string | undefined;
  readonly processes?: Processes | undefined;
}

/**
 * Runs `fn` while holding the lock on the file `path`, which is created if needed and never removed.
 * Throws 'locked' (another process holds it), 'lock-failed' (the file system has no locks), 'interrupted' (aborted while
 * waiting), 'host-package-missing' (no flock), 'permission-denied', 'disk-full'.
 */
export async function withLock<T>(path: string, options: LockOptions, fn: () => Promise<T>): Promise<T> {
  const processes = options.processes ?? createProcesses();
  const file = await openLockFile(path);
  try {
    if (!(await flock(processes, file, ['-n', '3'], options.signal, path))) {
      const holder = await describeHolder(file);
      if (options.wait === false) {
        throw new StopwatchError('locked', `${path} is locked by ${holder}.`, {
          hint: 'Wait until it has finished, or end it, and try again.',
        });
      }
      options.onWaiting?.(holder);
      await flock(processes, file, ['3'], options.signal, path);
    }
    await writeHolder(file, options.describe ?? process.argv.slice(1).join(' '));
    try {
      return await fn();
    } finally {
      await file.truncate(0).catch(() => {});
    }
  } finally {
    await file.close();
  }
}

async function openLockFile(path: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, 'a+', 0o644);
  } catch (cause) {
    const { code = '', message } = errnoOf(cause);
    throw new StopwatchError(
      code === 'ENOSPC' ? 'disk-full' : 'permission-denied',
      `Cannot open the lock file ${path}: ${message}.`,
      { cause, hint: `Make ${dirname(path)} writable for you, or choose another directory.` },
    );
  }
}

/** True when flock(1) got the lock, false when another process has it (exit code 1). */
async function flock(
  processes: Processes,
  file: FileHandle,
  args: readonly string[],
  signal: AbortSignal,
  path: string,
): Promise<boolean> {
  let said = '';
  let exit: { exitCode: number | undefined };
  try {
    exit = await processes.run(
      { file: 'flock', args, env: baseEnvironment() },
      {
        signal,
        extra: [file.fd],
        onLine: (line) => {
          said = line;
        },
      },
    );
  } catch (cause) {
    if (!(cause instanceof StopwatchError) || cause.code !== 'command-not-found') throw cause;
    throw new StopwatchError(
      'host-package-missing',
      'The program flock is missing: it locks the work directory.',
      { cause, hint: 'Install util-linux.' },
    );
  }
  if (signal.aborted)
    throw new StopwatchError('interrupted', `Interrupted while waiting for the lock ${path}.`);
  if (exit.exitCode === 0) return true;
  if (exit.exitCode === 1 && args.includes('-n')) return false;
  throw new StopwatchError('lock-failed', `Cannot lock ${path}: ${said || 'flock failed'}.`, {
    hint: 'The file system must support locks; choose a directory on a local disk.',
  });
}

async function writeHolder(file: FileHandle, description: string): Promise<void> {
  // Others may read the file.
  const command = withoutCredentials(description);
  await file.truncate(0);
  await file.write(`${JSON.stringify({ pid: process.pid, since: new Date().toISOString(), command })}\n`);
}

const holderSchema = z.object({ pid: z.number(), command: z.string(), since: z.string() });

/** A holder writes its name within milliseconds after it got the lock. */
const NAMED_WITHIN_MS = 200;

/** Describes the holder, as far as it has written its name. It may be about to exit. */
async function describeHolder(file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(4096);
  for (const deadline = performance.now() + NAMED_WITHIN_MS; performance.now() < deadline; await sleep(10)) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead === 0) continue;
    try {
      const { pid, command, since } = holderSchema.parse(JSON.parse(buffer.toString('utf8', 0, bytesRead)));
      return `process ${pid} (${command}), since ${since}`;
    } catch {
      // Half written.
    }
  }
  return 'another process';
}
