// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { KeyFilter } from './keys.js';

/** Types each text in a chunk of its own. */
function type(...chunks: string[]): { sent: string; actions: (string | undefined)[] } {
  const filter = new KeyFilter();
  const results = chunks.map((chunk) => filter.push(Buffer.from(chunk)));
  return {
    sent: Buffer.concat(results.map(({ send }) => send)).toString(),
    actions: results.map(({ action }) => action),
  };
}

describe('KeyFilter', () => {
  it.each<[string, string[], string, (string | undefined)[]]>([
    ['passes everything on, Ctrl-C and Ctrl-Z too', ['ls\r\u0003\u001a'], 'ls\r\u0003\u001a', [undefined]],
    ['quits, and drops what comes after', ['a\u0001xrm'], 'a', ['quit']],
    ['knows the escape across chunks', ['\u0001', 'X'], '', [undefined, 'quit']],
    ['helps, and goes on', ['\u0001hls'], 'ls', ['help']],
    ['sends Ctrl-A when it is doubled', ['\u0001\u0001', '\u0001a'], '\u0001\u0001', [undefined, undefined]],
    ['ignores other keys after Ctrl-A', ['\u0001zx'], 'x', [undefined]],
    ['keeps bytes that are no text', ['é€'], 'é€', [undefined]],
  ])('%s', (_name, chunks, sent, actions) => {
    expect(type(...chunks)).toEqual({ sent, actions });
  });
});
