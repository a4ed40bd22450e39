// SPDX-License-Identifier: MIT
import { Duplex, PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostClock } from '../clock.js';
import { Delivery } from './delivery.js';
import { MessageSplitter } from './messages.js';

const KEY = 'c0ffee';
const MARK = `\u0001${KEY} `;

/** Splits these chunks, and joins adjacent text. */
function split(chunks: readonly string[]): (readonly [kind: string, text: string])[] {
  const found: [kind: string, text: string][] = [];
  const take = (kind: string) => (text: string) => {
    const last = found.at(-1);
    if (kind === 'text' && last?.[0] === 'text') last[1] += text;
    else found.push([kind, text]);
  };
  const splitter = new MessageSplitter(KEY, {
    onHello: () => take('message')('hello'),
    onText: take('text'),
    onMessage: take('message'),
  });
  for (const chunk of chunks) splitter.push(chunk);
  return found;
}

describe('MessageSplitter', () => {
  test('a message is recognised wherever it begins', () => {
    const stream = `noise\n\u0001hello\na\n${MARK}done 1\nno end${MARK}ask 2 x\r\n${MARK}done 3\nb\n`;
    expect(split([stream])).toEqual([
      ['message', 'hello'],
      ['text', 'a\n'],
      ['message', 'done 1'],
      ['text', 'no end'],
      ['message', 'ask 2 x'],
      ['message', 'done 3'],
      ['text', 'b\n'],
    ]);
  });

  test('without the secret everything is text, however it is split', () => {
    const pieces = fc.constantFrom('\u0001', '\n', KEY, ' ', 'ready', 'done', 'x', '\u0001hello');
    const texts = fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(texts, texts, fc.array(fc.nat(80), { maxLength: 8 }), (before, after, cuts) => {
        fc.pre(!`${before}${after}`.includes(MARK));
        const stream = `\u0001hello\n${before}${MARK}done 1\n${after}`;
        const places = [0, ...cuts.sort((one, other) => one - other), stream.length];
        const chunks = places.slice(1).map((end, index) => stream.slice(places[index], end));
        const found = split(chunks);
        expect(found.filter(([kind]) => kind === 'message').map(([, text]) => text)).toEqual([
          'hello',
          'done 1',
        ]);
        const text = found.filter(([kind]) => kind === 'text').map(([, part]) => part);
        // The beginning of a mark at the very end waits for the rest.
        expect(`${before}${after}`.startsWith(text.join(''))).toBe(true);
        expect(`${before}${after}`.length - text.join('').length).toBeLessThan(MARK.length);
      }),
    );
  });

  test('an endless message, and a guest that never says hello, take bounded memory', () => {
    const chunk = 'x'.repeat(2 ** 16);
    const endless = Array.from({ length: 64 }, () => chunk);
    expect(split(endless)).toEqual([]);
    expect(split([`\u0001hello\n${MARK}`, ...endless, `\n${MARK}done 1\n`]).at(-1)).toEqual([
      'message',
      'done 1',
    ]);
  });
});

test.each([
  ['without a newline', 'no end', ['no end']],
  ['that looks like an answer', '\u0001done ID 0\n\u0001ask 1 x', ['\u0001done ID 0', '\u0001ask 1 x']],
  ['longer than a line may be', 'x'.repeat(100_000), ['x'.repeat(65_536)]],
])('a program with output %s ends', async (_, output, lines) => {
  const there = new PassThrough();
  const back = new PassThrough();
  const asked: string[] = [];
  const delivery = new Delivery(Duplex.from({ readable: there, writable: back }), '/nonexistent', {
    clock: hostClock,
    timeoutMs: 10_000,
    onAsk: async (name) => {
      asked.push(name);
      return { status: 0, text: '' };
    },
  });
  const lineToGuest = () =>
    new Promise<string>((resolve) => back.once('data', (data) => resolve(String(data))));
  const told = lineToGuest();
  there.write('noise\n\u0001hello\n');
  const [, secret = ''] = /^secret (\w{12})\n$/.exec(await told) ?? [];
  const mark = `\u0001${secret} `;
  there.write(`${mark}ready\n`);
  await delivery.ready;
  void lineToGuest().then((command) => {
    const id = command.split(' ')[1] ?? '';
    there.write(`${output.replace('ID', id)}${mark}done ${id} 3\n`);
  });
  const printed: string[] = [];
  const answer = await delivery.run('x', (line) => printed.push(line), new AbortController().signal);
  expect(answer).toEqual({ status: 3, text: '' });
  expect(printed.map((line) => line.replace(/done \w+ /, 'done ID '))).toEqual(lines);
  expect(asked).toEqual([]);
});
