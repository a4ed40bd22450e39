// SPDX-License-Identifier: MIT
/** An adder device and its model, for tests. */
import type { DeviceChecker } from './index.js';

/** Each write adds to the sum; each read returns it. */
export interface AdderEvent {
  readonly event: 'on' | 'write' | 'read' | 'sum' | 'off';
  readonly id: string;
  readonly seq: bigint;
  readonly now: bigint;
  readonly value: bigint;
}
const LINE = /^adder_(on|write|read|sum|off) id=(\S+) seq=(\d+) now=(\d+) value=(\d+)$/;
const isEvent = (name: string | undefined): name is AdderEvent['event'] =>
  ['on', 'write', 'read', 'sum', 'off'].includes(name ?? '');

export const adder: DeviceChecker<bigint, AdderEvent> = {
  name: 'adder',
  prefix: 'adder_',
  region: 'bank',
  initial: 0n,
  parse(line) {
    const [, event, id = '', seq = '0', now = '0', value = '0'] = LINE.exec(line) ?? [];
    return isEvent(event)
      ? { event, id, seq: BigInt(seq), now: BigInt(now), value: BigInt(value) }
      : undefined;
  },
  role: ({ event }) => (event === 'off' ? 'end' : event === 'sum' ? 'effect' : 'stimulus'),
  begins: ({ event }) => event === 'on',
  // Treat `on` as a load of the sum.
  jumps: ({ event }) => event === 'on',
  step(state, { event, now, value }) {
    const step = { checks: [], supplied: 1, expect: [], tally: [event], observables: [] };
    if (event === 'read') {
      const check = { field: 'read.value', expected: String(state), actual: String(value) };
      return { ...step, state, checks: [check], observables: [{ channel: 'sum', value: String(state) }] };
    }
    if (event !== 'write') return { ...step, state };
    return { ...step, state: state + value, expect: [{ event: 'sum', now, value: state + value }] };
  },
  words: ({ event, value }) => ({ access: `${event} ${value}` }),
  describe: (state) => ({ sum: String(state) }),
  reported: ({ event, value }) => (event === 'sum' ? { sum: String(value) } : undefined),
  access: ({ event, value }) =>
    event === 'read' || event === 'write' ? { direction: event, offset: 4n, value, size: 4 } : undefined,
  interrupt: () => undefined,
  resets: () => false,
  channels: { sum: { kind: 'event', normalise: (printed) => printed } },
};

/** QEMU's own trace line for an access to the adder at this address. */
export const ops = (direction: string, value: number, id = 'adder', address = '0x9040004'): string =>
  `memory_region_ops_${direction} cpu 1 mr 0xabc addr ${address} value 0x${value.toString(16)} size 4 name '${id}-bank'`;
