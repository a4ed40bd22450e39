// SPDX-License-Identifier: MIT
/** State of the reference model, and the same state as the device's trace reports it. All times are virtual nanoseconds. */
import { STATUS, type StatusName, TIMEOUT_STATE, type TimeoutStateName } from '../contract/contract.js';

export interface ModelState {
  readonly status: StatusName;
  /** Time measured up to `since`; all of it unless RUNNING. */
  readonly elapsed: bigint;
  /** When counting last began; 0 unless RUNNING. */
  readonly since: bigint;
  readonly timeout: TimeoutStateName;
  /** When the pending timeout expires; 0 unless PENDING. */
  readonly deadline: bigint;
  readonly count: bigint;
  /** The ERROR register. */
  readonly error: bigint;
  /** `SEQ` of the live page. */
  readonly pageSeq: bigint;
  readonly disruption: bigint;
  /** Appended since machine reset. */
  readonly laps: bigint;
  /** Requests taken since machine reset: `TAIL` of the request ring. */
  readonly taken: bigint;
  /** Of the counter of the machine's processors, Hz; 0: not known. */
  readonly frequency: bigint;
}

/** The state at one moment, in the codes of the contract: what a `state` event of the trace reports. */
export interface Snapshot {
  readonly status: bigint;
  readonly elapsed: bigint;
  readonly timeout: bigint;
  readonly deadline: bigint;
  readonly count: bigint;
  readonly error: bigint;
}

/** Before the first machine reset. */
export const initialState: ModelState = {
  status: 'RESET',
  elapsed: 0n,
  since: 0n,
  timeout: 'IDLE',
  deadline: 0n,
  count: 0n,
  error: 0n,
  pageSeq: 0n,
  disruption: 0n,
  laps: 0n,
  taken: 0n,
  frequency: 0n,
};

/** ELAPSED_NS at `now`. */
export function elapsedAt(state: ModelState, now: bigint): bigint {
  return state.status === 'RUNNING' ? state.elapsed + (now - state.since) : state.elapsed;
}

/** The interrupt line is level-triggered: high from the expiry to its acknowledgement. */
export function irqLevel(state: ModelState): boolean {
  return state.timeout === 'FIRED';
}

export function snapshotAt(state: ModelState, now: bigint): Snapshot {
  return {
    status: STATUS[state.status],
    elapsed: elapsedAt(state, now),
    timeout: TIMEOUT_STATE[state.timeout],
    deadline: state.deadline,
    count: state.count,
    error: state.error,
  };
}

/** `12.34 seconds`: elapsed time truncated, not rounded, to hundredths. */
export function stopwatchText(elapsed: bigint, perHundredth: bigint): string {
  const hundredths = elapsed / perHundredth;
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')} seconds`;
}
