// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBulk, encodeCommand, type Reply, RespReader } from './resp.js';

/** Feeds bytes in pieces of the given sizes, over and over. */
function readIn(bytes: Buffer, sizes: readonly number[]): Reply[] {
  const reader = new RespReader();
  const replies: Reply[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    replies.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return replies;
}

const bulk = (bytes: Buffer): Reply => ({ kind: 'bulk', bytes });
const word = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });

describe('RespReader', () => {
  it('gives back the commands that were written, whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        sizes,
        (commands, pieces) => {
          const replies = readIn(Buffer.concat(commands.map(encodeCommand)), pieces);
          expect(replies).toEqual(commands.map((words) => ({ kind: 'array', items: words.map(bulk) })));
        },
      ),
    );
  });

  it('understands every kind of answer', () => {
    const bytes = Buffer.from('+OK\r\n-ERR no\r\n:12\r\n$-1\r\n$2\r\n\r\n\r\n*2\r\n:1\r\n$1\r\na\r\n*0\r\n');
    const expected = [
      { kind: 'simple', text: 'OK' },
      { kind: 'error', text: 'ERR no' },
      { kind: 'integer', value: 12 },
      { kind: 'bulk', bytes: null },
      bulk(Buffer.from('\r\n')),
      { kind: 'array', items: [{ kind: 'integer', value: 1 }, bulk(Buffer.from('a'))] },
      { kind: 'array', items: [] },
    ];
    expect(readIn(bytes, [bytes.length])).toEqual(expected);
    expect(readIn(bytes, [1])).toEqual(expected);
    expect(readIn(encodeBulk(undefined), [2])).toEqual([{ kind: 'bulk', bytes: null }]);
  });

  it.each([
    'HTTP/1.1 400 Bad Request\r\n',
    '$-2\r\n',
    '$1e9\r\n',
    '*\r\n',
    '$99999999999\r\n',
    'x'.repeat(70_000),
  ])('refuses what is not RESP: %.20s', (text) => {
    expect(() => new RespReader().push(Buffer.from(text))).toThrow(/^expected/);
  });
});
