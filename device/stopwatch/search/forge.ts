// SPDX-License-Identifier: MIT
/** A saved state with something changed in it, and whether a stopwatch can be in what comes of that. */
import { STATUS } from '../contract.js';
import { type ModelState, snapshotAt, step } from '../model/index.js';
import type { ForgedField, Operation } from './script.js';

/** Of the device's section in a saved state. */
const SAVED_VERSION = 1n;
/** Fields of a saved state that make one number: all are set when one is changed. */
const SUM: readonly string[] = ['status', 'elapsed', 'started'];
const SIGNED: ReadonlySet<string> = new Set(['elapsed', 'started', 'deadline']);

/** Times are told from the moment of loading, from this value on: below it are the edges of time itself. */
const RELATIVE: Partial<Record<ForgedField, bigint>> = { started: 1n, deadline: 2n };
const NEVER = 1n << 64n;

export interface Forged {
  /** Of the fields, as they are named in the saved state. */
  readonly changes: readonly { readonly field: string; readonly value: bigint }[];
  /** The model's state after it; undefined where the device must refuse to load it. */
  readonly loaded: ModelState | undefined;
}

export function forged(
  state: ModelState,
  now: bigint,
  { field, value }: Extract<Operation, { op: 'forge' }>,
): Forged {
  const snapshot = snapshotAt(state, now);
  const saved: Record<string, bigint> = {
    ...snapshot,
    timeout_count: snapshot.count,
    started: now,
    version: SAVED_VERSION,
    // One sum can be saved in many ways: it must be known which of them is changed.
    ...(field === 'started' ? { elapsed: 0n } : {}),
  };
  const number = BigInt.asUintN(64, value >= (RELATIVE[field] ?? NEVER) ? now + value : value);
  saved[field] = SIGNED.has(field) ? BigInt.asIntN(64, number) : number;
  const together = SUM.includes(field) ? SUM : [field];
  const changes = together.map((name) => ({ field: name, value: saved[name] ?? 0n }));
  if (saved['version'] !== SAVED_VERSION) return { changes, loaded: undefined };
  const { status = 0n, elapsed = 0n, started = 0n, timeout = 0n } = saved;
  const { deadline = 0n, timeout_count: count = 0n, error = 0n } = saved;
  const until = status === STATUS.RUNNING ? elapsed + (now - started) : elapsed;
  const loaded = { status, elapsed: until, timeout, deadline, count, error };
  const result = step(state, { stimulus: 'load', now, loaded });
  return { changes, loaded: result.ok ? result.state : undefined };
}
