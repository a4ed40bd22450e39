// SPDX-License-Identifier: MIT
/**
 * The device's own trace, as QEMU's `log` backend writes it:
 * `stopwatch_EVENT id=… seq=… now=… FIELDS`.
 *
 * `now` is the same for all events of one access. Each access is one stimulus
 * and its effects, in this order:
 *
 *   stimulus  effects
 *   reset     irq (if it was high), state, page and ring (if it writes to mem)
 *   write     mem (if data_len was read), text, lap, irq, error, state, page;
 *             to DOORBELL: as doorbell
 *   doorbell  requests, request (each), lap and answer (each), tail, error, state
 *   read      error, state — both only if the read was rejected
 *   timer     irq, state
 *   load      state, page and ring (if it writes to mem)
 *   resume    page
 *   end       none: it marks the end of the stream
 *
 * An access at or after a pending deadline is preceded by the expiry (`timer`,
 * `irq`, `state`), whether or not QEMU's timer has been served yet.
 */
import { traceFormat, type EventOf } from '../../../vm/device-kit.js';

/** Per event: its fields in the order of the line, as [name in the line, property, kind]. */
const EVENTS = {
  /** Machine reset, power-on included. `frequency`: of the guest's counter; 0 if it is not known. */
  reset: [
    ['start_at_boot', 'startAtBoot', 'bool'],
    ['writes', 'writes', 'bool'],
    ['frequency', 'frequency', 'udec'],
  ],
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
  /** LAP wrote this split time to this place of the ring, and then the new head. */
  lap: [
    ['index', 'index', 'udec'],
    ['split', 'split', 'udec'],
    ['head', 'laps', 'udec'],
  ],
  /** The device wrote the head and the capacity of the lap ring, and the tail of the request ring. */
  ring: [
    ['head', 'laps', 'udec'],
    ['capacity', 'capacity', 'udec'],
    ['tail', 'taken', 'udec'],
  ],
  /** The guest has rung the doorbell, which is an ioeventfd: QEMU's own trace has no access. */
  doorbell: [],
  /** The device read HEAD of the request ring. */
  requests: [['head', 'head', 'udec']],
  /** The device took a request: the guest's counter. */
  request: [['counter', 'counter', 'udec']],
  /** The device wrote this split time into the entry of this request. */
  answer: [
    ['number', 'number', 'udec'],
    ['split', 'split', 'udec'],
  ],
  /** The device wrote the tail of the request ring. */
  tail: [['tail', 'taken', 'udec']],
  /** The device wrote the live page; `page_seq` is the even number at the end. Its error follows from the frequency: QEMU's events have at most ten values. */
  page: [
    ['page_seq', 'pageSeq', 'udec'],
    ['disruption', 'disruption', 'udec'],
    ['flags', 'flags', 'hex'],
    ['state', 'state', 'udec'],
    ['accumulated', 'accumulated', 'udec'],
    ['counter', 'counter', 'udec'],
    ['frequency', 'frequency', 'udec'],
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
  load: [
    ['writes', 'writes', 'bool'],
    ['frequency', 'frequency', 'udec'],
    ['page_seq', 'pageSeq', 'udec'],
    ['disruption', 'disruption', 'udec'],
    ['laps', 'laps', 'udec'],
    ['tail', 'taken', 'udec'],
  ],
  /** The VM continues after a stop. */
  resume: [],
  /** QEMU is about to exit cleanly. */
  end: [],
} as const;

export type TraceEvent = EventOf<typeof EVENTS>;
export type StateEvent = Extract<TraceEvent, { event: 'state' }>;
export type LoadEvent = Extract<TraceEvent, { event: 'load' }>;
export type WriteEvent = Extract<TraceEvent, { event: 'write' }>;

/** An event without the device's name and its place in the sequence. */
export type Unnumbered<E = TraceEvent> = E extends unknown ? Omit<E, 'id' | 'seq'> : never;

export const TRACE = traceFormat('stopwatch_', EVENTS);
