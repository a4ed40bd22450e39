// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { nextWord } from '../contract.js';
import { statesOf } from './plan.js';
import { rngboiSearch } from './search.js';
import type { Script } from './script.js';

const search = rngboiSearch;

const answer = (state: bigint): string => `OK 0x${nextWord(state).word.toString(16).padStart(16, '0')}\n`;

const fileOf = (seed: string, offset: number): string =>
  JSON.stringify({ device: 'rngboi', format: 1, seed, operations: [{ op: 'read', offset, width: 4 }] });

describe('a script', () => {
  it('is the same every time, and can be saved and read again', () => {
    for (const eventful of [false, true]) {
      const script = search.sample(1, 5, eventful);
      expect(search.sample(1, 5, eventful)).toEqual(script);
      expect(search.parseScript(search.formatScript(script, ['why']))).toEqual(script);
    }
  });

  it('cannot leave the region, nor have no seed', () => {
    expect(search.parseScript(fileOf('0x1', 0xffc)).operations).toHaveLength(1);
    expect(() => search.parseScript(fileOf('0x1', 0xffd))).toThrow('within the region');
    expect(() => search.parseScript(fileOf('0x0', 0))).toThrow('seed');
  });
});

describe('a plan', () => {
  const script: Script = {
    seed: 9n,
    operations: [
      { op: 'read', offset: 0, width: 4 },
      { op: 'read', offset: 0, width: 8 },
      { op: 'corrupt', field: 'state', value: 4n },
      { op: 'read', offset: 0, width: 4 },
    ],
  };
  it('knows every answer', () => {
    const planned = search.plan(script, 0n);
    let step = planned.next();
    while (step.done !== true) step = planned.next();
    const { steps } = step.value;
    expect(steps.map(({ kind }) => kind)).toEqual([
      'exchange',
      'save',
      'corrupt',
      'exchange',
      'reset',
      'exchange',
      'reset',
    ]);
    const answers = steps.flatMap((one) => (one.kind === 'exchange' ? [one.expect] : []));
    const first = nextWord(9n).state;
    const after = nextWord(4n).state;
    expect(answers).toEqual([
      `${answer(9n)}${answer(first)}OK 0x0000000000000000\n`,
      `${answer(4n)}${answer(after)}`,
      answer(9n),
    ]);
  });

  it('can say what the model was in', () => {
    const first = nextWord(9n).state;
    expect(statesOf(script).map(({ state }) => state)).toEqual([
      first,
      nextWord(first).state,
      nextWord(first).state,
      4n,
      nextWord(4n).state,
      nextWord(nextWord(4n).state).state,
      9n,
      nextWord(9n).state,
    ]);
    const failed = {
      result: 'differs',
      operation: 0,
      part: 'value',
      expected: 'OK 0x1',
      actual: 'OK 0x2',
    } as const;
    expect(search.describeFailure(script, failed, []).states.before['state']).toBe(`0x${first.toString(16)}`);
  });
});
