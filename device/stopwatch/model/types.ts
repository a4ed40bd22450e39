// SPDX-License-Identifier: MIT
/** What happens to the model, and what it answers. Offsets in bytes, times in virtual nanoseconds. */
import type { ErrorName } from '../contract/contract.js';
import type { PageFields } from './page.js';
import type { ModelState, Snapshot } from './state.js';

interface At {
  readonly now: bigint;
}
/** What begins with a new `mem`. */
interface Begins extends At {
  /** The device writes to `mem`; not before an incoming migration, and not in a replay. */
  readonly writes: boolean;
  /** Of the counter of the machine's processors, Hz; 0: not known. */
  readonly frequency: bigint;
}
export interface ResetStimulus extends Begins {
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
  /** What it read from the request ring: needed exactly when `ringsDoorbell` says so, ignored otherwise. */
  readonly requests?: Requests;
}
/** What the device reads from the request ring. `counters`: as many as HEAD announces, and none if it is too far. */
export interface Requests {
  readonly head: bigint;
  readonly counters: readonly bigint[];
}
/** The doorbell is an ioeventfd, and the guest has rung it. */
export interface DoorbellStimulus extends At {
  readonly stimulus: 'doorbell';
  readonly requests: Requests;
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
export interface LoadStimulus extends Begins {
  readonly stimulus: 'load';
  readonly loaded: Snapshot & Pick<ModelState, 'pageSeq' | 'disruption' | 'laps' | 'taken'>;
}
/** The VM continues after a stop. */
export interface ResumeStimulus extends At {
  readonly stimulus: 'resume';
}
export type Stimulus =
  | ResetStimulus
  | WriteStimulus
  | DoorbellStimulus
  | ReadStimulus
  | TimerStimulus
  | LoadStimulus
  | ResumeStimulus;

/** In the order in which the device reports them. */
export type Effect =
  | { readonly effect: 'value'; readonly value: bigint }
  | { readonly effect: 'mem'; readonly dataLen: bigint }
  | { readonly effect: 'text'; readonly dataLen: bigint; readonly text: string }
  /** `index`: place in the ring; `laps`: its new head. */
  | { readonly effect: 'lap'; readonly index: bigint; readonly split: bigint; readonly laps: bigint }
  /** The whole live page is written. */
  | ({ readonly effect: 'page' } & PageFields)
  /** The head and the capacity of the lap ring are written, and the tail of the request ring. */
  | { readonly effect: 'ring'; readonly laps: bigint; readonly capacity: bigint; readonly taken: bigint }
  /** HEAD of the request ring is read, and then the counter of a request. */
  | { readonly effect: 'requests'; readonly head: bigint }
  | { readonly effect: 'request'; readonly counter: bigint }
  /** The split time is written into the entry of request `number`. */
  | { readonly effect: 'answer'; readonly number: bigint; readonly split: bigint }
  | { readonly effect: 'tail'; readonly taken: bigint }
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

export interface StepOk {
  readonly ok: true;
  readonly state: ModelState;
  readonly effects: readonly Effect[];
}
export type StepResult = StepOk | ({ readonly ok: false } & Failure);
