// SPDX-License-Identifier: MIT
/** Turns whatever went wrong into the one error class. */
import { lstatSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { withoutCredentials } from './credentials.js';
import { errnoOf } from './errno.js';
import { type ErrorDetails, StopwatchError } from './errors.js';
import { type Command, type Exit, shellQuote } from './process/process.js';

/** The last one is tar's. */
const NO_SPACE =
  /No space left on device|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b|Wrote only \d+ of \d+ bytes/;

/** The place of a failure. */
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
      return diskFull(path === undefined ? [directory, tmpdir()] : [path], context, details);
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
    case 'ENAMETOOLONG':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return new StopwatchError('file-unreadable', `${task}: ${message}.`, {
        ...details,
        hint: pathHint(path),
      });
    case 'EMFILE':
    case 'ENFILE':
      return new StopwatchError('file-unreadable', `${task}: too many files are open: ${message}.`, {
        ...details,
        hint:
          code === 'EMFILE' ? 'Raise the limit of this shell: ulimit -n 4096' : 'Other programs hold them.',
      });
    case 'EFBIG':
      return new StopwatchError('disk-full', `${task}: a file would become too large: ${message}.`, {
        ...details,
        hint: 'Raise the limit of this shell (ulimit -f unlimited), or use a file system that allows larger files.',
      });
    case 'EADDRINUSE':
      return new StopwatchError(
        'address-unavailable',
        `${task}: another process uses that address: ${message}.`,
        {
          ...details,
          hint: 'End it, or choose another port.',
        },
      );
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
  const full = lastLines.find((line) => NO_SPACE.test(line));
  if (full !== undefined) {
    const named = [...full.matchAll(/(?<![\w./-])\/[^\s:;,'"`’]+/g)].map(([path]) => path);
    return diskFull([...named, command.cwd ?? context.directory, tmpdir()], context, details);
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

/** `places`: what was written may have been in any of them; if none is full, the first is reported. */
async function diskFull(
  places: readonly string[],
  { task, log }: FailureContext,
  details: ErrorDetails,
): Promise<StopwatchError> {
  const spaces = await Promise.all(places.map(freeSpace));
  const full = spaces.find((space) => space.full) ?? spaces[0];
  const path = full?.path ?? places[0] ?? tmpdir();
  const temporary = path === tmpdir();
  return new StopwatchError(
    'disk-full',
    `${task}: no space left on the file system of ${path}${temporary ? ', the directory for temporary files' : ''}: ${full?.left ?? 'an unknown amount'} left.`,
    {
      ...details,
      log,
      hint: temporary
        ? 'Make room there, or set TMPDIR to another directory, and run the same command again.'
        : 'Make room there, or choose a work directory on another disk with --workdir, and run the same command again.',
    },
  );
}

/** A hint for a path that cannot be used. */
function pathHint(path: string | undefined): string {
  const again = 'and run the same command again.';
  if (path === undefined) return `Look at what happened to the file, ${again}`;
  if (dirname(path) === tmpdir()) return `Set TMPDIR to a directory in which you can write, ${again}`;
  for (let here = path; dirname(here) !== here; here = dirname(here)) {
    const isThere = quietly(() => lstatSync(here)) !== undefined;
    if (!isThere) continue;
    const leads = quietly(() => statSync(here));
    if (leads === undefined) return `${here} is a link to something that is not there: remove it, ${again}`;
    if (here !== path && !leads.isDirectory())
      return `${here} is a file, where a directory is expected: move it away, ${again}`;
    break;
  }
  return `Look at what happened to the file (${path}), ${again}`;
}

function quietly<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

interface Space {
  readonly path: string;
  readonly left: string;
  /** Nearly nothing can be written. */
  readonly full: boolean;
}

/** Less than this is full: a tool removes what it could not finish. */
const FULL_MIB = 16;

/** The free space of the file system; `path` need not exist. */
async function freeSpace(path: string): Promise<Space> {
  let here = path;
  for (;;) {
    try {
      const { bavail, bsize, files, ffree } = await statfs(here);
      const mib = Math.floor((bavail * bsize) / 1024 / 1024);
      const noFiles = files > 0 && ffree === 0;
      return { path, left: noFiles ? 'no inodes' : `${mib} MiB`, full: noFiles || mib < FULL_MIB };
    } catch {
      if (dirname(here) === here) return { path, left: 'an unknown amount', full: false };
      here = dirname(here);
    }
  }
}
