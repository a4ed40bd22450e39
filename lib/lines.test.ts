// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineSplitter } from './lines.js';

function split(chunks: readonly Buffer[], longest?: number): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line), longest);
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test('gives the same lines however the bytes are cut', () => {
  const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/g, '_'));
  fc.assert(
    fc.property(fc.array(line), fc.boolean(), fc.array(fc.nat(40)), (lines, newline, cuts) => {
      const bytes = Buffer.from(lines.join('\n') + (newline && lines.length > 0 ? '\n' : ''));
      const chunks: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) {
        chunks.push(bytes.subarray(at, at + cut));
        at += cut;
      }
      chunks.push(bytes.subarray(at));
      // An unfinished last line that is empty is no line.
      const expected = !newline && lines.at(-1) === '' ? lines.slice(0, -1) : lines;
      expect(split(chunks)).toEqual(expected);
    }),
  );
});

test('takes a carriage return before the newline away', () => {
  expect(split([Buffer.from('a\r'), Buffer.from('\nb\rc\n')])).toEqual(['a', 'b\rc']);
});

test('gives a line without end in pieces', () => {
  expect(split([Buffer.from('x'.repeat(25))], 10)).toEqual(['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]);
});
