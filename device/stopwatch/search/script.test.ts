// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeScript } from './generate.js';
import { formatScript, parseScript } from './script.js';

const file = (operations: unknown, more: object = {}): string =>
  JSON.stringify({ device: 'stopwatch', format: 1, startAtBoot: true, operations, ...more });

describe('a script as a file', () => {
  it('is the same script again', () => {
    for (let index = 0; index < 60; index++) {
      const script = makeScript(3, index, index % 3 !== 0);
      expect(parseScript(formatScript(script, ['why']))).toEqual(script);
    }
  });

  it.each([
    ['no device', '{}', 'device: expected "stopwatch", got nothing'],
    ['another device', file([], { device: 'clock' }), 'device: expected "stopwatch", got "clock"'],
    ['a later format', file([], { format: 2 }), 'format: expected 1, got 2'],
    ['no property', file([], { startAtBoot: 1 }), 'startAtBoot: expected boolean, got 1'],
    ['no list', file({}), 'operations: expected array, got {}'],
    [
      'an unknown operation',
      file([{ at: 0, op: 'jump' }]),
      /^operations\[0\]\.op: expected 'read' \| 'write' .*, got "jump"$/,
    ],
    ['no time', file([{ op: 'tick' }]), 'operations[0].at: expected number, got nothing'],
    [
      'time that goes back',
      file([
        { at: 5, op: 'tick' },
        { at: 4, op: 'tick' },
      ]),
      'operations[1].at: expected 5 or more',
    ],
    [
      'a width that no access has',
      file([{ at: 0, op: 'read', region: 'regs', offset: 0, width: 3 }]),
      'operations[0].width: expected one of 1|2|4|8, got 3',
    ],
    [
      'an access to another device',
      file([{ at: 0, op: 'read', region: 'regs', offset: -65, width: 8 }]),
      'operations[0].offset: expected an integer from -64',
    ],
    [
      'a value that is no string',
      file([{ at: 0, op: 'write', region: 'regs', offset: 0, width: 8, value: 5 }]),
      'operations[0].value: expected a string such as "0x5", got 5',
    ],
  ])('is refused with %s', (_, refused, message) => {
    expect(() => parseScript(refused)).toThrow(SyntaxError);
    expect(() => parseScript(refused)).toThrow(message);
  });
});

const text = (seed: number, index: number): string => formatScript(makeScript(seed, index, false));

describe('a campaign', () => {
  it('has the same scripts every time, and others with another seed or number', () => {
    expect(text(7, 3)).toBe(text(7, 3));
    expect(new Set([text(7, 3), text(7, 4), text(8, 3), text(3, 7)]).size).toBe(4);
  });
});
