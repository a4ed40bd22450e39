// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeScript } from './generate.js';

const everyday = Array.from({ length: 30 }, (_, index) => makeScript(1, index, false));
const eventful = Array.from({ length: 300 }, (_, index) => makeScript(1, index, true));

describe('a script of a campaign', () => {
  it('is the same every time, and another one for another seed or number', () => {
    expect(makeScript(1, 5, false)).toEqual(everyday[5]);
    const others = [makeScript(2, 5, false), makeScript(1, 6, false)];
    for (const other of others)
      expect(other.operations.slice(0, 9)).not.toEqual(everyday[5]?.operations.slice(0, 9));
  });

  it('has everything in it that there is to do', () => {
    const kinds = (scripts: typeof everyday) =>
      [...new Set(scripts.flatMap(({ operations }) => operations.map(({ op }) => op)))].sort();
    const all = ['cont', 'fill', 'mem', 'peek', 'read', 'request', 'reset', 'stop', 'tick', 'write'];
    expect(kinds(everyday)).toEqual(all);
    expect(kinds(eventful)).toEqual([...all, 'corrupt', 'reload', 'save'].sort());
    expect(new Set(eventful.map(({ startAtBoot }) => startAtBoot)).size).toBe(2);
  });
});
