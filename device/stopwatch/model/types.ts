// SPDX-License-Identifier: MIT
/** What happens to the model, and what it answers. Offsets in bytes, times in virtual nanoseconds. */
import type { ErrorName } from '../contract/contract.js';
import type { ModelState, Snapshot } from './state.js';

interface At {
  readonly now: bigint;
}
export interface ResetStimulus extends At {
  readonly stimulus: 'reset';
  readonly startAtBoot: boolean;
}
export interface WriteStimulus extends At {
  readonly stimulus: 'write';
  readonly offset: bigint;
  readonly value: bigint;
  readonly size: number;
  /** What the device read from `mem`: needed exactly when `consumesMem` says so, ignored otherwise. */
  readonly dataLen?: bigint;
}
export interface ReadStimulus extends At {
  readonly stimulus: 'read';
  readonly offset: bigint;
  readonly size: number;
}
/** The timeout's expiry: an asynchronous input, checked against the deadline. */
export interface TimerStimulus extends At {
  readonly stimulus: 'timer';
}
/** The state came from elsewhere: migration or a snapshot. */
export interface LoadStimulus extends At {
  readonly stimulus: 'load';
  readonly loaded: Snapshot;
}
export type Stimulus = ResetStimulus | WriteStimulus | ReadStimulus | TimerStimulus | LoadStimulus;

/** In the order in which they happen; `state` is the last of an access that the device reports one for. */
export type Effect =
  | { readonly effect: 'value'; readonly value: bigint }
  | { readonly effect: 'mem'; readonly dataLen: bigint }
  | { readonly effect: 'text'; readonly dataLen: bigint; readonly text: string }
  | { readonly effect: 'irq'; readonly level: boolean }
  | { readonly effect: 'error'; readonly raised: bigint; readonly error: bigint }
  /** A line in the host's log of guest errors; its wording is the device's. */
  | { readonly effect: 'log'; readonly error: ErrorName }
  | ({ readonly effect: 'state' } & Snapshot);

/**
 * Why a stimulus cannot have happened to a device that keeps the contract:
 * `early`, an expiry before its deadline; `unexpected`, an expiry with nothing
 * pending; `missing`, an access at or after a deadline whose expiry has not
 * come; `impossible`, a loaded state that no stopwatch can be in.
 */
export interface Failure {
  readonly failure: 'early' | 'unexpected' | 'missing' | 'impossible';
  readonly expected: string;
  readonly actual: string;
}

export type StepResult =
  | { readonly ok: true; readonly state: ModelState; readonly effects: readonly Effect[] }
  | ({ readonly ok: false } & Failure);
