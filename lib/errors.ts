// SPDX-License-Identifier: MIT
/** The one error class, its codes, and the exit code that each leads to. */
import { withoutCredentials } from './credentials.js';

/** Exit codes of the command line, as documented in the README. */
export const EXIT = {
  passed: 0,
  testFailed: 1,
  usage: 2,
  differs: 3,
  guest: 4,
  host: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Every way in which a command can fail, with its exit code. */
export const ERROR_CODES = {
  'bad-usage': EXIT.usage,
  'bad-config': EXIT.usage,
  'unknown-task': EXIT.usage,
  'task-cycle': EXIT.usage,
  'test-failed': EXIT.testFailed,
  'model-differs': EXIT.differs,
  'invalid-evidence': EXIT.differs,
  'guest-panicked': EXIT.guest,
  'guest-hung': EXIT.guest,
  'guest-flooded': EXIT.guest,
  'guest-silent': EXIT.guest,
  'guest-exited-early': EXIT.guest,
  'qemu-died': EXIT.guest,
  'qemu-not-started': EXIT.guest,
  'nothing-serves': EXIT.guest,
  'push-failed': EXIT.guest,
  'host-package-missing': EXIT.host,
  'install-failed': EXIT.host,
  'download-failed': EXIT.host,
  'checksum-mismatch': EXIT.host,
  offline: EXIT.host,
  'extract-failed': EXIT.host,
  'patch-failed': EXIT.host,
  'bad-source-tree': EXIT.host,
  'command-failed': EXIT.host,
  'command-not-found': EXIT.host,
  'output-missing': EXIT.host,
  'disk-full': EXIT.host,
  'permission-denied': EXIT.host,
  locked: EXIT.host,
  'lock-failed': EXIT.host,
  'already-serving': EXIT.host,
  'address-unavailable': EXIT.host,
  'file-unreadable': EXIT.host,
  'docker-unreachable': EXIT.host,
  'docker-failed': EXIT.host,
  internal: EXIT.host,
  interrupted: EXIT.interrupted,
} as const satisfies Record<string, ExitCode>;
export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** What the user can do next, as a sentence or a command. */
  readonly hint?: string | undefined;
  /** The command that failed, quoted for a shell. */
  readonly command?: string | undefined;
  /** Path of the log with all of the output. */
  readonly log?: string | undefined;
  /** The last lines of output, oldest first. */
  readonly lastLines?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/**
 * A failure that the user can understand. Anything else that is thrown is an internal error. Errors reach terminals, logs
 * and reports, so the passwords of addresses are taken out of all its texts here.
 */
export class StopwatchError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly command: string | undefined;
  readonly log: string | undefined;
  readonly lastLines: readonly string[];

  /** `message`: what failed, where, expected and got; one sentence, no trailing newline. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(withoutCredentials(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'StopwatchError';
    this.code = code;
    this.hint = details.hint === undefined ? undefined : withoutCredentials(details.hint);
    this.command = details.command === undefined ? undefined : withoutCredentials(details.command);
    this.log = details.log;
    this.lastLines = (details.lastLines ?? []).map(withoutCredentials);
  }

  get exitCode(): ExitCode {
    return ERROR_CODES[this.code];
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
