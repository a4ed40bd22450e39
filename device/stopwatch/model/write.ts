// SPDX-License-Identifier: MIT
/** What a write to `regs` does: the contract's two decision tables, carried out. */
import {
  COMMAND,
  COMMAND_TABLE,
  type CommandName,
  type ErrorName,
  NS_PER_HUNDREDTH,
  NS_PER_S,
  type StatusName,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
  TIMEOUT_TABLE,
  type TimeoutOutcome,
} from '../contract/contract.js';
import { decode } from './access.js';
import { namesByCode } from '../contract/names.js';
import { appendLap, takeRequests } from './requests.js';
import { elapsedAt, type ModelState, stopwatchText } from './state.js';
import type { Effect, WriteStimulus } from './types.js';

/** What a write leads to, the reporting of errors and state aside. */
export interface Written {
  readonly state: ModelState;
  readonly effects: readonly Effect[];
  readonly error?: ErrorName;
  /** The device writes the live page. */
  readonly moves?: true;
}

const COMMAND_NAMES = namesByCode(COMMAND);

/** The command with this number, or undefined: BAD_COMMAND. */
export function commandName(value: bigint): CommandName | undefined {
  return COMMAND_NAMES.get(value);
}

/** Whether the device will read `data_len` in the course of this write. */
export function consumesMem(
  state: ModelState,
  access: Pick<WriteStimulus, 'offset' | 'value' | 'size'>,
): boolean {
  const target = decode('write', access.offset, access.size);
  if (target?.name !== 'COMMAND') return false;
  const name = commandName(access.value & target.mask);
  if (name === undefined) return false;
  const outcome = COMMAND_TABLE[name][state.status];
  return 'does' in outcome && outcome.does === 'timeout' && 'does' in TIMEOUT_TABLE.arm[state.timeout];
}

/** Whether the device will read the request ring in the course of this write. */
export function ringsDoorbell({ offset, size }: Pick<WriteStimulus, 'offset' | 'size'>): boolean {
  return decode('write', offset, size)?.name === 'DOORBELL';
}

/** Carries out a write whose deadline has been looked at already. */
export function write(state: ModelState, stimulus: WriteStimulus): Written {
  const target = decode('write', stimulus.offset, stimulus.size);
  if (target === undefined) return { state, effects: [], error: 'BAD_ACCESS' };
  const value = stimulus.value & target.mask;
  if (target.name === 'COMMAND') return command(state, stimulus, value);
  if (target.name === 'ERROR') return { state: { ...state, error: state.error & ~value }, effects: [] };
  if (target.name === 'TIMEOUT_NS') {
    const operation = value === 0n ? 'cancel' : 'arm';
    return timeout(state, TIMEOUT_TABLE[operation][state.timeout], () => ({
      deadline: value <= TIMEOUT_MAX_NS ? stimulus.now + value : undefined,
      effects: [],
    }));
  }
  if (target.name === 'DOORBELL') {
    if (stimulus.requests === undefined) throw new TypeError('A write to DOORBELL needs its requests');
    return takeRequests(state, stimulus.now, stimulus.requests);
  }
  throw new Error(
    `The contract makes ${target.name} writable, and the model does not know what a write does`,
  );
}

function command(state: ModelState, stimulus: WriteStimulus, value: bigint): Written {
  const name = commandName(value);
  if (name === undefined) return { state, effects: [], error: 'BAD_COMMAND' };
  const outcome = COMMAND_TABLE[name][state.status];
  if ('error' in outcome) return { state, effects: [], error: outcome.error };
  if ('to' in outcome) {
    const entered = enter(state, outcome.to, stimulus.now, outcome.elapsed === 'zero');
    return { state: entered, effects: [], moves: true };
  }
  switch (outcome.does) {
    case 'nothing':
      return { state, effects: [] };
    case 'text': {
      const text = stopwatchText(elapsedAt(state, stimulus.now), NS_PER_HUNDREDTH);
      return { state, effects: [{ effect: 'text', dataLen: BigInt(text.length + 1), text }] };
    }
    case 'timeout':
      return timeout(state, TIMEOUT_TABLE.arm[state.timeout], () => {
        const seconds = stimulus.dataLen;
        if (seconds === undefined) throw new TypeError('A write that consumes mem needs its dataLen');
        return {
          deadline: seconds >= 1n && seconds <= TIMEOUT_MAX_S ? stimulus.now + seconds * NS_PER_S : undefined,
          effects: [{ effect: 'mem', dataLen: seconds }],
        };
      });
    case 'timeout-ack':
      return timeout(state, TIMEOUT_TABLE.acknowledge[state.timeout]);
    case 'lap': {
      const { state: after, effect } = appendLap(state, elapsedAt(state, stimulus.now));
      return { state: after, effects: [effect] };
    }
    default:
      return outcome.does satisfies never;
  }
}

/** The state after a change of STATUS at `now`. */
export function enter(state: ModelState, to: StatusName, now: bigint, zero: boolean): ModelState {
  return {
    ...state,
    status: to,
    elapsed: zero ? 0n : elapsedAt(state, now),
    since: to === 'RUNNING' ? now : 0n,
  };
}

/** `length` is asked only when the table says `arm`: BUSY is decided before a value is looked at. */
function timeout(
  state: ModelState,
  outcome: TimeoutOutcome,
  length?: () => { readonly deadline: bigint | undefined; readonly effects: readonly Effect[] },
): Written {
  if ('error' in outcome) return { state, effects: [], error: outcome.error };
  switch (outcome.does) {
    case 'nothing':
      return { state, effects: [] };
    case 'cancel':
      return { state: { ...state, timeout: 'IDLE', deadline: 0n }, effects: [] };
    case 'acknowledge':
      return { state: { ...state, timeout: 'IDLE' }, effects: [{ effect: 'irq', level: false }] };
    case 'arm': {
      if (length === undefined)
        throw new Error('The contract arms a timeout here, and nothing says for how long');
      const { deadline, effects } = length();
      if (deadline === undefined) return { state, effects, error: 'BAD_TIMEOUT' };
      return { state: { ...state, timeout: 'PENDING', deadline }, effects };
    }
    default:
      return outcome.does satisfies never;
  }
}
