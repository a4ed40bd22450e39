// SPDX-License-Identifier: MIT
/** Random right streams agree; the same streams, falsified in one place, never do. */
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { operations, perform } from '../../../test/support/operations.js';
import { Crosscheck, type Verdict } from '../../../vm/crosscheck/index.js';
import { stopwatchChecker } from './checker.js';
import { TRACE } from './trace.js';

// Hundreds of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

/** The expiry may wait for the next access in these runs. */
const SLACK = 30_000_000_000n;
const MONITOR = { base: 0xc010000n, interrupt: 144 };

function verdictOf(text: string, monitor: boolean, slackNs = SLACK): Verdict {
  const { base, interrupt } = MONITOR;
  const crosscheck = new Crosscheck(
    stopwatchChecker({ slackNs }),
    monitor ? { monitor: { accesses: { base }, interrupt } } : {},
  );
  crosscheck.feed(text);
  return crosscheck.end();
}
const streamOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
const runs = operations.map((list) => perform(list, undefined, MONITOR).lines());
/** A stream, and the index of one of its lines. */
const picked = runs.chain((lines) => fc.tuple(fc.constant(lines), fc.nat({ max: lines.length - 1 })));

/** A number in a line and what it is changed by. The sequence number is tested by dropping and swapping lines. */
const NUMBER = /(\w+)=(0x[0-9a-f]+|-?\d+)/g;
/** What the stream alone says: no one else can contradict it. The time of a read or of the end; what the guest stored in mem. */
const SUPPLIED = new Set(['read.now', 'end.now', 'mem.data_len', 'requests.head', 'request.counter']);

