// SPDX-License-Identifier: MIT
/** Turns whatever went wrong into the one error class. The one place where that happens. */
import { statfs } from 'node:fs/promises';
import { type Exit, shellQuote } from './process/process.js';
import { errnoOf } from './errno.js';
import { type ErrorDetails, StopwatchError } from './errors.js';

const NO_SPACE = /No space left on device|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/;

/** Where something went wrong. */
export interface Place {
  /** For the message: a task's name. */
  readonly task: string;
  /** Directory whose free space matters. */
  readonly directory: string;
  readonly log?: string;
}

/** Any thrown value as a StopwatchError, with the task's log; what is not understood is an internal error. */
export async function toStopwatchError(error: unknown, place: Place): Promise<StopwatchError> {
  const log = place.log === undefined ? {} : { log: place.log };
  if (error instanceof StopwatchError) return error.log === undefined ? withLog(error, log) : error;
  const { code, path, message } = errnoOf(error);
  const at = path === undefined ? '' : ` (${path})`;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(path ?? place.directory, place, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StopwatchError('permission-denied', `${place.task}: ${message}.`, {
        ...log,
        cause: error,
        hint: `Make ${path ?? place.directory} writable for you. Stopwatch needs no root: was it run with sudo before?`,
      });
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EIO':
    case 'ELOOP':
      return new StopwatchError('file-unreadable', `${place.task}: ${message}.`, {
        ...log,
        cause: error,
        hint: `Look at what happened to the file${at}, and run the same command again.`,
      });
    case 'ABORT_ERR':
      return new StopwatchError('interrupted', `${place.task} was interrupted.`, { ...log, cause: error });
    case undefined:
    default:
      return new StopwatchError('internal', `Internal error in ${place.task}: ${message}`, {
        ...log,
        cause: error,
        hint: 'This is a fault of Stopwatch itself. Please report it, with the log.',
      });
  }
}

/** What a command that did not end with exit code 0 means. */
export async function commandFailure(
  command: { readonly file: string; readonly args: readonly string[]; readonly cwd?: string },
  exit: Exit,
  lastLines: readonly string[],
  place: Place,
): Promise<StopwatchError> {
  const quoted = shellQuote(command);
  const details = { command: quoted, lastLines, ...(place.log === undefined ? {} : { log: place.log }) };
  if (lastLines.some((line) => NO_SPACE.test(line))) {
    return diskFull(command.cwd ?? place.directory, place, details);
  }
  const end =
    exit.signal === undefined
      ? `failed with exit code ${exit.exitCode ?? '?'}`
      : `was ended by ${exit.signal}`;
  const short = quoted.length > 160 ? `${quoted.slice(0, 160)}…` : quoted;
  const where = command.cwd === undefined ? '' : ` in ${command.cwd}`;
  return new StopwatchError('command-failed', `${place.task}: \`${short}\`${where} ${end}.`, {
    ...details,
    ...hintFor(exit),
  });
}

function hintFor(exit: Exit): { hint?: string } {
  if (exit.signal === 'SIGKILL') {
    return {
      hint: 'Most often that is the kernel when memory runs out (see dmesg): try fewer jobs, e.g. --jobs 1.',
    };
  }
  if (exit.exitCode === 126 || exit.exitCode === 127) {
    return { hint: 'Something that it needs may be missing: run `npx stopwatch doctor`.' };
  }
  return {};
}

async function diskFull(directory: string, place: Place, details: ErrorDetails): Promise<StopwatchError> {
  const free = await freeMiB(directory);
  return new StopwatchError(
    'disk-full',
    `${place.task}: the disk is full: ${directory} has ${free === undefined ? 'an unknown amount' : `${free} MiB`} left.`,
    {
      ...details,
      ...(place.log === undefined ? {} : { log: place.log }),
      hint: 'Make room, or choose a work directory on another disk with --workdir, and run the same command again.',
    },
  );
}

/** Space left for us on the file system of the nearest directory that exists. */
async function freeMiB(path: string): Promise<number | undefined> {
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/'))) {
    try {
      const { bavail, bsize } = await statfs(at === '' ? '/' : at);
      return Math.floor((bavail * bsize) / 1024 / 1024);
    } catch {
      if (at === '' || !at.includes('/')) return undefined;
    }
  }
}

function withLog(error: StopwatchError, log: { log?: string }): StopwatchError {
  if (log.log === undefined) return error;
  return new StopwatchError(error.code, error.message, {
    ...log,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.command === undefined ? {} : { command: error.command }),
    lastLines: error.lastLines,
    cause: error.cause ?? error,
  });
}
