// SPDX-License-Identifier: MIT
/** What the device should do, and how its trace is checked against that. */
import { type DeviceChecker, type Step, traceFormat, type EventOf } from '#device-kit';

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
type Event = EventOf<typeof EVENTS>;

export const TRACE = traceFormat('gadget_', EVENTS);

/** The model's state. */
interface State {
  readonly value: bigint;
}
const afterReset = (initial: bigint): State => ({ value: initial & 0xffn });

/** As in driver/gadget/gadget_hw-sw.h: what a read returns, and the state after a write. */
const REGISTERS = [
  {
    name: 'VALUE',
    offset: 0x00n,
    read: ({ value }: State) => value,
    write: (state: State, value: bigint): State => ({ ...state, value: value & 0xffn }),
  },
];
const registerAt = (offset: bigint) => REGISTERS.find((register) => register.offset === offset);

/** `initial`: the device's property. */
export function gadgetChecker(initial: bigint): DeviceChecker<State, Event> {
  return {
    name: 'gadget',
    prefix: TRACE.prefix,
    region: 'regs',
    initial: afterReset(initial),
    parse: (line) => TRACE.parse(line),
    role: ({ event }) => (event === 'end' ? 'end' : 'stimulus'),
    begins: ({ event }) => event === 'reset',
    jumps: () => false,
    step: (state, event) => step(state, event, initial),
    words: (event) => ({
      access: 'offset' in event ? `${event.event} at ${event.offset}, value ${event.value}` : event.event,
      ...('offset' in event && { register: registerAt(event.offset)?.name ?? 'none' }),
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
        state: afterReset(initial),
        checks: [{ field: 'reset.initial', expected: String(initial), actual: String(event.initial) }],
      };
    case 'write': {
      const after = registerAt(event.offset)?.write(state, event.value) ?? state;
      return { ...nothing, state: after, supplied: 4, tally: ['writes'] };
    }
    case 'read': {
      const register = registerAt(event.offset);
      const expected = String(register?.read(state) ?? 0n);
      return {
        ...nothing,
        supplied: 3,
        checks: [{ field: 'read.value', expected, actual: String(event.value) }],
        tally: ['reads'],
        observables: register ? [{ channel: register.name.toLowerCase(), value: expected }] : [],
      };
    }
    case 'end':
    default:
      return nothing;
  }
}
