// SPDX-License-Identifier: MIT
/** Tests several devices in one stream: each is checked by its own lines only. */
import { describe, expect, it } from 'vitest';
import { adder, ops } from './adder.test.support.js';
import { type CheckOptions, type InstanceVerdict, MachineCrosscheck } from './index.js';

/** An adder whose interrupt toggles with each write. */
const ringing: typeof adder = {
  ...adder,
  name: 'ringing',
  interrupt: ({ event, value }) => (event === 'sum' ? value % 2n === 1n : undefined),
};
const edge = (interrupt: number, level: number): string =>
  `gic_set_irq irq ${interrupt} level ${level} cpumask 0xff target 0x1`;

/** The trace of one adder: two writes and a read, which may return a wrong value. */
function life(id: string, address: string, read = 5): string[] {
  return [
    `adder_on id=${id} seq=0 now=0 value=0`,
    ops('write', 2, id, address),
    `adder_write id=${id} seq=1 now=5 value=2`,
    `adder_sum id=${id} seq=2 now=5 value=2`,
    ops('write', 3, id, address),
    `adder_write id=${id} seq=3 now=6 value=3`,
    `adder_sum id=${id} seq=4 now=6 value=5`,
    `adder_read id=${id} seq=5 now=7 value=${read}`,
    ops('read', read, id, address),
    `adder_off id=${id} seq=6 now=8 value=0`,
  ];
}
const LEFT = life('left', '0x9040004');
const RIGHT = life('right', '0x9050004');

/** Interleaves both traces with accesses of other devices. */
function interleaved(left: readonly string[], right: readonly string[]): string[] {
  const longest = Math.max(left.length, right.length);
  return Array.from({ length: longest }, (_, at) => [
    "memory_region_ops_write cpu 0 mr 0xdef addr 0x9000000 value 0x41 size 4 name 'pl011'",
    ...left.slice(at, at + 1),
    edge(33, at % 2),
    ...right.slice(at, at + 1),
  ]).flat();
}

function check(
  lines: readonly string[],
  { console = [], ...options }: CheckOptions & { readonly console?: readonly string[] } = {},
): { readonly left: InstanceVerdict['verdict']; readonly right: InstanceVerdict['verdict'] } {
  const monitorOf = (base: bigint): CheckOptions => ({ monitor: { accesses: { base } }, ...options });
  const crosscheck = new MachineCrosscheck([
    { id: 'left', checker: adder, options: monitorOf(0x9040000n) },
    { id: 'right', checker: adder, options: monitorOf(0x9050000n) },
  ]);
  for (const line of console) crosscheck.consoleLine(line);
  crosscheck.feed(lines.map((line) => `${line}\n`).join(''));
  const [left, right] = crosscheck.end();
  expect([left?.id, right?.id]).toEqual(['left', 'right']);
  if (left === undefined || right === undefined) throw new Error('no verdict');
  return { left: left.verdict, right: right.verdict };
}
const AGREES = { result: 'agree', events: 7, confirmed: 3, counts: { write: 2, read: 1 } };

