// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from './printable.js';

test.each([
  ['a colour', 'a\u001B[1;31mred\u001B[0m', 'ared'],
  ['the title of the window', 'a\u001B]0;title\u0007b', 'ab'],
  ['a link', '\u001B]8;;http://x\u001B\\text\u001B]8;;\u001B\\', 'text'],
  ['the clipboard', 'a\u001B]52;c;cm0gLXJm\u0007b', 'ab'],
  ['a device control string', 'a\u001BP$q"p\u001B\\b', 'ab'],
  ['the same in 8 bits', 'a\u009B2Jb\u009D0;title\u009Cc', 'abc'],
  ['another character set, a reset', 'a\u001B(0b\u001Bcc', 'abc'],
  ['one inside another', '\u001B\u001B[0m[31mred', '[31mred'],
  ['one without an end', 'a\u001B]0;title', 'a0;title'],
  ['cursor, bell and line ends', 'a\rb\bc\u0007d\ne\u007F\u0000f', 'abcdef'],
  ['text that would be shown in another order', 'if \u202E)x\u2066(\u2069 \u202A\u202C', 'if )x( '],
])('%s is taken out', (_, text, clean) => {
  expect(printable(text)).toBe(clean);
});

test('everything else stays', () => {
  const text = '\tÄÖÜ ß – “quoted” 日本語 עברית عربي \u200F👩\u200D🔧 e\u0301 U+FFFD \uFFFD ~[31m]';
  expect(printable(text)).toBe(text);
});

test('nothing that a terminal obeys comes through, however it is put together', () => {
  const pieces = fc.constantFrom(
    '\u001B',
    '[',
    ']',
    '0',
    ';',
    'm',
    '\u009B',
    '\u009D',
    '\u0007',
    '\\',
    '\u202E',
    'P',
    ' ',
    'x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      expect(printable(parts.join(''))).toMatch(/^[^\p{Cc}\u202A-\u202E\u2066-\u2069]*$/u);
    }),
  );
});

test.each(['\u001B', '\u001B]', '\u001B[', '\u009D', '\u009B0', '\u001B[0', '\u001B] ', '\u0090\u001B'])(
  'a megabyte of %j takes no longer than a megabyte of text',
  (piece) => {
    // Quadratic work would take minutes, and end the test.
    expect(printable(piece.repeat(2 ** 20 / piece.length))).not.toContain('\u001B');
    expect(printable(piece + 'x;'.repeat(2 ** 19))).toContain('x;');
  },
);
