// SPDX-License-Identifier: MIT
/** One try to get one file from one address, starting where an earlier try stopped. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { got, MaxRedirectsError, RequestError, TimeoutError } from 'got';
import { errnoOf } from '../../../lib/errno.js';
import { StopwatchError } from '../../../lib/errors.js';
import { withoutCredentials } from '../../../lib/credentials.js';

/** Milliseconds for a connection to come up: long enough for two lost SYN packets, short enough to try the next mirror soon. */
const CONNECT_MS = 5000;
/** Progress is reported at most once per this many bytes. */
const PROGRESS_STEP = 1 << 18;

interface Attempt {
  readonly address: string;
  /** Undefined: whatever comes is taken, from the beginning; the caller checks it. */
  readonly sha256: string | undefined;
  /** What has arrived so far. */
  readonly partial: string;
  readonly stallSeconds: number;
  /** The proxy for an address, if any; asked again after each redirect. */
  readonly proxy: (url: URL) => string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | undefined) => void;
}

/**
 * How a try went wrong:
 * - transient: the same address may work in a moment;
 * - unreachable: no connection; worth another try only where there is no other mirror;
 * - definite: this address will not give this file.
 */
export interface FailedAttempt {
  readonly kind: 'transient' | 'unreachable' | 'definite';
  readonly reason: string;
  /** The whole file arrived and it is another one. */
  readonly mismatch?: boolean;
  /** The pause that the server asked for, milliseconds. */
  readonly retryAfterMs?: number;
  /** Bytes that this try added to the partial file. */
  readonly gained: number;
}

export type AttemptResult = { readonly kind: 'complete' } | FailedAttempt;

/** Sets a failure of the disk apart from one of the network, which may have the same errno. */
class DiskFailure extends Error {}
async function onDisk<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (cause) {
    throw new DiskFailure('disk', { cause });
  }
}

/**
 * Leaves the verified bytes in the partial file, or a part of them for the next try. The caller holds the lock.
 * Throws 'interrupted', and what the file system says; any failure of the network is a result.
 */
export async function attemptDownload(job: Attempt): Promise<AttemptResult> {
  let file: FileHandle | undefined;
  try {
    file = await open(job.partial, 'a');
    if (job.sha256 === undefined) await file.truncate(0);
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of createReadStream(job.partial, {
      signal: job.signal,
    }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
    if (size > 0 && hash.copy().digest('hex') === job.sha256) return { kind: 'complete' };
    const result = await transfer(job, file, { hash, size });
    if ((await file.stat()).size === 0) await rm(job.partial, { force: true });
    return result;
  } catch (error) {
    throw error instanceof DiskFailure ? error.cause : error;
  } finally {
    await file?.close();
  }
}

async function transfer(
  job: Attempt,
  file: FileHandle,
  kept: { readonly hash: ReturnType<typeof createHash>; readonly size: number },
): Promise<AttemptResult> {
  let { hash, size } = kept;
  const fail = (
    kind: FailedAttempt['kind'],
    reason: string,
    more: Partial<FailedAttempt> = {},
  ): FailedAttempt => ({
    kind,
    reason,
    gained: Math.max(0, size - kept.size),
    ...more,
  });
  /** The kept bytes are of no use; the next try begins at zero. */
  const discard = async (): Promise<void> => {
    await onDisk(file.truncate(0));
    hash = createHash('sha256');
    size = 0;
  };

  let stream: ReturnType<typeof start>;
  try {
    stream = start(job, size);
  } catch (error) {
    if (error instanceof TypeError) return fail('definite', error.message);
    throw error;
  }
  try {
    const [{ statusCode: status, headers }] = await once(stream, 'response');
    const resumed = status === 206 && size > 0;
    if (status === 416 && size > 0) {
      await discard();
      return fail('transient', 'the part that was kept is longer than the file is now');
    }
    if (status !== 200 && !resumed) return statusFailure(status, headers['retry-after'], fail);

    let total = /^\d+$/.test(headers['content-length'] ?? '') ? Number(headers['content-length']) : undefined;
    if (resumed) {
      const [, from, whole] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
      if (Number(from) !== size) {
        await discard();
        return fail('transient', 'it answered with another part of the file than it was asked for');
      }
      total = whole === '*' ? undefined : Number(whole);
    } else await discard();
    job.onProgress(size, total);

    let reported = size;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (total !== undefined && size + chunk.length > total) {
        await discard();
        return fail('definite', `it sent more than the ${total} bytes that it announced`);
      }
      hash.update(chunk);
      await onDisk(file.appendFile(chunk));
      size += chunk.length;
      if (size - reported >= PROGRESS_STEP || size === total) {
        reported = size;
        job.onProgress(size, total);
      }
    }
    if (total !== undefined && size < total) return fail('transient', `cut off at ${size} of ${total} bytes`);
    const sum = hash.digest('hex');
    if (job.sha256 === undefined || sum === job.sha256) {
      await onDisk(file.sync());
      return { kind: 'complete' };
    }
    const isPage = headers['content-type']?.startsWith('text/html') === true;
    const received = `got sha256 ${sum} (${size} bytes${isPage ? ' of text/html: a web page?' : ''})`;
    await discard();
    // The fault may be in the part that was kept from before: once more, from zero.
    return fail(resumed ? 'transient' : 'definite', `expected sha256 ${job.sha256}, ${received}`, {
      mismatch: true,
    });
  } catch (error) {
    if (job.signal.aborted)
      throw new StopwatchError('interrupted', `Interrupted: downloading ${withoutCredentials(job.address)}`);
    if (error instanceof DiskFailure) throw error;
    const [kind, reason] = networkFailure(error, job.stallSeconds);
    return fail(kind, `${reason}${size > 0 ? ` (at ${size} bytes)` : ''}`);
  } finally {
    stream.destroy();
  }
}

