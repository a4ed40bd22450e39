// SPDX-License-Identifier: MIT
/** Words for a failure: what failed, the command, its last lines, the log, what to do next. One order for all. */
import { ERROR_CODES, StopwatchError, type ExitCode } from '../core/errors.js';
import { messageOf } from '../config/wording.js';
import { clean, type Paint } from './format.js';

/** The whole story, several lines, with a newline at the end. */
export function describeFailure(error: StopwatchError, paint: Paint): string {
  const lines = [`${paint('red', error.code === 'interrupted' ? 'Stopped:' : 'Error:')} ${error.message}`];
  if (error.command !== undefined) lines.push(`  Command: ${error.command}`);
  if (error.lastLines.length > 0) {
    lines.push('  Last lines:', ...error.lastLines.map((line) => paint('dim', `    ${clean(line)}`)));
  }
  if (error.log !== undefined) lines.push(`  Log: ${error.log}`);
  if (error.hint !== undefined) lines.push(`  ${paint('bold', 'Next:')} ${error.hint}`);
  return `${lines.join('\n')}\n`;
}

/** A failure as plain data, for JSON. */
export interface SerialisedError {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint?: string;
  readonly command?: string;
  readonly log?: string;
  readonly lastLines: readonly string[];
  /** Messages of what caused it, outermost first. */
  readonly causes: readonly string[];
}

export function serialiseError(error: StopwatchError): SerialisedError {
  const causes: string[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < 10; ) {
    causes.push(messageOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return {
    code: error.code,
    exitCode: error.exitCode,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.command === undefined ? {} : { command: error.command }),
    ...(error.log === undefined ? {} : { log: error.log }),
    lastLines: error.lastLines,
    causes,
  };
}

/** Any thrown value as the error that it is for the user: its own, or an internal one with the log that tells more. */
export function asStopwatchError(thrown: unknown, log?: string): StopwatchError {
  if (thrown instanceof StopwatchError) return thrown;
  // fetch, timers and streams throw this when the one signal aborts.
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new StopwatchError('interrupted', 'Interrupted', { cause: thrown });
  }
  const code = systemCode(thrown);
  const text = messageOf(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StopwatchError('disk-full', `There is no space left: ${text}`, {
      hint: 'Make room, then run the same command again: it goes on from what is finished.',
      cause: thrown,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new StopwatchError('permission-denied', text, { cause: thrown });
  }
  return new StopwatchError('internal', `Internal error: ${text}`, {
    ...(log === undefined ? {} : { log }),
    hint: 'This is a mistake in stopwatch itself: please report it, with the command and the log.',
    cause: thrown,
  });
}

function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined;
}

/** Every exit code with its meaning and the error codes that lead there, for --help and the documents. */
export function codesOf(exit: ExitCode): string[] {
  return Object.entries(ERROR_CODES)
    .filter(([, code]) => code === exit)
    .map(([name]) => name);
}
