// SPDX-License-Identifier: MIT
/** What the device must do, and the trace events by which it is checked. */
import {
  ACCESS,
  deviceChecker,
  type EventOf,
  readRegister,
  type Register,
  type Step,
  traceFormat,
  writeRegister,
} from '#device-kit';

/** The events that gadget.c traces, with their fields: [name in the line, property, kind]. */
const EVENTS = {
  reset: [['initial', 'initial', 'hex']],
  read: ACCESS,
  write: ACCESS,
  end: [],
} as const;
type Event = EventOf<typeof EVENTS>;

export const TRACE = traceFormat('gadget_', EVENTS);

interface State {
  readonly value: bigint;
}
const afterReset = (initial: bigint): State => ({ value: initial & 0xffn });

/** As in gadget_hw-sw.h, with the value that a read returns and the state after a write. */
const REGISTERS: readonly Register<State>[] = [
  {
    name: 'VALUE',
    offset: 0x00,
    value: (state) => state.value,
    after: (state, value) => ({ ...state, value: value & 0xffn }),
  },
];

/** What one event does to the state, and what must be true of it. `initial`: the device's property. */
function step(state: State, event: Event, initial: bigint): Step<State, Event> {
  switch (event.event) {
    case 'reset':
      return {
        state: afterReset(initial),
        checks: [{ field: 'reset.initial', expected: String(initial), actual: String(event.initial) }],
      };
    case 'write':
      return writeRegister(REGISTERS, state, event);
    case 'read':
      return readRegister(REGISTERS, state, event);
    case 'end':
    default:
      return { state };
  }
}

export const gadgetChecker = (initial: bigint) =>
  deviceChecker<State, Event>({
    name: 'gadget',
    region: 'regs',
    trace: TRACE,
    registers: REGISTERS,
    initial: afterReset(initial),
    step: (state, event) => step(state, event, initial),
    // What the guest's test prints: `# observe value=5`.
    channels: {
      value: { kind: 'event' },
    },
  });
