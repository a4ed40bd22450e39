// SPDX-License-Identifier: MIT
/** One try to get one file from one address, going on from what is there already. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, readFile, rm, writeFile } from 'node:fs/promises';
import got, { MaxRedirectsError, RequestError, TimeoutError } from 'got';
import { errnoOf, explainFsError, interrupted } from './fs_errors.js';
import { type Agents, withoutPassword } from './proxy.js';
import { addFile, type StorePaths } from './store.js';

/** Milliseconds for a connection to come up: long enough for two lost SYN packets, short enough to try the next place soon. */
const CONNECT_MS = 5000;
/** Progress is told at most once per this many bytes. */
const PROGRESS_STEP = 1 << 18;

export interface Attempt {
  readonly address: string;
  readonly sha256: string;
  readonly paths: StorePaths;
  readonly stallSeconds: number;
  /** Agents for an address; asked again after each redirect. Throws TypeError when the proxy is unusable. */
  readonly agents: (url: URL) => Agents;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | undefined) => void;
}

/**
 * How a try went wrong:
 * - transient: the same address may work in a moment;
 * - unreachable: no connection; worth another try only where there is no other place;
 * - definite: this address will not give this file.
 */
export interface Failure {
  readonly kind: 'transient' | 'unreachable' | 'definite';
  readonly reason: string;
  /** The whole file arrived and it is another one. */
  readonly mismatch?: boolean;
  /** What the server asked us to wait, milliseconds. */
  readonly retryAfterMs?: number;
  /** Bytes that this try added to what is kept. */
  readonly gained: number;
}
export type AttemptResult = { readonly kind: 'complete' } | Failure;

/** Beside the partial file: what it is a part of. */
interface PartRecord {
  readonly address: string;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly total?: number;
}

class Stalled extends Error {}

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
 * Leaves the verified bytes in `paths.partial`, or a part of them to go on
 * from. The caller holds the lock. Throws StopwatchError 'disk-full',
 * 'permission-denied' or 'interrupted'; everything that the network can do is
 * a result.
 */
export async function attempt(job: Attempt): Promise<AttemptResult> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(job.paths.partial, 'a');
    return await attemptInto(job, handle);
  } catch (error) {
    const cause = error instanceof DiskFailure ? error.cause : error;
    throw explainFsError(cause, 'write the download', job.paths.partial);
  } finally {
    await handle?.close();
  }
}

async function attemptInto(job: Attempt, file: FileHandle): Promise<AttemptResult> {
  let record = await readRecord(job.paths.record);
  // Without its record, or from before a change of address, a part says nothing about what it belongs to.
  if (record?.address !== withoutPassword(job.address)) {
    record = undefined;
    await file.truncate(0);
  }
  let hash = createHash('sha256');
  let size = await addFile(hash, job.paths.partial, job.signal);
  if (size > 0 && hash.copy().digest('hex') === job.sha256) return { kind: 'complete' };

  const before = size;
  const fail = (kind: Failure['kind'], reason: string, more: Partial<Failure> = {}): Failure => ({
    kind,
    reason,
    gained: Math.max(0, size - before),
    ...more,
  });
  /** What is there is of no use; the next try begins at zero. */
  const discard = async (): Promise<void> => {
    await onDisk(rm(job.paths.record, { force: true }));
    await onDisk(file.truncate(0));
    size = 0;
  };

  let request: ReturnType<typeof start>;
  try {
    request = start(job, record, size);
  } catch (error) {
    if (error instanceof TypeError) return fail('definite', error.message);
    throw error;
  }
  const { stream, response } = request;
  const watch = (): NodeJS.Timeout =>
    setTimeout(() => stream.destroy(new Stalled('stalled')), job.stallSeconds * 1000);
  let stall = watch();
  const onAbort = (): void => void stream.destroy(interrupted('downloading'));
  job.signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (job.signal.aborted) throw interrupted('downloading');
    const { status, headers } = await response;
    const resumed = status === 206 && size > 0;
    if (status === 416 && size > 0) {
      await discard();
      return fail('transient', 'the part that was kept is longer than the file is now');
    }
    if (status !== 200 && !resumed) return statusFailure(status, headers, fail);

    const range = resumed ? parseContentRange(headers['content-range']) : undefined;
    if (resumed && changed(record, size, headers, range)) {
      await discard();
      return fail('transient', 'the file at this address changed between two tries');
    }
    if (!resumed) {
      await discard();
      hash = createHash('sha256');
    }
    const total = range?.total ?? contentLength(headers['content-length'], size);
    await onDisk(writeRecord(job, headers, total));
    job.onProgress(size, total);

    let told = size;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      clearTimeout(stall);
      if (total !== undefined && size + chunk.length > total) {
        await discard();
        return fail('definite', `it sent more than the ${total} bytes that it announced`);
      }
      hash.update(chunk);
      await onDisk(file.appendFile(chunk));
      size += chunk.length;
      if (size - told >= PROGRESS_STEP || size === total) {
        told = size;
        job.onProgress(size, total);
      }
      stall = watch();
    }
    if (total !== undefined && size < total) return fail('transient', `cut off at ${size} of ${total} bytes`);
    const sum = hash.digest('hex');
    if (sum === job.sha256) {
      await onDisk(file.sync());
      return { kind: 'complete' };
    }
    const type = headers['content-type']?.split(';')[0];
    const got = `got sha256 ${sum} (${size} bytes${type === 'text/html' ? ' of text/html: a web page?' : ''})`;
    await discard();
    // The fault may be in the part that was kept from before: once more, from zero.
    return fail(resumed ? 'transient' : 'definite', `expected sha256 ${job.sha256}, ${got}`, {
      mismatch: true,
    });
  } catch (error) {
    if (job.signal.aborted) throw interrupted(`downloading ${withoutPassword(job.address)}`);
    return networkFailure(error, job, size, fail);
  } finally {
    clearTimeout(stall);
    job.signal.removeEventListener('abort', onAbort);
    stream.destroy();
  }
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

