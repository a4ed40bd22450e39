// SPDX-License-Identifier: MIT
/**
 * The device's own trace, as QEMU's `log` backend writes it:
 * `stopwatch_EVENT id=… seq=… now=… FIELDS`.
 *
 * `now` is the same for all events of one access. Each access is one stimulus
 * and its effects, in this order:
 *
 *   stimulus  effects
 *   reset     irq (if it was high), state
 *   write     mem (if data_len was read), text, irq, error, state
 *   read      error, state — both only if the read was rejected
 *   timer     irq, state
 *   load      state
 *   end       none: it marks the end of the stream
 *
 * An access at or after a pending deadline is preceded by the expiry (`timer`,
 * `irq`, `state`), whether or not QEMU's timer has been served yet.
 */
import { traceFormat, type EventOf } from '../../../vm/device-kit.js';

/** Per event: its fields in the order of the line, as [name in the line, property, kind]. */
const EVENTS = {
  /** Machine reset, power-on included. */
  reset: [['start_at_boot', 'startAtBoot', 'bool']],
  /** The guest writes to `regs`. */
  write: [
    ['offset', 'offset', 'hex'],
    ['value', 'value', 'hex'],
    ['size', 'size', 'bytes'],
  ],
  /** The guest read from `regs`, with the value that was returned. */
  read: [
    ['offset', 'offset', 'hex'],
    ['value', 'value', 'hex'],
    ['size', 'size', 'bytes'],
  ],
  /** The device read `data_len` from `mem`: at most once per access. */
  mem: [['data_len', 'dataLen', 'hex']],
  /** UPDATE wrote the text to `mem`; `data_len` counts the NUL. */
  text: [
    ['data_len', 'dataLen', 'hex'],
    ['text', 'text', 'text'],
  ],
  /** The timeout fired; `deadline` is the time for which it was armed. */
  timer: [['deadline', 'deadline', 'dec']],
  /** The interrupt line changed to this level. */
  irq: [['level', 'level', 'bool']],
  /** ERROR bits set by this access, and the register after it. */
  error: [
    ['raised', 'raised', 'hex'],
    ['error', 'error', 'hex'],
  ],
  /** The whole state after an access, expiry, reset or load. `deadline` is 0 unless a timeout is pending. */
  state: [
    ['status', 'status', 'udec'],
    ['elapsed', 'elapsed', 'dec'],
    ['timeout', 'timeout', 'dec'],
    ['deadline', 'deadline', 'dec'],
    ['count', 'count', 'udec'],
    ['error', 'error', 'hex'],
  ],
  /** The device's state was loaded: migration or a snapshot. */
  load: [],
  /** QEMU is about to exit in order. */
  end: [],
} as const;

export type TraceEvent = EventOf<typeof EVENTS>;
export type StateEvent = Extract<TraceEvent, { event: 'state' }>;
export type WriteEvent = Extract<TraceEvent, { event: 'write' }>;

/** An event without the device's name and its place in the sequence. */
export type Unnumbered<E = TraceEvent> = E extends unknown ? Omit<E, 'id' | 'seq'> : never;

export const TRACE = traceFormat('stopwatch_', EVENTS);
