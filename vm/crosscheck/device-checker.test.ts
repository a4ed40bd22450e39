// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { Crosscheck } from './crosscheck.js';
import { deviceChecker, readRegister, type Register, writeRegister } from './device-checker.js';
import { ACCESS, type EventOf, traceFormat } from './trace-format.js';
import type { Step } from './types.js';

const EVENTS = {
  reset: [],
  read: ACCESS,
  write: ACCESS,
  found: [['bonus', 'bonus', 'hex']],
  rang: [['times', 'times', 'udec']],
  end: [],
} as const;
type Event = EventOf<typeof EVENTS>;
interface State {
  readonly value: bigint;
}

const REGISTERS: readonly Register<State>[] = [
  { name: 'VALUE', offset: 0, value: (state) => state.value, after: (_, value) => ({ value }) },
  { name: 'ID', offset: 4, value: () => 7n },
  { name: 'RING', offset: 8, after: (state) => state },
];

function step(state: State, event: Event): Step<State, Event> {
  if (event.event === 'read') return readRegister(REGISTERS, state, event);
  if (event.event !== 'write') return { state };
  const written = writeRegister(REGISTERS, state, event);
  if (event.offset !== 8n) return written;
  const resume = (found: Event): Step<State, Event> => {
    const bonus = found.event === 'found' ? found.bonus : 0n;
    return { ...written, expect: [{ event: 'rang', now: found.now, times: state.value + bonus }] };
  };
  return { ...written, consumes: { event: 'found', resume } };
}

const checker = deviceChecker<State, Event>({
  name: 'bell',
  region: 'regs',
  trace: traceFormat('bell_', EVENTS),
  effects: ['found', 'rang'],
  registers: REGISTERS,
  initial: { value: 0n },
  step,
  channels: { value: { kind: 'event' } },
});

function verdictOf(...events: readonly string[]) {
  const crosscheck = new Crosscheck(checker, { guest: true, coverage: true });
  for (const [seq, event] of events.entries()) {
    const [name, ...fields] = event.split(' ');
    crosscheck.feed(`bell_${[name, 'id=bell', `seq=${seq}`, 'now=5', ...fields].join(' ')}\n`);
  }
  for (const line of ['# observe value=9', '# caused reads=2 writes=4']) crosscheck.consoleLine(line);
  return crosscheck.end();
}

const WRITE = 'write offset=0x0 value=0x9 size=4';
const RING = ['write offset=0x8 value=0x1 size=4', 'found bonus=0x2'];
const READS = ['read offset=0x0 value=0x9 size=4', 'read offset=0x4 value=0x7 size=4'];

test('a device of registers: what is checked, and everything else is counted as supplied', () => {
  const nothing = 'write offset=0x4 value=0x1 size=4';
  expect(
    verdictOf('reset', WRITE, ...READS, nothing, nothing, ...RING, 'rang times=11', 'end'),
  ).toMatchObject({
    result: 'agree',
    // Two values read; time and number of `rang`.
    checked: 4,
    // The time of reset and end, four writes of four, two reads of three, and the bonus.
    supplied: 2 + 16 + 6 + 1,
    observed: 1,
    counts: { reads: 2, writes: 4 },
    covered: { groups: [{ group: 'accesses', touched: 4, all: 4 }, { group: 'widths' }] },
  });
});

test('a divergence names the register and shows the state', () => {
  expect(verdictOf('reset', WRITE, 'read offset=0x0 value=0x8 size=4').divergence).toMatchObject({
    access: 'read VALUE, 4 bytes',
    register: 'VALUE',
    expected: '9',
    actual: '8',
    states: { before: { value: '9' } },
  });
  expect(verdictOf('reset', WRITE, ...RING, 'rang times=10').divergence).toMatchObject({
    access: 'write RING = 0x1, 4 bytes',
    field: 'rang.times',
    expected: '11',
    actual: '10',
  });
});