describe('a right stream', () => {
  it('agrees, with its monitor and without, however it is cut into chunks', () => {
    fc.assert(
      fc.property(runs, fc.array(fc.nat(), { maxLength: 40 }), (lines, cuts) => {
        const text = streamOf(lines);
        const { base, interrupt } = MONITOR;
        const crosscheck = new Crosscheck(stopwatchChecker({ slackNs: SLACK }), {
          monitor: { accesses: { base }, interrupt },
        });
        const bytes = Buffer.from(text);
        let from = 0;
        for (const cut of [...cuts.map((one) => one % (bytes.length + 1)), bytes.length].sort(
          (a, b) => a - b,
        )) {
          crosscheck.feed(bytes.subarray(from, cut));
          from = cut;
        }
        const verdict = crosscheck.end();
        expect(verdict).toMatchObject({ result: 'agree', invalid: [] });
        expect(verdict).toEqual(verdictOf(text, true));
        expect(verdictOf(text, false)).toMatchObject({
          result: 'agree',
          confirmed: 0,
          checked: verdict.checked,
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('a stream that was falsified', () => {
  it('in one line missing', () => {
    fc.assert(
      fc.property(picked, ([lines, index]) => {
        // A machine reset may clear the controller's level before the device lowers its line: no one need see that edge.
        fc.pre(!(lines[index]?.startsWith('gic') && lines[index - 2]?.startsWith(`${TRACE.prefix}reset`)));
        const result = verdictOf(streamOf(lines.toSpliced(index, 1)), true);
        expect([lines[index], result.result]).not.toEqual([lines[index], 'agree']);
        // A missing event is a gap; what QEMU did not confirm, or what it saw alone, is a difference.
        if (lines[index]?.startsWith(TRACE.prefix)) expect(result.result).toMatch(/invalid|differ/);
      }),
      { numRuns: 300 },
    );
  });

  it('in one event missing, and the numbers made good', () => {
    fc.assert(
      fc.property(picked, ([lines, index]) => {
        fc.pre(lines[index]?.startsWith(TRACE.prefix) === true && index < lines.length - 1);
        let seq = 0;
        const renumbered = lines
          .toSpliced(index, 1)
          .map((line) =>
            line.replace(/^(stopwatch_\w+ id=\S+ seq=)\d+/, (_, start: string) => `${start}${seq++}`),
          );
        expect([lines[index], verdictOf(streamOf(renumbered), true).result]).not.toEqual([
          lines[index],
          'agree',
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('in two events swapped', () => {
    fc.assert(
      fc.property(picked, ([lines, index]) => {
        const next = lines.findIndex((line, at) => at > index && line.startsWith(TRACE.prefix));
        const [a, b] = [lines[index], lines[next]];
        fc.pre(a !== undefined && b !== undefined && a.startsWith(TRACE.prefix));
        const swapped = lines.with(index, b).with(next, a);
        expect(verdictOf(streamOf(swapped), true).result).not.toBe('agree');
      }),
      { numRuns: 300 },
    );
  });

  it('in one number', () => {
    const changed = new Set<string>();
    fc.assert(
      fc.property(picked, fc.nat(), fc.bigInt({ min: 1n, max: 3n }), ([lines, index], choice, by) => {
        const line = lines[index] ?? '';
        fc.pre(line.startsWith(TRACE.prefix));
        const event = line.slice(TRACE.prefix.length, line.indexOf(' '));
        const numbers = [...line.matchAll(NUMBER)].filter(([, name]) => !SUPPLIED.has(`${event}.${name}`));
        const number = numbers[choice % numbers.length];
        fc.pre(number !== undefined && number[1] !== 'seq');
        const [whole = '', name = '', value = '0'] = number ?? [];
        const other = BigInt(value) ^ by;
        const replaced = `${name}=${value.startsWith('0x') ? `0x${other.toString(16)}` : other}`;
        const falsified =
          line.slice(0, number?.index) + replaced + line.slice((number?.index ?? 0) + whole.length);
        changed.add(`${event}.${name}`);
        expect([falsified, verdictOf(streamOf(lines.with(index, falsified)), true).result]).not.toEqual([
          falsified,
          'agree',
        ]);
      }),
      { numRuns: 1500 },
    );
    // All kinds of checked fields were in fact tried.
    expect(changed.size).toBeGreaterThan(20);
  });

  it('in a text', () => {
    fc.assert(
      fc.property(runs, (lines) => {
        const index = lines.findIndex((line) => line.startsWith(`${TRACE.prefix}text`));
        fc.pre(index >= 0);
        const falsified = (lines[index] ?? '').replace(
          /(\d)( seconds)/,
          (_, digit: string, rest: string) => `${(Number(digit) + 1) % 10}${rest}`,
        );
        expect(verdictOf(streamOf(lines.with(index, falsified)), true).divergence?.field).toBe('text.text');
      }),
    );
  });

  it('by cutting it off anywhere', () => {
    fc.assert(
      fc.property(runs, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (lines, part) => {
        const text = streamOf(lines);
        expect(verdictOf(text.slice(0, Math.floor(text.length * part)), true).result).toBe('invalid');
      }),
      { numRuns: 200 },
    );
  });

  it('by an expiry one millisecond early, or one nanosecond later than the slack', () => {
    fc.assert(
      fc.property(runs, fc.constantFrom(-1_000_000n, -1n, 1n), (lines, by) => {
        const index = lines.findIndex((line) => line.startsWith(`${TRACE.prefix}timer`));
        fc.pre(index >= 0);
        const [, , now, deadline] = /seq=(\d+) now=(\d+) deadline=(\d+)/.exec(lines[index] ?? '') ?? [];
        const late = BigInt(now ?? 0) - BigInt(deadline ?? 0);
        if (by > 0n) {
          fc.pre(late > 0n);
          expect(verdictOf(streamOf(lines), true, late - by).divergence?.kind).toMatch(/late|missing/);
          return;
        }
        const falsified = (lines[index] ?? '').replace(/now=\d+/, `now=${BigInt(deadline ?? 0) + by}`);
        const { result, divergence, invalid } = verdictOf(streamOf(lines.with(index, falsified)), true);
        // Where something happened less than that before, the clock has gone back.
        expect([result, divergence?.kind ?? invalid[0]?.reason]).toSatisfy(
          ([, why]: readonly string[]) => why === 'early' || why === 'clock-went-back',
        );
      }),
      { numRuns: 200 },
    );
  });
});
