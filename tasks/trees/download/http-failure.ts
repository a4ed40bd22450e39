// SPDX-License-Identifier: MIT
/** What can go wrong with one request, and whether to try it again. */
import { MaxRedirectsError, RequestError, TimeoutError } from 'got';
import { errnoOf } from '../fs-errors.js';
import type { Headers } from './part-record.js';
import { withoutPassword } from './proxy.js';

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
  /** Bytes that this try added to what is kept. */
  readonly gained: number;
}
/** The reason with which a request is given up when nothing arrives. */
export class Stalled extends Error {}

export type Fail = (kind: Failure['kind'], reason: string, more?: Partial<Failure>) => Failure;

/** An HTTP status that is neither 200 nor an answer to our Range. */
export function statusFailure(status: number, headers: Headers, fail: Fail): Failure {
  const transient = [408, 425, 429, 500, 502, 503, 504].includes(status);
  // The other form of Retry-After, a date, is rare and needs a clock.
  const seconds = /^\d+$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) : undefined;
  const more = seconds === undefined ? {} : { retryAfterMs: seconds * 1000 };
  return fail(transient ? 'transient' : 'definite', `it answered with HTTP status ${status}`, more);
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

/**
 * What a failed request means. `size`: bytes that are there. Throws what is no
 * matter of the network.
 */
export function networkFailure(
  error: unknown,
  limits: { readonly connectMs: number; readonly stallSeconds: number },
  size: number,
  fail: Fail,
): Failure {
  if (error instanceof Error && (error instanceof Stalled || error.cause instanceof Stalled)) {
    return fail('transient', `it sent nothing for ${limits.stallSeconds} s (stalled at ${size} bytes)`);
  }
  if (error instanceof MaxRedirectsError) return fail('definite', 'it redirects without end');
  if (error instanceof TimeoutError) {
    return fail('unreachable', `no connection within ${limits.connectMs / 1000} s (${error.event})`);
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
