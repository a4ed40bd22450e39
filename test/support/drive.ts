// SPDX-License-Identifier: MIT
/** For tests: brings the model somewhere by stimuli alone, never by making up a state. */
import {
  COMMAND,
  offsetOf as offsetIn,
  registerAt,
  type RegisterName,
  type StatusName,
  type TimeoutStateName,
} from '../../device/stopwatch/contract/contract.js';
import { initialState, type ModelState } from '../../device/stopwatch/model/state.js';
import { step } from '../../device/stopwatch/model/step.js';
import type { Effect, Stimulus, WriteStimulus } from '../../device/stopwatch/model/types.js';

/** Offset of a register, as a stimulus has it. */
export function offsetOf(name: RegisterName): bigint {
  const offset = offsetIn(name);
  if (registerAt(offset)?.name !== name) throw new Error(`No register ${name}`);
  return BigInt(offset);
}

/** A step that must be possible. */
export function must(
  state: ModelState,
  stimulus: Stimulus,
): { state: ModelState; effects: readonly Effect[] } {
  const result = step(state, stimulus);
  if (!result.ok) throw new Error(`${result.failure}: expected ${result.expected}, got ${result.actual}`);
  return result;
}

export function command(now: bigint, value: bigint, dataLen?: bigint): Stimulus {
  const write = { stimulus: 'write', now, offset: offsetOf('COMMAND'), value, size: 8 } as const;
  return dataLen === undefined ? write : { ...write, dataLen };
}

export function writeTo(name: RegisterName, now: bigint, value: bigint, size = 8): WriteStimulus {
  return { stimulus: 'write', now, offset: offsetOf(name), value, size };
}

/** The value that a register reads as. */
export function valueAt(state: ModelState, name: RegisterName, now: bigint, size = 8): bigint {
  const { effects } = must(state, { stimulus: 'read', now, offset: offsetOf(name), size });
  const [first] = effects;
  if (first?.effect !== 'value')
    throw new Error(`No value: ${JSON.stringify(effects.map(({ effect }) => effect))}`);
  return first.value;
}

/** Virtual time at which `reach` has arrived. */
export const ARRIVED = 1_000_000_000n;
/** When a timeout that `reach` left pending expires. */
export const PENDING_UNTIL = ARRIVED + 500n;
/** ELAPSED_NS at ARRIVED in every status but RESET. */
export const ELAPSED_THEN = 300n;

/** Any status with any state of the timeout, at ARRIVED. */
export function reach(status: StatusName, timeout: TimeoutStateName): ModelState {
  const stimuli: Stimulus[] = [
    { stimulus: 'reset', now: 0n, startAtBoot: false, writes: true, frequency: 62_500_000n },
  ];
  if (timeout === 'PENDING') stimuli.push(writeTo('TIMEOUT_NS', 0n, PENDING_UNTIL));
  if (timeout === 'FIRED') {
    stimuli.push(writeTo('TIMEOUT_NS', 0n, 10n), { stimulus: 'timer', now: 10n });
  }
  if (status !== 'RESET') stimuli.push(command(ARRIVED - ELAPSED_THEN, COMMAND.START));
  if (status === 'PAUSED') stimuli.push(command(ARRIVED, COMMAND.PAUSE));
  return stimuli.reduce((state, stimulus) => must(state, stimulus).state, initialState);
}
