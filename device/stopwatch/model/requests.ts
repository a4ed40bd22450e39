// SPDX-License-Identifier: MIT
/** The request ring: laps that the guest has timed by its own counter, taken when it rings the doorbell. */
import { announced, LAPS_CAPACITY, NS_PER_S, SPLIT_NONE } from '../contract/contract.js';
import { elapsedAt, type ModelState } from './state.js';
import type { Effect, Requests } from './types.js';
import type { Written } from './write.js';

/** LAP: appends a split time. */
export function appendLap(
  state: ModelState,
  split: bigint,
): { readonly state: ModelState; readonly effect: Effect } {
  const laps = BigInt.asUintN(64, state.laps + 1n);
  const index = state.laps % LAPS_CAPACITY;
  return { state: { ...state, laps }, effect: { effect: 'lap', index, split, laps } };
}

/** When the guest's counter had this value: since counting began, and not later than now. */
function counterTime({ frequency, since }: ModelState, now: bigint, counter: bigint): bigint {
  if (frequency === 0n) return now;
  const time = counter * (NS_PER_S / frequency);
  if (time > now) return now;
  return time < since ? since : time;
}

/** DOORBELL: takes the requests, and answers each in its entry. */
export function takeRequests(state: ModelState, now: bigint, { head, counters }: Requests): Written {
  const effects: Effect[] = [{ effect: 'requests', head }];
  const count = announced(state.taken, head);
  if (count === undefined) return { state, effects, error: 'BAD_STATE' };
  if (counters.length !== count) throw new TypeError(`${count} requests, and ${counters.length} counters`);
  effects.push(...counters.map((counter) => ({ effect: 'request', counter }) as const));
  let after = state;
  for (const counter of counters) {
    let split = SPLIT_NONE;
    if (state.status !== 'RESET') {
      split = elapsedAt(state, counterTime(state, now, counter));
      const lap = appendLap(after, split);
      after = lap.state;
      effects.push(lap.effect);
    }
    effects.push({ effect: 'answer', number: after.taken, split });
    after = { ...after, taken: BigInt.asUintN(64, after.taken + 1n) };
  }
  return { state: after, effects: [...effects, { effect: 'tail', taken: after.taken }] };
}
