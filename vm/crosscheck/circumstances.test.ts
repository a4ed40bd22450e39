// SPDX-License-Identifier: MIT
/** Tests what the verdict reports about a device when its guest crashes, hangs or fails. */
import { describe, expect, it } from 'vitest';
import { adder, ops } from './adder.test.support.js';
import { type CheckOptions, MachineCrosscheck, type Verdict } from './index.js';

/** An adder whose interrupt is high while the sum is odd, and that refuses 13. */
const ringing: typeof adder = {
  ...adder,
  interrupt: ({ event, value }) => (event === 'sum' ? value % 2n === 1n : undefined),
  refused: ({ event, value }) => (event === 'sum' && value === 13n ? 'UNLUCKY' : undefined),
  registers: [{ name: 'SUM', offset: 4, read: [4], write: [4] }],
};

const access = (seq: number, value: number, sum: number): string[] => [
  ops('write', value),
  `adder_write id=adder seq=${seq} now=${seq * 1000} value=${value}`,
  `adder_sum id=adder seq=${seq + 1} now=${seq * 1000} value=${sum}`,
];
const ON = 'adder_on id=adder seq=0 now=0 value=0';
const off = (seq: number): string => `adder_off id=adder seq=${seq} now=${seq * 1000} value=0`;
const TEST = 'stopwatch: test: adder';
const RESULT = 'stopwatch: result: adder fail';

function verdictOf(
  stream: readonly string[],
  { console = [], ...options }: CheckOptions & { readonly console?: readonly string[] } = {},
): Verdict {
  const crosscheck = new MachineCrosscheck(
    [{ id: 'adder', checker: ringing, options: { monitor: { accesses: {} }, coverage: true, ...options } }],
    (line) => line.includes('Oops'),
  );
  for (const line of console) crosscheck.consoleLine(line);
  crosscheck.feed(stream.map((line) => `${line}\n`).join(''));
  const [only] = crosscheck.end();
  if (only === undefined) throw new Error('no verdict');
  return only.verdict;
}

describe('comparisons at the end of a test', () => {
  const stream = [ON, ...access(1, 2, 2), off(3)];
  const printed = ['# observe sum=7'];
  const short = ['# caused write=5'];

  it('are made where the test came to its end', () => {
    const late = verdictOf(stream, { guest: true, console: [TEST, ...short, RESULT] });
    expect(late).toMatchObject({ result: 'invalid', invalid: [{ reason: 'too-few', what: 'write' }] });
    expect(late.partial).toBeUndefined();
    expect(verdictOf(stream, { guest: true, console: [TEST, RESULT] }).invalid).toEqual([
      { reason: 'guest-silent' },
    ]);
    expect(
      verdictOf(stream, { atLeast: { read: 1 }, guest: true, console: [TEST, '# caused write=1', RESULT] })
        .result,
    ).toBe('invalid');
  });

  it('are not made where it did not', () => {
    expect(verdictOf(stream, { guest: true, console: [TEST, ...short] })).toMatchObject({
      result: 'agree',
      partial: true,
    });
    expect(verdictOf(stream, { guest: true, atLeast: { read: 1 } }).result).toBe('agree');
  });

  it('but a value that the model never had is one, whether or not', () => {
    expect(verdictOf(stream, { guest: true, console: [TEST, ...printed] }).divergence).toMatchObject({
      kind: 'guest',
    });
  });
});

describe('circumstances', () => {
  it('name a write from which QEMU has not returned', () => {
    const { circumstances } = verdictOf([ON, ...access(1, 2, 2), ops('write', 9)]);
    expect(circumstances?.unfinished).toEqual({ seq: '3', access: 'write offset 0x4 = 9, 4 bytes' });
    const begun = verdictOf([ON, ops('write', 9), 'adder_write id=adder seq=1 now=5 value=9']);
    expect(begun.circumstances?.unfinished).toEqual({ seq: '1', access: 'write 9' });
    expect(verdictOf([ON, ...access(1, 2, 2)]).circumstances?.unfinished).toBeUndefined();
  });

  it('name an interrupt that stays', () => {
    const raised = verdictOf([ON, ...access(1, 3, 3), off(3)]);
    expect(raised.circumstances?.unacknowledged).toEqual({ seq: '2' });
    const lowered = verdictOf([ON, ...access(1, 3, 3), ...access(3, 1, 4), off(5)]);
    expect(lowered.circumstances?.unacknowledged).toBeUndefined();
  });

  it('tell what the device did in a test that failed, and what it refused', () => {
    const stream = [
      ON,
      `console 9: ${TEST}`,
      ...access(1, 3, 3),
      'console 9: ok 1 first',
      ...access(3, 10, 13),
      ...access(5, 1, 14),
      'console 9: not ok 2 second # sum',
      ...access(7, 1, 15),
      off(9),
    ];
    const [failed, ...others] = verdictOf(stream).circumstances?.failedTests ?? [];
    expect(others).toEqual([]);
    expect(failed).toEqual({
      name: 'second',
      refused: ['seq 3: write 10: refused (UNLUCKY)'],
      story: ['-2.000 us  seq 3  write 10 → sum 13', '    +0 ns  seq 5  write 1 → sum 14'],
    });
  });

  it('say in which test a divergence is, and whether the guest had crashed before', () => {
    const wrong = [ON, `console 9: ${TEST}`, ...access(1, 3, 3), 'console 9: ok 1 first', ...access(3, 1, 9)];
    const { divergence } = verdictOf(wrong);
    expect(divergence).toMatchObject({ during: "after 'first'", field: 'sum.value' });
    expect(divergence?.afterCrash).toBeUndefined();
    expect(divergence?.story).toEqual([
      '-2.000 us  seq 1    write 3 → sum 3',
      '           console  ok 1 first',
      '    +0 ns  seq 3    write 1 → sum 9',
    ]);
    expect(verdictOf([...wrong, 'console 9: Oops']).divergence?.afterCrash).toBeUndefined();
    expect(
      verdictOf([ON, `console 9: ${TEST}`, 'console 9: Oops', ...access(1, 1, 9)]).divergence?.afterCrash,
    ).toBe(true);
  });

  it('count what was touched', () => {
    expect(verdictOf([ON, ...access(1, 2, 2), off(3)]).covered).toEqual({
      groups: [
        { group: 'accesses', touched: 1, all: 2, missing: ['SUM reads'] },
        { group: 'widths', touched: 1, all: 1, missing: [] },
      ],
    });
  });
});

it('an event with very many effects is cut', () => {
  const sums = Array.from({ length: 64 }, (_, at) => `adder_sum id=adder seq=${at + 2} now=1000 value=2`);
  const { divergence } = verdictOf([ON, ...access(1, 2, 2).slice(0, 2), ...sums]);
  expect(divergence?.story.length).toBeGreaterThan(0);
  for (const line of divergence?.story ?? []) expect(line.length).toBeLessThan(200);
});