function start(job: Attempt, size: number) {
  const stream = got.stream(job.address, {
    headers: { 'accept-encoding': 'identity', ...(size > 0 ? { range: `bytes=${size}-` } : {}) },
    agent: agentsFor(job.proxy(new URL(job.address))),
    decompress: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    signal: job.signal,
    timeout: {
      lookup: CONNECT_MS,
      connect: CONNECT_MS,
      secureConnect: CONNECT_MS,
      socket: job.stallSeconds * 1000,
    },
    hooks: {
      beforeRedirect: [
        (options) => {
          options.agent = agentsFor(job.proxy(new URL(String(options.url))));
        },
      ],
    },
  });
  // Errors are seen through the response and the loop over the body; a later one does not matter.
  stream.on('error', () => undefined);
  return stream;
}

/** Agents for got, by the protocol of the request. */
interface Agents {
  readonly http?: HttpProxyAgent<string>;
  readonly https?: HttpsProxyAgent<string>;
}

/**
 * Agents that send a request through `proxy`. Plain http is asked of the proxy
 * by its whole address (caches such as those in front of apt refuse CONNECT to
 * port 80), https through a tunnel.
 * Throws TypeError with a message for the user when the proxy's address cannot be used.
 */
function agentsFor(proxy: string | undefined): Agents {
  if (proxy === undefined) return {};
  if (!URL.canParse(proxy) || !/^https?:$/.test(new URL(proxy).protocol)) {
    throw new TypeError(`the proxy ${withoutCredentials(proxy)} is not an http or https address`);
  }
  return { http: new HttpProxyAgent(proxy), https: new HttpsProxyAgent(proxy) };
}

/** An HTTP status that is neither 200 nor an answer to our Range. */
function statusFailure(
  status: number,
  retryAfter: string | undefined,
  fail: (kind: FailedAttempt['kind'], reason: string, more?: Partial<FailedAttempt>) => FailedAttempt,
): FailedAttempt {
  const kind = [408, 425, 429, 500, 502, 503, 504].includes(status) ? 'transient' : 'definite';
  // The other form of Retry-After, a date, is rare.
  const more = /^\d+$/.test(retryAfter ?? '') ? { retryAfterMs: Number(retryAfter) * 1000 } : {};
  return fail(kind, `it answered with HTTP status ${status}`, more);
}

const BY_CODE: Readonly<Record<string, readonly [FailedAttempt['kind'], reason: string]>> = {
  ENOTFOUND: ['definite', 'the name of the host does not resolve'],
  EAI_AGAIN: ['unreachable', 'the name of the host does not resolve at the moment'],
  ECONNREFUSED: ['definite', 'connection refused'],
  ENETUNREACH: ['unreachable', 'no route to the host'],
  EHOSTUNREACH: ['unreachable', 'no route to the host'],
  ENETDOWN: ['unreachable', 'no route to the host'],
  EHOSTDOWN: ['unreachable', 'no route to the host'],
  EADDRNOTAVAIL: ['unreachable', 'no route to the host'],
  ECONNRESET: ['transient', 'the connection broke'],
  EPIPE: ['transient', 'the connection broke'],
  ETIMEDOUT: ['transient', 'the connection broke'],
  ECONNABORTED: ['transient', 'the connection broke'],
  ERR_STREAM_PREMATURE_CLOSE: ['transient', 'the connection broke'],
};

/** Classifies a failed request. Throws any error that does not come from the network. */
function networkFailure(
  error: unknown,
  stallSeconds: number,
): readonly [FailedAttempt['kind'], reason: string] {
  if (error instanceof MaxRedirectsError) return ['definite', 'it redirects without end'];
  if (error instanceof TimeoutError)
    return error.event === 'socket'
      ? ['transient', `it sent nothing for ${stallSeconds} s`]
      : ['unreachable', `no connection within ${CONNECT_MS / 1000} s (${error.event})`];
  const code = errnoOf(error).code ?? '';
  const known = BY_CODE[code];
  if (known !== undefined) return [known[0], `${known[1]} (${code})`];
  // What is left: certificates, broken HTTP, a redirect to no http address.
  if (error instanceof RequestError) return ['definite', withoutCredentials(error.message)];
  throw error;
}