describe('two devices in one stream', () => {
  it('agree, each by its own sequence and its own region', () => {
    const { left, right } = check(interleaved(LEFT, RIGHT));
    expect(left).toMatchObject(AGREES);
    expect(right).toMatchObject(AGREES);
    expect(left.otherLines).toBe(33);
  });

  it('are told apart where only one is wrong', () => {
    const { left, right } = check(interleaved(LEFT, life('right', '0x9050004', 6)));
    expect(left).toMatchObject(AGREES);
    expect(right.divergence).toMatchObject({
      kind: 'field',
      field: 'read.value',
      expected: '5',
      actual: '6',
    });
    expect(right.divergence?.last.every((line) => line.includes(' id=right '))).toBe(true);
  });

  it('are told apart where an event of one is missing', () => {
    const { left, right } = check(interleaved(LEFT.toSpliced(7, 2), RIGHT));
    expect(left.invalid[0]).toEqual({ reason: 'gap', expected: '5', got: '6' });
    expect(right).toMatchObject(AGREES);
  });

  it('are told apart where one hides an access', () => {
    const hidden = ops('write', 7, 'right', '0x9050004');
    const { left, right } = check(interleaved(LEFT, RIGHT.toSpliced(9, 0, hidden)));
    expect(left).toMatchObject(AGREES);
    expect(right.divergence).toMatchObject({ kind: 'monitor', field: 'monitor.write', actual: 'nothing' });
  });

  it('are told apart where the access is to the region of the other one', () => {
    const { left, right } = check(
      interleaved(
        LEFT,
        RIGHT.map((line) => line.replace("'right-bank'", "'left-bank'")),
      ),
    );
    expect(left.divergence?.kind).toBe('monitor');
    expect(right.invalid).toEqual([{ reason: 'monitor-silent', monitor: 'accesses', unseen: 3 }]);
  });

  it('are told apart where one does not end', () => {
    const { left, right } = check(interleaved(LEFT.slice(0, -1), RIGHT));
    expect(left.invalid[0]).toEqual({ reason: 'no-end', lastSeq: '5' });
    expect(right).toMatchObject(AGREES);
  });

  it.each(['adder_write seq=1 now=5 value=2', 'adder_write id=other seq=1 now=5 value=2'])(
    'are both without evidence where an event is of neither: %s',
    (line) => {
      const { left, right } = check([line, ...interleaved(LEFT, RIGHT)]);
      const reason = { reason: 'unparsable', line, lineNumber: 1 };
      expect([left.invalid[0], right.invalid[0]]).toEqual([reason, reason]);
    },
  );

  it('have their own lines that cannot be read', () => {
    const { left, right } = check(interleaved(LEFT, RIGHT.toSpliced(3, 0, 'adder_sum id=right seq=2 now=x')));
    expect(left).toMatchObject(AGREES);
    expect(right.invalid[0]).toMatchObject({ reason: 'unparsable', line: 'adder_sum id=right seq=2 now=x' });
  });

  it('take what the guest prints in their own test alone', () => {
    const console = [
      'stopwatch: test: right',
      '# observe sum=5',
      '# caused read=1 write=2',
      'stopwatch: result: right pass',
      '# observe sum=99',
      'stopwatch: test: left',
      '# caused read=2',
      'stopwatch: result: left pass',
    ];
    const { left, right } = check(interleaved(LEFT, RIGHT), { guest: true, console });
    expect(right).toMatchObject({ ...AGREES, observed: 1 });
    expect(left.invalid).toEqual([{ reason: 'too-few', what: 'read', needed: 2, got: 1 }]);
  });
});

function checkEdges(lines: readonly string[]): readonly InstanceVerdict[] {
  const crosscheck = new MachineCrosscheck([
    { id: 'left', checker: ringing, options: { monitor: { interrupt: 144 } } },
    { id: 'right', checker: ringing, options: { monitor: { interrupt: 145 } } },
  ]);
  crosscheck.feed(lines.map((line) => `${line}\n`).join(''));
  return crosscheck.end();
}
const withEdges = (id: string, interrupt: number): string[] =>
  life(id, '0x1').flatMap((line) => {
    const sum = /^adder_sum .*value=(\d+)/.exec(line)?.[1];
    return sum === undefined ? line : [line, edge(interrupt, Number(sum) % 2)];
  });

describe('interrupts of two devices', () => {
  it('go by their numbers', () => {
    const verdicts = checkEdges(interleaved(withEdges('left', 144), withEdges('right', 145)));
    expect(verdicts.map(({ verdict }) => [verdict.result, verdict.confirmed])).toEqual([
      ['agree', 2],
      ['agree', 2],
    ]);
  });

  it('contradict the one whose number they have', () => {
    const [left, right] = checkEdges(
      interleaved(withEdges('left', 144), withEdges('right', 145).toSpliced(5, 0, edge(145, 1))),
    );
    expect(left?.verdict.result).toBe('agree');
    expect(right?.verdict.divergence?.field).toBe('monitor.interrupt');
  });
});

describe('a live run', () => {
  it('can be ended when every device has failed, and not before', () => {
    const crosscheck = new MachineCrosscheck([
      { id: 'left', checker: adder },
      { id: 'right', checker: adder },
    ]);
    crosscheck.feed('adder_read id=left seq=1 now=0 value=0\n');
    expect(crosscheck.failed).toBe(false);
    crosscheck.feed('adder_read id=right seq=1 now=0 value=0\n');
    expect(crosscheck.failed).toBe(true);
  });
});