function start(job: Attempt, record: PartRecord | undefined, size: number) {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (size > 0) {
    headers['range'] = `bytes=${size}-`;
    // A weak ETag does not promise equal bytes, and must not be used here.
    const strong = record?.etag?.startsWith('"') === true ? record.etag : undefined;
    const validator = strong ?? record?.lastModified;
    if (validator !== undefined) headers['if-range'] = validator;
  }
  const stream = got.stream(job.address, {
    headers,
    agent: job.agents(new URL(job.address)),
    decompress: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: { lookup: CONNECT_MS, connect: CONNECT_MS, secureConnect: CONNECT_MS },
    hooks: {
      beforeRedirect: [
        (options) => {
          options.agent = job.agents(new URL(String(options.url)));
        },
      ],
    },
  });
  // Errors are seen through `response` and the loop over the body; one that comes later concerns nobody.
  stream.on('error', () => undefined);
  const response = once(stream, 'response').then(
    ([head]): Head => ({ status: head.statusCode, headers: head.headers }),
  );
  response.catch(() => undefined);
  return { stream, response };
}

type Fail = (kind: Failure['kind'], reason: string, more?: Partial<Failure>) => Failure;

function statusFailure(status: number, headers: Head['headers'], fail: Fail): Failure {
  const transient = [408, 425, 429, 500, 502, 503, 504].includes(status);
  const seconds = /^\d+$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) : undefined;
  return fail(transient ? 'transient' : 'definite', `it answered with HTTP status ${status}`, {
    ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }),
  });
}

/** Codes that say that no connection came about. */
const UNREACHABLE = new Set([
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
]);
/** Codes of connections that broke; the next one may hold. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

function networkFailure(error: unknown, job: Attempt, size: number, fail: Fail): Failure {
  if (error instanceof DiskFailure) throw error;
  if (error instanceof Stalled || (error as { cause?: unknown }).cause instanceof Stalled) {
    return fail('transient', `it sent nothing for ${job.stallSeconds} s (stalled at ${size} bytes)`);
  }
  if (error instanceof MaxRedirectsError) return fail('definite', 'it redirects without end');
  if (error instanceof TimeoutError) {
    return fail('unreachable', `no connection within ${CONNECT_MS / 1000} s (${error.event})`);
  }
  const code = errnoOf(error) ?? '';
  const text = withoutPassword(error instanceof Error ? error.message : String(error));
  if (code === 'ENOTFOUND') return fail('definite', 'the name of the host does not resolve');
  if (code === 'EAI_AGAIN') return fail('unreachable', 'the name of the host does not resolve at the moment');
  if (code === 'ECONNREFUSED') return fail('definite', 'connection refused');
  if (UNREACHABLE.has(code)) return fail('unreachable', `no way to the host (${code})`);
  if (BROKEN.has(code)) return fail('transient', `the connection broke at ${size} bytes (${code})`);
  // What is left: certificates, broken HTTP, a redirect to no http address.
  if (error instanceof RequestError) return fail('definite', text);
  throw error;
}

/** Does an answer to our Range belong to the part that is kept? */
function changed(
  record: PartRecord | undefined,
  size: number,
  headers: Head['headers'],
  range: { readonly start: number; readonly total: number | undefined } | undefined,
): boolean {
  if (range === undefined || range.start !== size) return true;
  if (range.total !== undefined && record?.total !== undefined && range.total !== record.total) return true;
  // Some servers honour Range and overlook If-Range.
  const etag = headers['etag'];
  return etag !== undefined && record?.etag !== undefined && etag !== record.etag;
}

/** `bytes 100-199/200` → start and total; undefined when it is something else. */
export function parseContentRange(
  text: string | undefined,
): { readonly start: number; readonly total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(text ?? '');
  if (match === null) return undefined;
  return { start: Number(match[1]), total: match[2] === '*' ? undefined : Number(match[2]) };
}

function contentLength(text: string | undefined, offset: number): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? offset + Number(text) : undefined;
}

async function readRecord(path: string): Promise<PartRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isPartRecord(value) ? value : undefined;
  } catch {
    // Missing, or cut off in the middle of writing: then the part begins anew.
    return undefined;
  }
}

function isPartRecord(value: unknown): value is PartRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { address, etag, lastModified, total } = value as Record<string, unknown>;
  const optional = (x: unknown, type: string): boolean => x === undefined || typeof x === type;
  return (
    typeof address === 'string' &&
    optional(etag, 'string') &&
    optional(lastModified, 'string') &&
    optional(total, 'number')
  );
}

async function writeRecord(job: Attempt, headers: Head['headers'], total: number | undefined): Promise<void> {
  const record: PartRecord = {
    address: withoutPassword(job.address),
    ...(headers['etag'] === undefined ? {} : { etag: headers['etag'] }),
    ...(headers['last-modified'] === undefined ? {} : { lastModified: headers['last-modified'] }),
    ...(total === undefined ? {} : { total }),
  };
  await writeFile(job.paths.record, JSON.stringify(record));
}
