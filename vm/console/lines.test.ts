// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './lines.js';

function split(
  chunks: readonly (string | Uint8Array)[],
  maxBytes?: number,
): { lines: string[]; partial: string } {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), maxBytes);
  for (const chunk of chunks) splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  const { partial } = splitter;
  splitter.end();
  return { lines, partial };
}

describe('LineSplitter', () => {
  it('takes LF, CR LF and CR as line ends, however the chunks fall', () => {
    expect(split(['a\nb\r', '\nc\rd\r\n', '\r\ne']).lines).toEqual(['a', 'b', 'c', 'd', '', 'e']);
  });

  it('does not give a line for an empty rest', () => {
    expect(split(['a\n']).lines).toEqual(['a']);
    expect(split([]).lines).toEqual([]);
  });

  it('shows the unfinished line', () => {
    expect(split(['boot\r\n', '/ # ']).partial).toBe('/ # ');
  });

  it('decodes a character that is cut in two, and replaces invalid bytes', () => {
    expect(split([Buffer.from([0xe2, 0x82]), Buffer.from([0xac, 0x0a, 0xff, 0x0a])]).lines).toEqual([
      '€',
      '\ufffd',
    ]);
  });

  it('drops the rest of a line that is too long, and goes on after it', () => {
    expect(split([`${'x'.repeat(10)}ok 1\nnext\n`], 10).lines).toEqual(['xxxxxxxxxx', 'next']);
  });

  it('gives the same lines for every way to cut the bytes', () => {
    const text = fc.array(fc.constantFrom('a', 'é', '\n', '\r', '\r\n', ' '), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(80)), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(split(chunks).lines).toEqual(split([bytes]).lines);
      }),
    );
  });
});
