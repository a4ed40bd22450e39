// SPDX-License-Identifier: MIT
/** One try to get one file from one address, going on from what is there already. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { got } from 'got';
import { explainFsError, interrupted } from '../fs-errors.js';
import { type Fail, type Failure, networkFailure, Stalled, statusFailure } from './http-failure.js';
import {
  contentLength,
  hasChanged,
  type Headers,
  parseContentRange,
  type PartRecord,
  readRecord,
  resumeHeaders,
  writeRecord,
} from './part-record.js';
import { type Agents, withoutPassword } from './proxy.js';
import { addFile, type StorePaths } from './store.js';

/** Milliseconds for a connection to come up: long enough for two lost SYN packets, short enough to try the next mirror soon. */
const CONNECT_MS = 5000;
/** Progress is told at most once per this many bytes. */
const PROGRESS_STEP = 1 << 18;

export interface Attempt {
  readonly address: string;
  /** Undefined: whatever comes is taken; who asked for it sees to its sum. */
  readonly sha256: string | undefined;
  readonly paths: StorePaths;
  readonly stallSeconds: number;
  /** Agents for an address; asked again after each redirect. Throws TypeError when the proxy is unusable. */
  readonly agents: (url: URL) => Agents;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | undefined) => void;
}

export type AttemptResult = { readonly kind: 'complete' } | Failure;

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
    const result = await attemptInto(job, handle);
    if ((await handle.stat()).size === 0) await rm(job.paths.partial, { force: true });
    return result;
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
  const fail: Fail = (kind, reason, more = {}) => ({
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
    if (resumed && hasChanged(record, size, headers, range)) {
      await discard();
      return fail('transient', 'the file at this address changed between two tries');
    }
    if (!resumed) {
      await discard();
      hash = createHash('sha256');
    }
    const total = range?.total ?? contentLength(headers['content-length'], size);
    await onDisk(writeRecord(job.paths.record, withoutPassword(job.address), headers, total));
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
    if (job.sha256 === undefined || sum === job.sha256) {
      await onDisk(file.sync());
      return { kind: 'complete' };
    }
    const type = headers['content-type']?.split(';')[0];
    const received = `got sha256 ${sum} (${size} bytes${type === 'text/html' ? ' of text/html: a web page?' : ''})`;
    await discard();
    // The fault may be in the part that was kept from before: once more, from zero.
    return fail(resumed ? 'transient' : 'definite', `expected sha256 ${job.sha256}, ${received}`, {
      mismatch: true,
    });
  } catch (error) {
    if (job.signal.aborted) throw interrupted(`downloading ${withoutPassword(job.address)}`);
    if (error instanceof DiskFailure) throw error;
    return networkFailure(error, { connectMs: CONNECT_MS, stallSeconds: job.stallSeconds }, size, fail);
  } finally {
    clearTimeout(stall);
    job.signal.removeEventListener('abort', onAbort);
    stream.destroy();
  }
}

interface Head {
  readonly status: number;
  readonly headers: Headers;
}

function start(job: Attempt, record: PartRecord | undefined, size: number) {
  const stream = got.stream(job.address, {
    headers: { 'accept-encoding': 'identity', ...resumeHeaders(record, size) },
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
