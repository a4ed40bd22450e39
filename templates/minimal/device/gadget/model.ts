// SPDX-License-Identifier: MIT
/** What the device should do, and how its trace is checked against that. */
import { type DeviceChecker, type Step, traceFormat, type TraceEvent } from '#device-kit';

/** As in driver/gadget/gadget_hw-sw.h. */
const VALUE = 0x00n;
const VALUE_MAX = 0xffn;

const ACCESS = [
  ['offset', 'offset', 'hex'],
  ['value', 'value', 'hex'],
  ['size', 'size', 'bytes'],
] as const;

/** The events that gadget.c traces, with their fields: [name in the line, property, kind]. */
const EVENTS = {
  /** Machine reset, power-on included. */
  reset: [['initial', 'initial', 'hex']],
  /** The guest read, and this value was returned. */
  read: ACCESS,
  /** The guest writes. */
  write: ACCESS,
  /** QEMU is about to exit. */
  end: [],
} as const;
type Event = TraceEvent<typeof EVENTS>;

export const TRACE = traceFormat('gadget_', EVENTS);

/** The model's state. */
interface State {
  readonly value: bigint;
}

/** `initial`: the device's property. */
export function gadgetChecker(initial: bigint): DeviceChecker<State, Event> {
  return {
    name: 'gadget',
    prefix: TRACE.prefix,
    region: 'regs',
    initial: { value: 0n },
    parse: (line) => TRACE.parse(line),
    role: ({ event }) => (event === 'end' ? 'end' : 'stimulus'),
    begins: ({ event }) => event === 'reset',
    jumps: () => false,
    step: (state, event) => step(state, event, initial),
    words: (event) => ({
      access: 'offset' in event ? `${event.event} at ${event.offset}, value ${event.value}` : event.event,
      ...('offset' in event && event.offset === VALUE && { register: 'VALUE' }),
    }),
    describe: ({ value }) => ({ value: String(value) }),
    reported: () => undefined,
    access: (event) =>
      'offset' in event
        ? { direction: event.event, offset: event.offset, value: event.value, size: event.size }
        : undefined,
    interrupt: () => undefined,
    resets: ({ event }) => event === 'reset',
    // What the guest's test prints: `# observe value=5`.
    channels: { value: { kind: 'event', normalise: (printed) => printed } },
  };
}

/** What one event does to the state, and what must be true of it. */
function step(state: State, event: Event, initial: bigint): Step<State, Event> {
  const nothing = { state, checks: [], supplied: 1, expect: [], tally: [], observables: [] };
  switch (event.event) {
    case 'reset':
      return {
        ...nothing,
        state: { value: initial & VALUE_MAX },
        checks: [{ field: 'reset.initial', expected: String(initial), actual: String(event.initial) }],
      };
    case 'write':
      return {
        ...nothing,
        state: event.offset === VALUE ? { value: event.value & VALUE_MAX } : state,
        supplied: 4,
        tally: ['writes'],
      };
    case 'read': {
      const expected = String(event.offset === VALUE ? state.value : 0n);
      return {
        ...nothing,
        supplied: 3,
        checks: [{ field: 'read.value', expected, actual: String(event.value) }],
        tally: ['reads'],
        observables: event.offset === VALUE ? [{ channel: 'value', value: expected }] : [],
      };
    }
    case 'end':
      return nothing;
  }
}
