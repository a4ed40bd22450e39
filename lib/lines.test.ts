// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LineOptions, LineSplitter } from './lines.js';

function split(
  chunks: readonly (string | Uint8Array)[],
  options?: LineOptions,
): { lines: string[]; partial: string } {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), options);
  for (const chunk of chunks) splitter.push(chunk);
  const { partial } = splitter;
  splitter.end();
  return { lines, partial };
}

/** The bytes in chunks of these lengths. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const at = [0, ...lengths.map((length) => Math.min(length, bytes.length)), bytes.length];
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

const cuts = fc.array(fc.nat(80));

describe('LineSplitter', () => {
  it('gives the lines that were joined, however the bytes are cut', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/g, '_'));
    fc.assert(
      fc.property(fc.array(line), fc.boolean(), cuts, (lines, newline, at) => {
        const bytes = Buffer.from(lines.join('\n') + (newline && lines.length > 0 ? '\n' : ''));
        // An unfinished last line that is empty is no line.
        const expected = !newline && lines.at(-1) === '' ? lines.slice(0, -1) : lines;
        expect(split(cut(bytes, at)).lines).toEqual(expected);
      }),
    );
  });

  it('with carriage returns as line ends, gives the same lines however the bytes are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'é', '\n', '\r', '\r\n', ' '), { maxLength: 40 });
    fc.assert(
      fc.property(text, cuts, (pieces, at) => {
        const bytes = Buffer.from(pieces.join(''));
        const expected = pieces.join('').split(/\r\n|\r|\n/);
        if (expected.at(-1) === '') expected.pop();
        expect(split(cut(bytes, at), { carriageReturns: true }).lines).toEqual(expected);
      }),
    );
  });

  it('takes a carriage return before the newline away', () => {
    expect(split(['a\r', '\nb\rc\n']).lines).toEqual(['a', 'b\rc']);
  });

  it('takes LF, CR LF and CR as line ends if asked to', () => {
    const { lines } = split(['a\nb\r', '\nc\rd\r\n', '\r\ne'], { carriageReturns: true });
    expect(lines).toEqual(['a', 'b', 'c', 'd', '', 'e']);
  });

  it('does not give a line for an empty rest', () => {
    expect(split(['a\n']).lines).toEqual(['a']);
    expect(split([]).lines).toEqual([]);
  });

  it('shows the unfinished line', () => {
    expect(split(['boot\r\n', '/ # ']).partial).toBe('/ # ');
  });

  it('gives the unfinished line as such, with a character that was cut off', () => {
    const splitter = new LineSplitter(() => {});
    splitter.push(Buffer.from([0x0a, 0x61, 0xe2, 0x82]));
    expect(splitter.takeRest()).toBe('a\ufffd');
    expect(splitter.takeRest()).toBe('');
  });

  it('decodes a character that is cut in two, and replaces invalid bytes', () => {
    expect(split([Buffer.from([0xe2, 0x82]), Buffer.from([0xac, 0x0a, 0xff, 0x0a])]).lines).toEqual([
      '€',
      '\ufffd',
    ]);
  });

  it.each([[[`${'x'.repeat(10)}ok 1\nnext\n`]], [['x'.repeat(10), 'ok', ' 1\n', 'next\n']]])(
    'drops the end of a line that is too long, and goes on after it',
    (chunks) => {
      expect(split(chunks, { longest: 10 }).lines).toEqual(['xxxxxxxxxx', 'next']);
    },
  );

  it.each([[['x'.repeat(25)]], [['x'.repeat(25), '\n']], [[`${'x'.repeat(25)}\n`]]])(
    'splits a line that is too long if asked to',
    (chunks) => {
      const pieces = ['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)];
      expect(split(chunks, { longest: 10, excess: 'split' }).lines).toEqual(pieces);
    },
  );
});

// Searching for the other line end after each line would take minutes, and end the test.
it.each(['\n', '\r', '\r\n', 'x\n'])('a chunk of a megabyte of %j takes no longer than text', (piece) => {
  let lines = 0;
  const splitter = new LineSplitter(() => lines++, { carriageReturns: true });
  splitter.push(piece.repeat(2 ** 20));
  splitter.end();
  expect(lines).toBe(2 ** 20);
});
