// SPDX-License-Identifier: MIT
/**
 * What the cross-check asks of a device's half (its trace, its model), and what it answers.
 *
 * Everything in this directory works for any device; its half is
 * `device/NAME/checker/`. A device's trace is a sequence of stimuli, each followed
 * by the effects that the device says it had.
 */

/** What every event of a device's own trace carries. Other properties are the event's fields. */
export interface StreamEvent {
  readonly event: string;
  /** Of the instance that reports it. */
  readonly id: string;
  /** Rises by one from event to event. */
  readonly seq: bigint;
  /** Virtual nanoseconds. */
  readonly now: bigint;
}

/** An event that the model says must come next: all of its fields are compared. */
export type Expected<E extends StreamEvent> = E extends unknown ? Omit<E, 'id' | 'seq'> : never;

/** One value of the device that the model has computed too. */
export interface Check {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** Something the model says cannot have happened: no value differs, the event itself is wrong. */
export interface StepFailure {
  readonly kind: 'early' | 'late' | 'missing' | 'unexpected' | 'impossible';
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** A value seen by the guest, in the words in which the guest prints it. */
export interface Observable {
  readonly channel: string;
  readonly value: string;
}

/** The model's answer to one stimulus. */
export interface Step<S, E extends StreamEvent> {
  /** The model's state after it. */
  readonly state: S;
  /** Fields of the stimulus that are the device's doing, such as a value read. */
  readonly checks: readonly Check[];
  /** Number of fields that were taken from the stream without being checked. */
  readonly supplied: number;
  /** Events that must follow, in this order. */
  readonly expect: readonly Expected<E>[];
  /** Where the device consumes something that the model cannot know: the event that must follow `expect`, and how to go on with it. */
  readonly consumes?: { readonly event: E['event']; resume(event: E): Step<S, E> };
  /** Names to count once all of the step has been checked: `commands`, `interrupts`, … */
  readonly tally: readonly string[];
  /** What the guest may now see. */
  readonly observables: readonly Observable[];
  /** Which of the contract's decisions it met, by its place in `DeviceChecker.decisions`. */
  readonly decision?: number | undefined;
  readonly failure?: StepFailure;
}

/** How a value printed by the guest is compared with what the model says. */
export interface Channel {
  /** The printed value in the model's words, or undefined where it is none. */
  normalise(printed: string): string | undefined;
  /** event: each printed value is one of the model's, in order. level: the value may be seen any number of times, and the last one printed is the model's last. */
  readonly kind: 'event' | 'level';
}

/** An access as an independent monitor sees it too. */
export interface Access {
  readonly direction: 'read' | 'write';
  readonly offset: bigint;
  readonly value: bigint;
  readonly size: number;
}

/** A device's half of the cross-check. All functions are pure. */
export interface DeviceChecker<S, E extends StreamEvent> {
  readonly name: string;
  /** Every line of the device's own trace starts with this, and no other line does. */
  readonly prefix: string;
  /** The trapping memory region, such as `regs`: QEMU's own trace calls it `ID-regs`. Absent: no access traps. */
  readonly region?: string | undefined;
  readonly initial: S;
  /** The event on a line, or undefined where there is none. */
  parse(line: string): E | undefined;
  role(event: E): 'stimulus' | 'effect' | 'end';
  /** May the stream begin with this event? */
  begins(event: E): boolean;
  /** May `seq` and `now` jump at this event? (State loaded from elsewhere, or from another time.) */
  jumps(event: E): boolean;
  step(state: S, event: E): Step<S, E>;
  /** A stimulus in words, with its register if it has one. */
  words(event: E): { readonly access: string; readonly register?: string };
  /** The model's state in words. */
  describe(state: S, now: bigint): Words;
  /** The state that an event reports, in the same words. */
  reported(event: E): Words | undefined;
  access(event: E): Access | undefined;
  /** The level that the interrupt line changed to. */
  interrupt(event: E): boolean | undefined;
  /** The machine was reset: the interrupt controller may have forgotten the line's level already. */
  resets(event: E): boolean;
  readonly channels: Readonly<Record<string, Channel>>;
  /** What the report of a run compares its accesses with. Absent: it shows those that there were. */
  readonly registers?: readonly CheckedRegister[] | undefined;
  /** The decisions of the contract, in words. */
  readonly decisions?: readonly string[] | undefined;
  /** Why the device refused the access that this event is an effect of, such as `BAD_ACCESS`; undefined if it did not. */
  refused?(event: E): string | undefined;
}

export interface CheckedRegister {
  readonly name: string;
  readonly offset: number;
  /** Widths in bytes that the contract allows. */
  readonly read: readonly number[];
  readonly write: readonly number[];
}

/** What a checker makes of one event, for those who show it. */
export interface Observed {
  readonly event: StreamEvent;
  readonly role: 'stimulus' | 'effect' | 'end';
  /** The line, as it stands in the stream. */
  readonly text: string;
  /** differs: the first difference. invalid: from here on, this is no evidence. unchecked: after either. */
  readonly judged: 'agrees' | 'differs' | 'invalid' | 'unchecked';
  /** The model's state before the access and after it, at the event's time; absent where it is the same step as before, or the model was not asked. */
  readonly states?: { readonly before: Words; readonly after: Words } | undefined;
  readonly decision?: number | undefined;
}

/** Any device's. Methods, not properties: the machinery hands a checker's own states and events back to it. */
export type AnyChecker = DeviceChecker<unknown, StreamEvent>;

export type Words = Readonly<Record<string, string>>;

/**
 * field: a value differs. event: another event than the one that had to come.
 * early, late, missing, unexpected: an expiry. impossible: a state no such
 * device can be in. monitor: QEMU's own trace disagrees with the device's.
 * guest: what the guest printed is not what the model says.
 */
export type DivergenceKind = 'field' | 'event' | StepFailure['kind'] | 'monitor' | 'guest';

/** The first thing that the device did otherwise than the model. Integers are decimal strings. */
export interface Divergence {
  readonly kind: DivergenceKind;
  /** Of the diverging event; of the last event before, where the guest or a monitor diverges. */
  readonly seq: string;
  readonly now: string;
  /** The access (or reset, expiry, load) in words. */
  readonly access: string;
  readonly register?: string;
  /** What was compared: `read.value`, `state.elapsed`, `event`, … */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** The device's last events up to and including this one, as they stand in the stream; at most 32. */
  readonly last: readonly string[];
  /** before: the model's, before the access; model: after it; device: as the device reported it after the access, if it did. */
  readonly states: { readonly before: Words; readonly model: Words; readonly device?: Words };
  /** The last ones in words, each stimulus with its effects, by the time before the divergence; between them what the guest printed. */
  readonly story: readonly string[];
  /** Which of the guest's tests ran: `in 'pausing'`, or `after 'starting'` where its name never came. */
  readonly during?: string;
  /** The guest's kernel had gone wrong before, so this did not make it do so. */
  readonly afterCrash?: true;
  /** One command that repeats this check from the saved stream. */
  readonly replay?: string;
}

/** What else is known of a device at the end of its stream, for a guest that failed. */
export interface Circumstances {
  /** Its last events, as in `Divergence.story`. */
  readonly story: readonly string[];
  /** The device began this and never finished it: QEMU has not returned from it. */
  readonly unfinished?: { readonly seq: string; readonly access: string };
  /** It raised its interrupt here, and nothing made it lower it up to the end. */
  readonly unacknowledged?: { readonly seq: string };
  /** What the device did in each of the guest's tests that failed, and what it refused there. */
  readonly failedTests: readonly FailedTest[];
}

export interface FailedTest {
  readonly name: string;
  readonly refused: readonly string[];
  readonly story: readonly string[];
}

/** What a run touched of a device. */
export interface Covered {
  /** By group: how many of how many, and which not. */
  readonly groups: readonly {
    readonly group: string;
    readonly touched: number;
    readonly all: number;
    readonly missing: readonly string[];
  }[];
}

/** Why evidence is invalid. */
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

/** The result of checking one stream. Can be written as JSON. */
export interface Verdict {
  readonly result: 'agree' | 'differ' | 'invalid';
  /** Events of the device in the stream. */
  readonly events: number;
  /** Fields compared with the model. */
  readonly checked: number;
  /** Fields taken from the stream: time, the guest's values, consumed memory. */
  readonly supplied: number;
  /** Accesses and interrupt edges that QEMU's own trace confirms. */
  readonly confirmed: number;
  /** Values printed by the guest that were compared with the model. */
  readonly observed: number;
  /** Other lines of the stream: those of other devices, and of QEMU. */
  readonly otherLines: number;
  /** Events by kind, whether checked or not. */
  readonly kinds: Readonly<Record<string, number>>;
  /** What was checked and found right, by name: `reads`, `writes`, `commands`, … */
  readonly counts: Readonly<Record<string, number>>;
  readonly divergence?: Divergence;
  /** The guest did not get to the end of the device's test: what can only be compared there was not compared. */
  readonly partial?: true;
  readonly circumstances?: Circumstances;
  readonly covered?: Covered;
  /** Everything that makes the evidence unfit, in order; with a divergence, what came after it. */
  readonly invalid: readonly InvalidReason[];
  /** What could not be checked, in words; absent: nothing. */
  readonly unchecked?: readonly string[];
}
