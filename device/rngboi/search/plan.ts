// SPDX-License-Identifier: MIT
/** Plans a script: drives the model with it, and works out what qtest must answer. */
import { type Action, type Exchange, ExchangeBuilder, type Plan } from '../../../lab/search/device-kit.js';
import { RNG0, WORD_SIZE } from '../contract.js';
import { initialState, type ModelState, step, type Stimulus } from '../model.js';
import type { Operation, Script } from './script.js';

/** The platform bus of `virt` places the first device's region here. */
export const REGS = 0xc000000;
/** Version of the device's section in a saved state: version_id in rngboi.c. */
const SAVED_VERSION = 2n;
/** Operations planned between two yields. */
const SLICE = 64;
const SUFFIX = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' } as const;
const NEXT_WORD: Operation = { op: 'read', offset: RNG0, width: WORD_SIZE };

interface PlanOptions {
  /** Virtual time, which does not pass: the device has no clock. */
  readonly base: bigint;
  /** Called after each operation, and with index -1 before the first. */
  readonly each?: ((index: number, state: ModelState) => void) | undefined;
}

export function* planInSlices(script: Script, { base, each }: PlanOptions): Generator<undefined, Plan> {
  const steps: (Exchange | Action)[] = [];
  const exchange = new ExchangeBuilder();
  let commands = 0;
  let state = step(initialState, { stimulus: 'reset', seed: script.seed }).state;
  const apply = (stimulus: Stimulus): bigint => {
    const answer = step(state, stimulus);
    state = answer.state;
    return answer.value ?? 0n;
  };
  const act = (action: Action): void => {
    if (!exchange.empty) steps.push(exchange.take());
    steps.push(action);
  };
  const perform = (one: Operation, operation: number): void => {
    switch (one.op) {
      case 'read': {
        const value = apply({ stimulus: 'read', offset: BigInt(one.offset), size: one.width });
        const answer = `OK 0x${value.toString(16).padStart(16, '0')}`;
        exchange.ask(operation, 'value', `read${SUFFIX[one.width]} ${address(one.offset)}`, answer);
        commands += 1;
        break;
      }
      case 'write': {
        apply({ stimulus: 'write', offset: BigInt(one.offset), size: one.width });
        const command = `write${SUFFIX[one.width]} ${address(one.offset)} 0x${one.value.toString(16)}`;
        exchange.ask(operation, 'answer', command, 'OK');
        commands += 1;
        break;
      }
      case 'reset':
        act({ kind: 'reset', operation });
        apply({ stimulus: 'reset', seed: script.seed });
        break;
      case 'reload':
        act({ kind: 'save', operation });
        act({ kind: 'reload', operation, now: base });
        break;
      case 'corrupt': {
        const { field, value } = one;
        const refused = field === 'version' && value !== SAVED_VERSION;
        act({ kind: 'save', operation });
        const changes = [{ field, value }];
        act({ kind: 'corrupt', operation, now: base, section: 'rngboi', changes, refused });
        if (field === 'state') apply({ stimulus: 'load', state: value });
        break;
      }
      default:
        one satisfies never;
    }
  };
  // A state that was loaded right after the reset would look like the new process's own, one event further.
  perform(NEXT_WORD, -1);
  each?.(-1, state);
  for (const [index, one] of script.operations.entries()) {
    perform(one, index);
    each?.(index, state);
    if (index % SLICE === SLICE - 1) yield;
  }
  // The next script starts from a reset, which is compared too.
  for (const one of [NEXT_WORD, { op: 'reset' } as const, NEXT_WORD]) {
    perform(one, script.operations.length);
    each?.(script.operations.length, state);
  }
  perform({ op: 'reset' }, script.operations.length);
  return { steps, base, end: base, operations: script.operations.length, commands };
}

/** The model's states before the first operation, and after each. */
export function statesOf(script: Script): readonly ModelState[] {
  const states: ModelState[] = [];
  const plan = planInSlices(script, { base: 0n, each: (_, state) => states.push(state) });
  while (plan.next().done !== true);
  return states;
}

const address = (offset: number): string => `0x${(REGS + offset).toString(16)}`;
