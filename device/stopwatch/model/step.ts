// SPDX-License-Identifier: MIT
/** The reference model: one pure function. No clock, no input or output; whatever it needs to know is in the stimulus. */
import {
  ERROR_BIT,
  type ErrorName,
  FEATURES,
  LAPS_CAPACITY,
  MAGIC,
  type RegisterName,
  STATUS,
  TIMEOUT_MAX_NS,
  TIMEOUT_STATE,
  VERSION,
} from '../contract/contract.js';
import { decode } from './access.js';
import { namesByCode } from '../contract/names.js';
import { writePage } from './page.js';
import { takeRequests } from './requests.js';
import { elapsedAt, initialState, irqLevel, type ModelState, snapshotAt } from './state.js';
import type { Effect, Failure, LoadStimulus, ReadStimulus, StepOk, StepResult, Stimulus } from './types.js';
import { enter, write, type Written } from './write.js';

/**
 * The model's next state and what a device that keeps the contract does, in order.
 *
 * @throws TypeError if a write consumes `mem` (see `consumesMem`) and no `dataLen` is given.
 */
export function step(state: ModelState, stimulus: Stimulus): StepResult {
  const { now } = stimulus;
  switch (stimulus.stimulus) {
    case 'reset': {
      const effects: Effect[] = irqLevel(state) ? [{ effect: 'irq', level: false }] : [];
      const off = { ...initialState, frequency: stimulus.frequency };
      const after = stimulus.startAtBoot ? enter(off, 'RUNNING', now, true) : off;
      return begin(after, now, effects, stimulus.writes, false);
    }
    case 'load':
      return load(stimulus);
    case 'resume':
      return paged({ ok: true, state, effects: [] }, now, true);
    case 'timer':
      if (state.timeout !== 'PENDING') {
        return fail('unexpected', `no expiry: the timeout is ${state.timeout}`, `an expiry at ${now}`);
      }
      if (now < state.deadline) return fail('early', `not before ${state.deadline}`, `${now}`);
      return done({ ...state, timeout: 'FIRED', deadline: 0n, count: state.count + 1n }, now, [
        { effect: 'irq', level: true },
      ]);
    case 'read':
      return overdue(state, now) ?? read(state, stimulus);
    case 'write':
      return overdue(state, now) ?? finish(state, now, write(state, stimulus));
    case 'doorbell':
      return overdue(state, now) ?? finish(state, now, takeRequests(state, now, stimulus.requests));
    default:
      return stimulus satisfies never;
  }
}

function finish(state: ModelState, now: bigint, { error, moves, ...written }: Written): StepResult {
  if (error) return reject(state, now, error, written.effects);
  const after = done(written.state, now, written.effects);
  return moves === true ? paged(after, now) : after;
}

function read(state: ModelState, { now, offset, size }: ReadStimulus): StepResult {
  const target = decode('read', offset, size);
  if (target === undefined) return reject(state, now, 'BAD_ACCESS', [{ effect: 'value', value: 0n }]);
  const value = (valueOf(state, target.name, now) >> target.shift) & target.mask;
  return { ok: true, state, effects: [{ effect: 'value', value }] };
}

function valueOf(state: ModelState, name: RegisterName, now: bigint): bigint {
  switch (name) {
    case 'COMMAND':
    case 'DOORBELL':
      return 0n;
    case 'STATUS':
      return STATUS[state.status];
    case 'ID':
      return (MAGIC << 32n) | VERSION;
    case 'FEATURES':
      return FEATURES;
    case 'ERROR':
      return state.error;
    case 'ELAPSED_NS':
      return elapsedAt(state, now);
    case 'TIMEOUT_NS':
      return state.timeout === 'PENDING' ? state.deadline - now : 0n;
    case 'TIMEOUT_COUNT':
      return state.count;
    default:
      return name satisfies never;
  }
}

const STATUSES = namesByCode(STATUS);
const TIMEOUTS = namesByCode(TIMEOUT_STATE);
const ERROR_MASK = Object.values(ERROR_BIT).reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

/** The device begins in this state, and writes the live page and its part of the rings if it writes to `mem`. */
function begin(
  state: ModelState,
  now: bigint,
  effects: readonly Effect[],
  writes: boolean,
  disrupted: boolean,
): StepOk {
  const begun = done(state, now, effects);
  if (!writes) return begun;
  const after = paged(begun, now, disrupted);
  const { laps, taken } = state;
  return {
    ...after,
    effects: [...after.effects, { effect: 'ring', laps, capacity: LAPS_CAPACITY, taken }],
  };
}

/** The same, and the device writes the live page. */
function paged({ state, effects }: StepOk, now: bigint, disrupted = false): StepOk {
  const { state: after, effect } = writePage(state, now, disrupted);
  return { ok: true, state: after, effects: [...effects, effect] };
}

function load({ now, loaded, writes, frequency }: LoadStimulus): StepResult {
  const status = STATUSES.get(loaded.status);
  const timeout = TIMEOUTS.get(loaded.timeout);
  if (status === undefined) return impossible('status 0, 1 or 2', `status ${loaded.status}`);
  if (timeout === undefined) return impossible('timeout 0, 1 or 2', `timeout ${loaded.timeout}`);
  if (loaded.elapsed < 0n) return impossible('elapsed 0 or more', `elapsed ${loaded.elapsed}`);
  if (status === 'RESET' && loaded.elapsed !== 0n) {
    return impossible('elapsed 0 in RESET', `elapsed ${loaded.elapsed}`);
  }
  if (timeout === 'PENDING' ? loaded.deadline <= 0n : loaded.deadline !== 0n) {
    return impossible(
      'a deadline exactly while a timeout is pending',
      `timeout ${timeout}, deadline ${loaded.deadline}`,
    );
  }
  if (loaded.deadline - now > TIMEOUT_MAX_NS) {
    return impossible('a deadline within the longest timeout', `${loaded.deadline - now} ns to go`);
  }
  if (timeout === 'FIRED' && loaded.count === 0n)
    return impossible('count 1 or more after an expiry', 'count 0');
  if ((loaded.error & ~ERROR_MASK) !== 0n) {
    return impossible('only known error bits', `error 0x${loaded.error.toString(16)}`);
  }
  if (loaded.pageSeq % 2n !== 0n) return impossible('an even page_seq', `page_seq ${loaded.pageSeq}`);
  const since = status === 'RUNNING' ? now : 0n;
  return begin({ ...loaded, status, timeout, since, frequency }, now, [], writes, true);
}

/** An access is answered as if the expiry had been served at its deadline: it must have come before. */
function overdue(state: ModelState, now: bigint): StepResult | undefined {
  if (state.timeout !== 'PENDING' || now < state.deadline) return undefined;
  return fail('missing', `the expiry due at ${state.deadline}`, `an access at ${now} without it`);
}

function done(state: ModelState, now: bigint, effects: readonly Effect[]): StepOk {
  return { ok: true, state, effects: [...effects, { effect: 'state', ...snapshotAt(state, now) }] };
}

/** A rejected access changes nothing but ERROR. */
function reject(state: ModelState, now: bigint, error: ErrorName, effects: readonly Effect[]): StepResult {
  const raised = 1n << BigInt(ERROR_BIT[error]);
  const after = { ...state, error: state.error | raised };
  return done(after, now, [
    ...effects,
    { effect: 'error', raised, error: after.error },
    { effect: 'log', error },
  ]);
}

function fail(failure: Failure['failure'], expected: string, actual: string): StepResult {
  return { ok: false, failure, expected, actual };
}

function impossible(expected: string, actual: string): StepResult {
  return fail('impossible', expected, actual);
}
