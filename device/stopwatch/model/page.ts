// SPDX-License-Identifier: MIT
/** The live page: what a guest computes the elapsed time from. */
import { NS_PER_S, PAGE_FLAG_BIT, STATUS } from '../contract/contract.js';
import { elapsedAt, type ModelState } from './state.js';
import type { Effect } from './types.js';

/** Its fields, without the constant ones. */
export interface PageFields {
  readonly pageSeq: bigint;
  readonly disruption: bigint;
  readonly flags: bigint;
  readonly state: bigint;
  readonly accumulated: bigint;
  readonly counter: bigint;
  readonly frequency: bigint;
  readonly error: bigint;
}

/** The state after the device has written the page at `now`. `disrupted`: time has jumped. */
export function writePage(
  state: ModelState,
  now: bigint,
  disrupted = false,
): { readonly state: ModelState; readonly effect: Effect } {
  const { frequency } = state;
  const pageSeq = BigInt.asUintN(32, state.pageSeq + 2n);
  const disruption = BigInt.asUintN(64, state.disruption + (disrupted ? 1n : 0n));
  const tick = frequency === 0n ? 0n : NS_PER_S / frequency;
  const effect = {
    effect: 'page',
    pageSeq,
    disruption,
    flags: frequency === 0n ? 1n << BigInt(PAGE_FLAG_BIT.COUNTER_INVALID) : 0n,
    state: STATUS[state.status],
    accumulated: elapsedAt(state, now),
    counter: counterAt(now, frequency),
    frequency,
    error: tick,
  } as const;
  return { state: { ...state, pageSeq, disruption }, effect };
}

/** The guest's counter. */
export function counterAt(now: bigint, frequency: bigint): bigint {
  return frequency === 0n ? 0n : now / (NS_PER_S / frequency);
}
