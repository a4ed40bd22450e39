// SPDX-License-Identifier: MIT
/** One try to get one file from one address, by curl, starting where an earlier try stopped. */
import { open, rm, stat } from 'node:fs/promises';
import { StopwatchError } from '../../../lib/errors.js';
import { flush } from '../../../lib/files/atomic.js';
import { sha256File } from '../../../lib/files/sha256.js';
import type { Processes } from '../../../lib/process/process.js';

/** Seconds for a connection to come up: long enough for two lost SYN packets, short enough to try the next mirror soon. */
const CONNECT_SECONDS = 5;
/** Milliseconds between two reports of progress. */
const PROGRESS_MS = 250;

export interface Attempt {
  readonly address: string;
  /** Undefined: whatever comes is taken, from the beginning; the caller checks it. */
  readonly sha256: string | undefined;
  /** What has arrived so far. */
  readonly partial: string;
  /** A server that sends less than a byte a second for this long has stalled, whole seconds. */
  readonly stallSeconds: number;
  readonly processes: Processes;
  /** Environment of curl: PATH, and the proxies. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | undefined) => void;
}

/**
 * How a try went wrong:
 * - transient: the same address may work in a moment;
 * - unreachable: no connection; worth another try only where there is no other mirror;
 * - definite: this address will not give this file.
 */
export interface Failure {
  readonly kind: 'transient' | 'unreachable' | 'definite';
  readonly reason: string;
  /** The whole file arrived and it is another one. */
  readonly mismatch?: boolean;
  /** What the server asked us to wait, milliseconds. */
  readonly retryAfterMs?: number;
  /** Bytes that this try added to the partial file. */
  readonly gained: number;
}

export type AttemptResult = { readonly kind: 'complete' } | Failure;

/** curl's exit codes, see curl(1); all others are definite. */
const UNREACHABLE = new Set([5, 6, 7]);
const BROKEN = new Set([18, 52, 55, 56, 92, 95, 96]);
const TRANSIENT_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const [HTTP_ERROR, NOT_WRITTEN, TIMEOUT, NO_RANGE] = [22, 23, 28, 33];

/**
 * Leaves the verified bytes in the partial file, or a part of them for the next try. The caller holds the lock.
 * Throws 'disk-full', 'interrupted', 'command-not-found', and what the file system says; any failure of the network is a result.
 */
export async function attempt(job: Attempt): Promise<AttemptResult> {
  const { partial, sha256, signal } = job;
  // Says at once if it cannot be written.
  await (await open(partial, sha256 === undefined ? 'w' : 'a')).close();
  const kept = await sizeOf(partial);
  if (kept > 0 && (await sha256File(partial, signal)) === sha256) return { kind: 'complete' };
  const { exitCode, said, answer } = await curl(job, kept);
  const size = await sizeOf(partial);
  const fail = async (
    kind: Failure['kind'],
    reason: string,
    more: Partial<Failure> = {},
  ): Promise<Failure> => {
    if ((await sizeOf(partial)) === 0) await rm(partial, { force: true });
    const at = size > kept ? ` (at ${size} bytes)` : '';
    return { kind, reason: `${reason}${at}`, gained: Math.max(0, size - kept), ...more };
  };
  const code = exitCode ?? -1;
  switch (code) {
    case 0: {
      const got = await sha256File(partial, signal);
      if (sha256 === undefined || got === sha256) {
        await flush(partial);
        return { kind: 'complete' };
      }
      await rm(partial);
      const isPage = answer.type?.startsWith('text/html') === true;
      const received = `got sha256 ${got} (${size} bytes${isPage ? ' of text/html: a web page?' : ''})`;
      // The fault may be in the part that was kept from before: once more, from zero.
      return {
        kind: kept > 0 ? 'transient' : 'definite',
        reason: `expected sha256 ${sha256}, ${received}`,
        mismatch: true,
        gained: 0,
      };
    }
    case NOT_WRITTEN:
      throw new StopwatchError('disk-full', `Could not write the download ${partial}: ${said}`, {
        hint: 'Make room there and run the same command again; what has arrived is kept.',
      });
    case HTTP_ERROR: {
      const { status, retryAfterMs } = answer;
      if (status === 416 && kept > 0) {
        await rm(partial);
        return fail('transient', 'the part that was kept is longer than the file is now');
      }
      const kind = TRANSIENT_STATUS.has(status) ? 'transient' : 'definite';
      return fail(
        kind,
        `it answered with HTTP status ${status}`,
        retryAfterMs === undefined ? {} : { retryAfterMs },
      );
    }
    case NO_RANGE:
      await rm(partial);
      return fail('transient', 'it does not go on where an earlier try stopped');
    case TIMEOUT:
      if (said.includes('too slow')) return fail('transient', `it sent nothing for ${job.stallSeconds} s`);
      return fail('unreachable', said);
    default: {
      const kind = BROKEN.has(code) ? 'transient' : UNREACHABLE.has(code) ? 'unreachable' : 'definite';
      return fail(kind, said);
    }
  }
}

async function curl(job: Attempt, kept: number) {
  const { address, partial, stallSeconds, processes, env, signal, onProgress } = job;
  const answer: { status: number; type?: string; retryAfterMs?: number } = { status: 0 };
  let total: number | undefined;
  let said = 'curl says nothing';
  // One line of an answer; there is one for each redirect and for each proxy.
  const header = (line: string) => {
    const [, name = '', value = ''] = /^([\w-]+): *(.*)$/.exec(line) ?? [];
    const status = /^HTTP\/[\d.]+ (\d+)/.exec(line)?.[1];
    if (status !== undefined) {
      total = undefined;
      answer.status = Number(status);
    }
    switch (name.toLowerCase()) {
      case 'content-length':
        total = Number(value) + (answer.status === 206 ? kept : 0);
        break;
      case 'content-type':
        answer.type = value;
        break;
      case 'retry-after':
        // The other form, a date, is rare.
        if (/^\d+$/.test(value)) answer.retryAfterMs = Number(value) * 1000;
        break;
      default:
        // The end of the headers.
        if (line === '' && /^20[06]$/.test(String(answer.status)))
          onProgress(answer.status === 206 ? kept : 0, total);
    }
  };
  const timer = setInterval(() => void sizeOf(partial).then((size) => onProgress(size, total)), PROGRESS_MS);
  const certificates = env['NODE_EXTRA_CA_CERTS'];
  // On standard input, because the address may have a password, and every user sees arguments.
  const config = [
    'silent',
    'show-error',
    'fail',
    'location',
    'globoff',
    'suppress-connect-headers',
    // What has arrived is in the file, also when all is killed.
    'no-buffer',
    'max-redirs = 20',
    'proto = "=http,https"',
    'header = "Accept-Encoding: identity"',
    `connect-timeout = ${CONNECT_SECONDS}`,
    'speed-limit = 1',
    `speed-time = ${Math.max(1, Math.round(stallSeconds))}`,
    'dump-header = "-"',
    `output = ${JSON.stringify(partial)}`,
    `url = ${JSON.stringify(address)}`,
    ...(kept > 0 ? [`continue-at = ${kept}`] : []),
    ...(certificates ? [`cacert = ${JSON.stringify(certificates)}`] : []),
  ];
  try {
    const { exitCode } = await processes.run(
      // Nothing of the user's ~/.curlrc.
      { file: 'curl', args: ['--disable', '--config', '-'], env },
      {
        signal,
        input: config.map((line) => `${line}\n`).join(''),
        onLine: (line, stream) => {
          if (stream === 'stdout') header(line);
          else said = line.replace(/^curl: \(\d+\) /, '');
        },
      },
    );
    if (signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while downloading');
    const size = await sizeOf(partial);
    if (exitCode === 0) onProgress(size, total);
    return { exitCode, said, answer };
  } finally {
    clearInterval(timer);
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
