// SPDX-License-Identifier: MIT
/**
 * The vocabulary of the device's own trace (`device/stopwatch/trace-events`, QEMU's
 * tracing, `log` backend): what one line of the stream means.
 *
 * Order within one access: the stimulus first, then its effects in the order
 * in which they are listed here, then one `state`. All events of one access
 * carry the same `now`. An access made at or after a pending deadline is
 * preceded by the expiry (`timer`, `irq`, `state`): the device fires it then,
 * whether or not QEMU's timer has been served yet.
 *
 *   stimulus  effects, in this order
 *   reset     irq (if it was high), state
 *   write     mem (if data_len was read), text, irq, error, state
 *   read      error, state — both only if the read was rejected
 *   timer     irq, state
 *   load      state
 *   end       none: the stream's end marker
 */
interface Base {
  /** Rises by one from event to event, from 0 at the device's creation; migrates with the device. */
  readonly seq: bigint;
  /** QEMU_CLOCK_VIRTUAL, nanoseconds. */
  readonly now: bigint;
}

/** Machine reset, power-on included. */
export interface ResetEvent extends Base {
  readonly event: 'reset';
  readonly startAtBoot: boolean;
}
/** The guest writes to `regs`; before any effect. */
export interface WriteEvent extends Base {
  readonly event: 'write';
  readonly offset: bigint;
  readonly value: bigint;
  /** Bytes: 1 to 8. */
  readonly size: number;
}
/** The guest read from `regs`, with the value that was returned. */
export interface ReadEvent extends Base {
  readonly event: 'read';
  readonly offset: bigint;
  readonly value: bigint;
  readonly size: number;
}
/** The device read `data_len` from `mem`: at most once per access. */
export interface MemEvent extends Base {
  readonly event: 'mem';
  readonly dataLen: bigint;
}
/** UPDATE wrote the text to `mem`; `dataLen` counts the NUL. */
export interface TextEvent extends Base {
  readonly event: 'text';
  readonly dataLen: bigint;
  readonly text: string;
}
/** The timeout fired; `deadline` is what it had been armed for. */
export interface TimerEvent extends Base {
  readonly event: 'timer';
  readonly deadline: bigint;
}
/** The interrupt line changed to this level. */
export interface IrqEvent extends Base {
  readonly event: 'irq';
  readonly level: boolean;
}
/** ERROR bits set by this access (`raised`), and the register after it. */
export interface ErrorEvent extends Base {
  readonly event: 'error';
  readonly raised: bigint;
  readonly error: bigint;
}
/** The whole state after an access, expiry, reset or load. */
export interface StateEvent extends Base {
  readonly event: 'state';
  /** A STATUS value. */
  readonly status: bigint;
  readonly elapsed: bigint;
  /** A TIMEOUT_STATE value. */
  readonly timeout: bigint;
  /** Absolute virtual nanoseconds while pending, else 0. */
  readonly deadline: bigint;
  readonly count: bigint;
  readonly error: bigint;
}
/** The device's state was loaded (migration, snapshot). */
export interface LoadEvent extends Base {
  readonly event: 'load';
}
/** QEMU is going away in good order. */
export interface EndEvent extends Base {
  readonly event: 'end';
}

export type TraceEvent =
  | ResetEvent
  | WriteEvent
  | ReadEvent
  | MemEvent
  | TextEvent
  | TimerEvent
  | IrqEvent
  | ErrorEvent
  | StateEvent
  | LoadEvent
  | EndEvent;
