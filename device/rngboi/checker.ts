// SPDX-License-Identifier: MIT
/** rngboi's half of the cross-check: its trace events as stimuli for the model. */
import {
  type Check,
  type DeviceChecker,
  deviceChecker,
  type Expected,
  type Step,
} from '../../vm/device-kit.js';
import { RNG0, WORD_SIZE } from './contract.js';
import { initialState, type ModelState, step } from './model.js';
import { TRACE, type TraceEvent } from './trace.js';

export interface RngboiCheckerOptions {
  /** The device's property. If given, it is checked instead of taken from the trace. */
  readonly seed?: bigint | undefined;
}

type AccessEvent = Extract<TraceEvent, { event: 'read' | 'write' }>;
type RngboiStep = Step<ModelState, TraceEvent>;

export function rngboiChecker({ seed }: RngboiCheckerOptions): DeviceChecker<ModelState, TraceEvent> {
  return deviceChecker({
    name: 'rngboi',
    trace: TRACE,
    effects: ['refused'],
    region: 'regs',
    initial: initialState,
    step: (state, event) => check(state, event, seed),
    describe: ({ seed: from, state }) => ({ seed: hex(from), state: hex(state) }),
    registers: [{ name: 'RNG0', offset: RNG0, read: [WORD_SIZE], write: [] }],
    refused: ({ event }) => (event === 'refused' ? 'not an aligned 4-byte read of RNG0' : undefined),
    channels: {
      // The kernel reads words too, so user space gets some of them, in order.
      word: {
        kind: 'event',
        normalise: (printed) => (/^0x[0-9a-f]{8}$/.test(printed) ? printed : undefined),
      },
    },
  });
}

function check(state: ModelState, event: TraceEvent, seed: bigint | undefined): RngboiStep {
  switch (event.event) {
    case 'reset': {
      const after = step(state, { stimulus: 'reset', seed: seed ?? event.seed }).state;
      const checks = seed === undefined ? [] : [compare('reset.seed', seed, event.seed)];
      return { state: after, checks, tally: ['resets'] };
    }
    case 'read':
    case 'write':
      return access(state, event);
    case 'load': {
      const loaded = step(state, { stimulus: 'load', state: event.state });
      const next = { state: loaded.state, tally: ['loads'] };
      if (loaded.impossible === undefined) return next;
      const actual = hex(event.state);
      return {
        ...next,
        failure: { kind: 'impossible', field: 'load.state', expected: loaded.impossible, actual },
      };
    }
    case 'end':
      return { state };
    case 'refused':
    default:
      throw new Error(`A ${event.event} event is an effect, not a stimulus`);
  }
}

function access(state: ModelState, event: AccessEvent): RngboiStep {
  const { now, offset, size, value } = event;
  const answer = step(state, { stimulus: event.event, offset, size });
  const expect: Expected<TraceEvent>[] = answer.refused === true ? [{ event: 'refused', now }] : [];
  const checks = answer.value === undefined ? [] : [compare('read.value', answer.value, value)];
  const isWord = event.event === 'read' && answer.refused !== true;
  return {
    state: answer.state,
    expect,
    checks,
    tally: [answer.refused === true ? 'refused' : 'reads'],
    observables: isWord ? [{ channel: 'word', value: word(value) }] : [],
  };
}

function compare(field: string, expected: bigint, actual: bigint): Check {
  return { field, expected: hex(expected), actual: hex(actual) };
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const word = (value: bigint): string => `0x${value.toString(16).padStart(8, '0')}`;
