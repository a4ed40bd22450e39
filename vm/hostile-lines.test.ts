// SPDX-License-Identifier: MIT
/**
 * Tests that hostile output takes linear time. Quadratic backtracking in a regular expression, or copying the text for
 * every line, would take minutes for a megabyte and time the test out.
 */
import { Duplex, PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Deinterleaver, findingOf } from './console/console.js';
import { Delivery } from './console/delivery.js';
import { KtapParser } from './console/ktap.js';
import { Guest } from './crosscheck/guest.js';
import { sectionMark } from './crosscheck/sections.js';
import { hostClock } from './clock.js';

const MEGABYTE = 2 ** 20;
const BLANKS = ' '.repeat(MEGABYTE);
/** No `.` matches it. */
const SEPARATOR = '\u2028';

describe('a line of a megabyte', { timeout: 30_000 }, () => {
  it.each([
    ['a result', `ok 1${BLANKS}a${SEPARATOR}b`, `a${SEPARATOR}b`],
    ['a result with blanks for a directive', `ok 1 a${BLANKS}b`, `a${BLANKS}b`],
    ['a result with escapes', `ok 1 ${'\\#'.repeat(MEGABYTE / 2)}`, '#'.repeat(MEGABYTE / 2)],
    ['a result with escapes and no end', `ok 1 ${'\\\\'.repeat(1000)}\\`, '\\'.repeat(1001)],
  ])('KTAP: %s', (_, line, name) => {
    const parser = new KtapParser();
    for (const one of ['KTAP version 1', '1..1', line]) parser.line(one);
    expect(parser.end()).toMatchObject({ tests: [{ name, status: 'ok' }], problems: [] });
  });

  it('KTAP: a directive, a plan, a subtest, a diagnostic, a bail-out', () => {
    const parser = new KtapParser();
    parser.line('KTAP version 1');
    parser.line(`1..2 #${BLANKS}planned${SEPARATOR}x`);
    parser.line(`# Subtest:${BLANKS}sub${SEPARATOR}x`);
    parser.line(`#${BLANKS}said${SEPARATOR}x`);
    parser.line(`ok 1 a${BLANKS}#${BLANKS}SKIP not${SEPARATOR}today`);
    parser.line(`ok 2 b ${BLANKS}# `);
    parser.line(`Bail out!${BLANKS}why${SEPARATOR}not`);
    const { tests, problems } = parser.end();
    expect(tests.map(({ name, status, comment }) => [name, status, comment])).toEqual([
      ['a', 'skip', `SKIP not${SEPARATOR}today`],
      ['b', 'ok', ''],
    ]);
    expect(tests[0]?.diagnostics.map((text) => text.trim())).toEqual([
      `planned${SEPARATOR}x`,
      `said${SEPARATOR}x`,
    ]);
    expect(problems).toEqual([`the test bailed out: why${SEPARATOR}not`]);
  });

  it('what the test observed', () => {
    const guest = new Guest({ text: { kind: 'event', normalise: (printed) => printed } });
    guest.sees({ channel: 'text', value: `a${BLANKS}b` });
    guest.line(`# observe text=a${BLANKS}b${BLANKS}`);
    guest.line(`# caused a=1${BLANKS}`);
    expect(guest.mismatch({}, true)).toBeUndefined();
    guest.line(`# caused a=1${BLANKS}x`);
    guest.line(`# limited${' a=1'.repeat(MEGABYTE / 4)}=`);
    expect(guest.invalid().map(({ reason }) => reason)).toEqual(['guest-unreadable', 'guest-unreadable']);
  });

  it.each([BLANKS, '['.repeat(MEGABYTE), '[ 1.'.repeat(MEGABYTE / 4), '\u001B]'.repeat(MEGABYTE / 2)])(
    'a message of the kernel %#',
    (text) => {
      expect(findingOf(`${text}x`)).toBeUndefined();
      expect(findingOf(`rcu: INFO: ${text}x`)).toBeUndefined();
      expect(sectionMark(`stopwatch: result: ${text}x`)).toBeUndefined();
      const lines: string[] = [];
      const deinterleaver = new Deinterleaver((line) => lines.push(line));
      deinterleaver.push(`ok ${text}x`);
      expect(lines).toHaveLength(1);
    },
  );

  it('an answer of the guest', async () => {
    const [line, guest] = connected();
    const asked: string[] = [];
    const delivery = new Delivery(line, '/nonexistent', {
      clock: hostClock,
      timeoutMs: 20_000,
      onAsk: (name) => {
        asked.push(name);
        return Promise.reject(new Error('no\nsuch thing'));
      },
    });
    const lineToGuest = () =>
      new Promise<string>((resolve) => guest.once('data', (data) => resolve(String(data))));
    const secret = lineToGuest();
    guest.write(`${BLANKS}\n\u0001hello\n`);
    const mark = `\u0001${/^secret (\w+)\n$/.exec(await secret)?.[1]} `;
    guest.write(`${mark}${BLANKS}\n${mark}done x 1${BLANKS}${SEPARATOR}\n${mark}ready\n`);
    await delivery.ready;
    const answer = lineToGuest();
    guest.write(`${mark}ask 7 module\n`);
    expect(await answer).toBe('tell 7 1 the host failed: nosuch thing\n');
    expect(asked).toEqual(['module']);
  });
});

describe('lines without end', { timeout: 30_000 }, () => {
  it('a result that messages cut in two again and again is not kept', () => {
    let longest = 0;
    let lines = 0;
    const deinterleaver = new Deinterleaver((line) => {
      longest = Math.max(longest, line.length);
      lines += 1;
    });
    const piece = 'ok [    1.000000] x';
    for (let at = 0; at < MEGABYTE; at += piece.length) deinterleaver.push(piece);
    deinterleaver.end();
    expect(lines).toBeGreaterThan(MEGABYTE / piece.length);
    expect(longest).toBeLessThan(8192);
  });
});

/** Two ends of a line: what one writes, the other reads. */
function connected(): [Duplex, Duplex] {
  const there = new PassThrough();
  const back = new PassThrough();
  return [Duplex.from({ readable: there, writable: back }), Duplex.from({ readable: back, writable: there })];
}
