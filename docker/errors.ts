// SPDX-License-Identifier: MIT
/** Turns every failure of the daemon, or of the connection to it, into one StopwatchError. */
import { type ErrorCode, StopwatchError } from '../lib/errors.js';
import { printable } from '../lib/printable.js';

/** For hints. */
const ITS_LOG = '`journalctl -u docker`, with --user for one of your own';

/** The property `key` of an object; undefined for anything else. */
export function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** The text at `key`, if it is text. */
export function textField(value: unknown, key: string): string | undefined {
  const found = field(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** HTTP status of the daemon's answer; 0 without an answer. */
export function statusOf(cause: unknown): number {
  return Number(field(cause, 'statusCode') ?? 0);
}

/** errno name or TLS code ('ECONNREFUSED', 'CERT_HAS_EXPIRED'), and the message as one line for a terminal. */
export function errorParts(cause: unknown): { readonly code: string; readonly text: string } {
  const message = cause instanceof Error ? cause.message : String(cause);
  // dockerode puts '(HTTP code 500) server error - ' before what the daemon said.
  const text = message
    .replace(/^\(HTTP code \d+\) [^-]* - /, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return { code: textField(cause, 'code') ?? '', text: printable(text) };
}

/** The daemon does not answer, or what answers is not a Docker daemon. `address`: where, and which setting named it. */
export function daemonUnreachable(cause: unknown, address: string): StopwatchError {
  const { code, text } = errorParts(cause);
  const error = (message: string, hint: string, kind: ErrorCode = 'docker-unreachable'): StopwatchError =>
    new StopwatchError(kind, message, { hint, cause });
  if (code === 'EACCES' || code === 'EPERM')
    return error(
      `This user may not use the Docker daemon at ${address}`,
      'join the group that owns the socket (`sudo usermod -aG docker "$USER"`, then log in again), or use a rootless daemon and DOCKER_HOST',
      'permission-denied',
    );
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return error(
      `No Docker daemon answers at ${address}: ${text}`,
      'start it (`sudo systemctl start docker`, or Docker Desktop), or name another one in DOCKER_HOST',
    );
  // Node's many codes for TLS failures all match one of these words.
  if (/CERT|SSL|TLS|EPROTO|UNABLE_TO/.test(code))
    return error(
      `No secure connection to the Docker daemon at ${address}: ${text} (${code})`,
      'check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or in the context; a daemon without TLS needs DOCKER_TLS_VERIFY unset',
    );
  if (statusOf(cause) === 400 && /HTTP request to an HTTPS server/.test(text))
    return error(
      `The Docker daemon at ${address} expects TLS, and the request was made without`,
      'set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH',
    );
  return error(
    `What answers at ${address} does not answer as a Docker daemon does: ${text}`,
    `check DOCKER_HOST, and the daemon’s own log (${ITS_LOG})`,
  );
}

/**
 * The daemon's words in lower case, as seen with Docker 20.10 and podman 4.3, and what to do. `…` stands for any text; a
 * regular expression would take quadratic time, and the text may be long and hostile.
 */
const FAILURES: readonly (readonly [words: readonly string[], code: ErrorCode, hint: string])[] = [
  [
    ['no space left on device', 'enospc', 'disk quota exceeded'],
    'disk-full',
    'free space where the daemon keeps its data: `docker system df` shows what holds it, `docker system prune` removes what is unused',
  ],
  [
    [
      'exec format error',
      'does not match the specified …platform',
      'does not match the detected …platform',
      'no matching manifest',
    ],
    'docker-failed',
    'the image is for another architecture than the daemon’s machine: run again with --rebuild',
  ],
  [
    ['bind source path does not exist', 'statfs …no such file'],
    'docker-failed',
    'the daemon does not see this machine’s files (another machine, or a directory that Docker Desktop does not share): use a local daemon',
  ],
  [
    ['executable file not found', 'exec: …no such file or directory'],
    'command-not-found',
    'the image lacks that program: run again with --rebuild',
  ],
];

/** Whether the text contains the parts between the `…`, in this order. */
function says(text: string, words: string): boolean {
  let at = 0;
  return words.split('…').every((part) => {
    const found = text.indexOf(part, at);
    at = found + part.length;
    return found >= 0;
  });
}

/** The daemon refused or could not finish a request, or `signal` ended it. `doing` completes "while …". */
export function failed(cause: unknown, doing: string, signal?: AbortSignal): StopwatchError {
  if (cause instanceof StopwatchError) return cause;
  // An aborted request fails in many ways, such as a lost connection.
  if (signal?.aborted === true)
    return new StopwatchError('interrupted', `Interrupted while ${doing}`, { cause });
  const { code, text } = errorParts(cause);
  const message = `The Docker daemon failed while ${doing}: ${text}`;
  const lower = text.toLowerCase();
  const known = FAILURES.find(([words]) => words.some((one) => says(lower, one)));
  if (known !== undefined) return new StopwatchError(known[1], message, { hint: known[2], cause });
  if (['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ENOENT'].includes(code))
    return new StopwatchError('docker-unreachable', message, {
      hint: `the daemon went away: look into its log (${ITS_LOG}) and run again`,
      cause,
    });
  return new StopwatchError('docker-failed', message, {
    hint: `the daemon’s own log says more (${ITS_LOG})`,
    cause,
  });
}

/** Does the work, and turns any failure into `failed(…)`. */
export async function attempt<T>(doing: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw failed(cause, doing, signal);
  }
}
