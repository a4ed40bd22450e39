// SPDX-License-Identifier: MIT
/** Changes one field of a saved state, and decides whether a stopwatch can be in the result. */
import { STATUS } from '../contract/contract.js';
import { type LoadStimulus, type ModelState, snapshotAt, step } from '../model/index.js';
import type { Operation, SavedField } from './script.js';

/** Version of the device's section in a saved state. */
const SAVED_VERSION = 3n;
/** The first one that is still loaded, and the fields that it did not have. */
const OLD_VERSION = 2n;
const SINCE_OLD = ['page_seq', 'disruption', 'laps'] as const;
/** The state as it is saved. */
export function savedState(state: ModelState, now: bigint): LoadStimulus['loaded'] {
  const { pageSeq, disruption, laps, taken } = state;
  return { ...snapshotAt(state, now), pageSeq, disruption, laps, taken };
}

/** Saved fields that together give the elapsed time: all are set when one is changed. */
const SUM: readonly string[] = ['status', 'elapsed', 'started'];
const SIGNED: ReadonlySet<string> = new Set(['elapsed', 'started', 'deadline']);

/** From this value on, a time counts from the moment of loading. Smaller values are absolute. */
const RELATIVE: Partial<Record<SavedField, bigint>> = { started: 1n, deadline: 2n };
const NEVER = 1n << 64n;

export interface Corrupted {
  /** By the field names of the saved state. */
  readonly changes: readonly { readonly field: string; readonly value?: bigint | undefined }[];
  /** The model's form of it; undefined if the device must refuse it. */
  readonly loaded: LoadStimulus['loaded'] | undefined;
}

export function corrupted(
  state: ModelState,
  now: bigint,
  { field, value }: Extract<Operation, { op: 'corrupt' }>,
): Corrupted {
  const snapshot = snapshotAt(state, now);
  const saved: Record<string, bigint> = {
    ...snapshot,
    timeout_count: snapshot.count,
    page_seq: state.pageSeq,
    disruption: state.disruption,
    laps: state.laps,
    started: now,
    version: SAVED_VERSION,
    // The same elapsed time can be saved in several ways: use the one in which only `started` counts.
    ...(field === 'started' ? { elapsed: 0n } : {}),
  };
  const number = BigInt.asUintN(64, value >= (RELATIVE[field] ?? NEVER) ? now + value : value);
  saved[field] = SIGNED.has(field) ? BigInt.asIntN(64, number) : number;
  const together = SUM.includes(field) ? SUM : [field];
  const changes: Corrupted['changes'] = together.map((name) => ({ field: name, value: saved[name] ?? 0n }));
  if (saved['version'] === OLD_VERSION) {
    const before = { ...savedState(state, now), pageSeq: 0n, disruption: 0n, laps: 0n };
    return { changes: [...changes, ...SINCE_OLD.map((name) => ({ field: name }))], loaded: before };
  }
  if (saved['version'] !== SAVED_VERSION) return { changes, loaded: undefined };
  const { status = 0n, elapsed = 0n, started = 0n, timeout = 0n } = saved;
  const { deadline = 0n, timeout_count: count = 0n, error = 0n } = saved;
  const until = status === STATUS.RUNNING ? elapsed + (now - started) : elapsed;
  const { page_seq: pageSeq = 0n, disruption = 0n, laps = 0n } = saved;
  // It is saved in a part of its own, and can be anything.
  const { taken } = state;
  const read = { status, elapsed: until, timeout, deadline, count, error, pageSeq, disruption, laps };
  const loaded = { ...read, taken };
  const result = step(state, { stimulus: 'load', now, loaded, writes: false, frequency: 0n });
  return { changes, loaded: result.ok ? loaded : undefined };
}
