// SPDX-License-Identifier: MIT
/**
 * Types of the cross-check: the interface that a device implements, and the verdict.
 *
 * This directory works for any device; a device's own part is
 * `device/NAME/checker/`. A device's trace is a sequence of stimuli, each followed
 * by the effects that the device reports.
 */

/** Common properties of every event in a device's own trace. Others are the event's fields. */
export interface StreamEvent {
  readonly event: string;
  /** Id of the device instance. */
  readonly id: string;
  /** Rises by one per event. */
  readonly seq: bigint;
  /** Virtual nanoseconds. */
  readonly now: bigint;
}

/** An event that the model expects next. All of its fields are compared. */
export type Expected<E extends StreamEvent> = E extends unknown ? Omit<E, 'id' | 'seq'> : never;

/** One comparison of a value from the device with the model's. */
export interface Check {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** The event itself is wrong, rather than one of its values. */
export interface StepFailure {
  readonly kind: 'early' | 'late' | 'missing' | 'unexpected' | 'impossible';
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** A value that the guest may see, as text in the guest's format. */
export interface Observable {
  readonly channel: string;
  readonly value: string;
}

/** The model's answer to one stimulus. */
export interface Step<S, E extends StreamEvent> {
  /** The model's state after it. */
  readonly state: S;
  /** Fields of the stimulus that the device determines, such as the value of a read. */
  readonly checks?: readonly Check[] | undefined;
  /** Number of fields taken from the stream without being checked. By default, all fields of the event but those in `checks`. */
  readonly supplied?: number | undefined;
  /** Events that must follow, in this order. */
  readonly expect?: readonly Expected<E>[] | undefined;
  /** For input that the model cannot know: the event that must follow `expect`, and the continuation that takes it. */
  readonly consumes?: { readonly event: E['event']; resume(event: E): Step<S, E> };
  /** Names to count once the step has been checked: `commands`, `interrupts`, … */
  readonly tally?: readonly string[] | undefined;
  /** Values that the guest may see from now on. */
  readonly observables?: readonly Observable[] | undefined;
  /** Index in `DeviceChecker.decisions` of the decision that this step exercised. */
  readonly decision?: number | undefined;
  readonly failure?: StepFailure;
}

/** How to compare a value printed by the guest with the model. */
export interface Channel {
  /** Converts a printed value to the model's format; undefined if it is malformed. Absent: it is in that format. */
  normalise?(printed: string): string | undefined;
  /** event: each printed value matches one of the model's, in order. level: a value may be printed any number of times, and the last one must be the model's last. */
  readonly kind: 'event' | 'level';
}

/** An access, in a form that can be compared with the monitor's. */
export interface Access {
  readonly direction: 'read' | 'write';
  readonly offset: bigint;
  readonly value: bigint;
  readonly size: number;
}

/** The device-specific part of the cross-check. All functions are pure. */
export interface DeviceChecker<S, E extends StreamEvent> {
  readonly name: string;
  /** Prefix of exactly the lines of the device's own trace. */
  readonly prefix: string;
  /** The trapping memory region, such as `regs`; QEMU's own trace calls it `ID-regs`. Absent if no access traps. */
  readonly region?: string | undefined;
  readonly initial: S;
  /** Parses a line; undefined if it is not an event. */
  parse(line: string): E | undefined;
  role(event: E): 'stimulus' | 'effect' | 'end';
  /** Whether the stream may begin with this event. */
  begins(event: E): boolean;
  /** Whether `seq` and `now` may jump at this event, because it loads a saved state. */
  jumps(event: E): boolean;
  step(state: S, event: E): Step<S, E>;
  /** Describes a stimulus, with its register if it has one. */
  words(event: E): { readonly access: string; readonly register?: string };
  /** Describes the model's state. */
  describe(state: S, now: bigint): Words;
  /** The state that an event reports, in the same form. */
  reported(event: E): Words | undefined;
  access(event: E): Access | undefined;
  /** The new level of the interrupt line, if the event changes it. */
  interrupt(event: E): boolean | undefined;
  /** Whether the event is a machine reset, which may have cleared the interrupt controller already. */
  resets(event: E): boolean;
  readonly channels: Readonly<Record<string, Channel>>;
  /** Registers for the coverage report. Absent: the report shows only accesses that occurred. */
  readonly registers?: readonly CheckedRegister[] | undefined;
  /** Descriptions of the contract's decisions. */
  readonly decisions?: readonly string[] | undefined;
  /** The reason, such as `BAD_ACCESS`, if this effect says that the device refused the access. */
  refused?(event: E): string | undefined;
}

export interface CheckedRegister {
  readonly name: string;
  readonly offset: number;
  /** Widths in bytes that the contract allows. */
  readonly read: readonly number[];
  readonly write: readonly number[];
}

/** One checked event, for display. */
export interface Observed {
  readonly event: StreamEvent;
  readonly role: 'stimulus' | 'effect' | 'end';
  /** The line from the stream. */
  readonly text: string;
  /** differs: the first divergence. invalid: the evidence is invalid from here on. unchecked: after either. */
  readonly judged: 'agrees' | 'differs' | 'invalid' | 'unchecked';
  /** The model's state before and after the access, at the event's time; absent for later events of the same step and for unchecked ones. */
  readonly states?: { readonly before: Words; readonly after: Words } | undefined;
  readonly decision?: number | undefined;
}

/** The checker of any device. The checker only gets back its own states and events, so the type parameters may be unknown. */
export type AnyChecker = DeviceChecker<unknown, StreamEvent>;

export type Words = Readonly<Record<string, string>>;

/**
 * field: a value differs. event: not the expected event. early, late, missing,
 * unexpected: a timer expiry. impossible: a state that the device cannot reach.
 * monitor: QEMU's own trace disagrees with the device's. guest: the guest
 * printed a value that the model does not allow.
 */
export type DivergenceKind = 'field' | 'event' | StepFailure['kind'] | 'monitor' | 'guest';

/** The first difference between device and model. Integers are decimal strings. */
export interface Divergence {
  readonly kind: DivergenceKind;
  /** Sequence number of the diverging event; for the guest or the monitor, of the last event before. */
  readonly seq: string;
  readonly now: string;
  /** Description of the access (or reset, expiry, load). */
  readonly access: string;
  readonly register?: string;
  /** The compared field: `read.value`, `state.elapsed`, `event`, … */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** Up to 32 trace lines of the device, the last being the diverging event. */
  readonly last: readonly string[];
  /** before: the model's state before the access; model: after it; device: the state that the device reported, if any. */
  readonly states: { readonly before: Words; readonly model: Words; readonly device?: Words };
  /** The last stimuli with their effects, with times relative to the divergence, interleaved with the guest's console. */
  readonly story: readonly string[];
  /** Position in the guest's test: `in 'pausing'`, or `after 'starting'` if the name is unknown. */
  readonly during?: string;
  /** The guest's kernel had crashed before, so the divergence is not the cause. */
  readonly afterCrash?: true;
  /** One command that repeats this check from the saved stream. */
  readonly replay?: string;
}

/** What is known about a device at the end of its stream, to explain a guest's failure. */
export interface Circumstances {
  /** Its last events, as in `Divergence.story`. */
  readonly story: readonly string[];
  /** An access that began and never finished: the device's function has not returned. */
  readonly unfinished?: { readonly seq: string; readonly access: string };
  /** The event that raised the interrupt, if it is still high at the end. */
  readonly unacknowledged?: { readonly seq: string };
  /** The events and the refused accesses in each failed test. */
  readonly failedTests: readonly FailedTest[];
}

export interface FailedTest {
  readonly name: string;
  readonly refused: readonly string[];
  readonly story: readonly string[];
}

/** Coverage of a device in one run. */
export interface Covered {
  /** For each group: the number touched, the total, and the missing ones. */
  readonly groups: readonly {
    readonly group: string;
    readonly touched: number;
    readonly all: number;
    readonly missing: readonly string[];
  }[];
}

/** Why the evidence is invalid. */
export type InvalidReason =
  | { readonly reason: 'gap'; readonly expected: string; readonly got: string }
  | { readonly reason: 'no-start'; readonly got: string }
  | { readonly reason: 'no-end'; readonly lastSeq: string }
  | { readonly reason: 'after-end'; readonly line: string }
  | { readonly reason: 'truncated'; readonly line: string }
  | { readonly reason: 'unparsable'; readonly line: string; readonly lineNumber: number }
  | {
      readonly reason: 'clock-went-back';
      readonly seq: string;
      readonly before: string;
      readonly now: string;
    }
  | { readonly reason: 'too-few'; readonly what: string; readonly needed: number; readonly got: number }
  | {
      readonly reason: 'monitor-silent';
      readonly monitor: 'accesses' | 'interrupts';
      readonly unseen: number;
    }
  | { readonly reason: 'guest-silent' }
  | { readonly reason: 'guest-unreadable'; readonly line: string };

/** The result of checking one stream. Serialisable as JSON. */
export interface Verdict {
  readonly result: 'agree' | 'differ' | 'invalid';
  /** Number of the device's events in the stream. */
  readonly events: number;
  /** Number of fields compared with the model. */
  readonly checked: number;
  /** Number of fields taken from the stream: time, the guest's values, consumed memory. */
  readonly supplied: number;
  /** Number of accesses and interrupt edges that QEMU's own trace confirms. */
  readonly confirmed: number;
  /** Number of values printed by the guest that were compared with the model. */
  readonly observed: number;
  /** Number of other lines in the stream, from other devices and from QEMU. */
  readonly otherLines: number;
  /** Number of events by kind, checked or not. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Number of checks that passed, by name: `reads`, `writes`, `commands`, … */
  readonly counts: Readonly<Record<string, number>>;
  readonly divergence?: Divergence;
  /** The guest did not finish the device's test, so the comparisons at its end were not made. */
  readonly partial?: true;
  readonly circumstances?: Circumstances;
  readonly covered?: Covered;
  /** Every reason why the evidence is invalid, in order; with a divergence, only those after it. */
  readonly invalid: readonly InvalidReason[];
  /** Descriptions of what could not be checked; absent if everything was. */
  readonly unchecked?: readonly string[];
}
