// SPDX-License-Identifier: MIT
/** Turns whatever went wrong into the one error class. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withoutCredentials } from './credentials.js';
import { errnoOf } from './errno.js';
import { type ErrorDetails, StopwatchError } from './errors.js';
import { type Command, type Exit, shellQuote } from './process/process.js';

const NO_SPACE = /No space left on device|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/;

/** Where something went wrong. */
interface FailureContext {
  /** For the message. */
  readonly task: string;
  /** Directory whose free space matters. */
  readonly directory: string;
  readonly log?: string | undefined;
}

/** Any thrown value as a StopwatchError, with the task's log. An unknown one is an internal error. */
export async function toStopwatchError(error: unknown, context: FailureContext): Promise<StopwatchError> {
  const { task, directory, log } = context;
  if (error instanceof StopwatchError) {
    if (error.log !== undefined || log === undefined) return error;
    const { code, message, hint, command, lastLines, cause = error } = error;
    return new StopwatchError(code, message, { log, hint, command, lastLines, cause });
  }
  const { code, path, message } = errnoOf(error);
  const details = { log, cause: error };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(path ?? directory, context, details);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StopwatchError('permission-denied', `${task}: ${message}.`, {
        ...details,
        hint: `Make ${path ?? directory} writable for you. Stopwatch needs no root: was it run with sudo before?`,
      });
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EIO':
    case 'ELOOP':
      return new StopwatchError('file-unreadable', `${task}: ${message}.`, {
        ...details,
        hint: `Look at what happened to the file${path === undefined ? '' : ` (${path})`}, and run the same command again.`,
      });
    case 'ABORT_ERR':
      return new StopwatchError('interrupted', `${task} was interrupted.`, details);
    case undefined:
    default:
      return new StopwatchError('internal', `Internal error in ${task}: ${message}`, {
        ...details,
        hint: 'This is a fault of Stopwatch itself. Please report it, with the log.',
      });
  }
}

/** The error for a command that did not end with exit code 0. */
export async function commandFailure(
  command: Omit<Command, 'env'>,
  { exitCode, signal }: Exit,
  lastLines: readonly string[],
  context: FailureContext,
): Promise<StopwatchError> {
  // Before it is cut: half of an address would not be recognised.
  const quoted = withoutCredentials(shellQuote(command));
  const details = { command: quoted, lastLines, log: context.log };
  if (lastLines.some((line) => NO_SPACE.test(line))) {
    return diskFull(command.cwd ?? context.directory, context, details);
  }
  const end = signal === undefined ? `failed with exit code ${exitCode ?? '?'}` : `was ended by ${signal}`;
  const short = quoted.length > 160 ? `${quoted.slice(0, 160)}…` : quoted;
  const where = command.cwd === undefined ? '' : ` in ${command.cwd}`;
  let hint: string | undefined;
  if (signal === 'SIGKILL') {
    hint = 'Most often that is the kernel when memory runs out (see dmesg): try fewer jobs, e.g. --jobs 1.';
  } else if (exitCode === 126 || exitCode === 127) {
    hint = 'Something that it needs may be missing: run `npx stopwatch doctor`.';
  }
  return new StopwatchError('command-failed', `${context.task}: \`${short}\`${where} ${end}.`, {
    ...details,
    hint,
  });
}

async function diskFull(
  directory: string,
  { task, log }: FailureContext,
  details: ErrorDetails,
): Promise<StopwatchError> {
  return new StopwatchError(
    'disk-full',
    `${task}: the disk is full: ${directory} has ${await freeSpace(directory)} left.`,
    {
      ...details,
      log,
      hint: 'Make room, or choose a work directory on another disk with --workdir, and run the same command again.',
    },
  );
}

/** Free space on the file system of the nearest directory that exists. */
async function freeSpace(path: string): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(path);
    return `${Math.floor((bavail * bsize) / 1024 / 1024)} MiB`;
  } catch {
    return dirname(path) === path ? 'an unknown amount' : freeSpace(dirname(path));
  }
}
