// SPDX-License-Identifier: MIT
/** Tests that the cross-check is independent of the device: the same engine checks an adder against its model. */
import { describe, expect, it } from 'vitest';
import { adder, ops } from './adder.test.support.js';
import { Crosscheck, formatVerdict, type CheckOptions, type Verdict } from './index.js';

const RIGHT = [
  'adder_on id=adder seq=0 now=0 value=0',
  ops('write', 2),
  'adder_write id=adder seq=1 now=5 value=2',
  'adder_sum id=adder seq=2 now=5 value=2',
  ops('write', 40),
  'adder_write id=adder seq=3 now=6 value=40',
  'adder_sum id=adder seq=4 now=6 value=42',
  'adder_read id=adder seq=5 now=7 value=42',
  ops('read', 42),
  'adder_off id=adder seq=6 now=8 value=0',
];

function judgeLines(
  lines: readonly string[],
  options: CheckOptions = {},
  console: readonly string[] = [],
): Verdict {
  const crosscheck = new Crosscheck(adder, options);
  crosscheck.feed(`${lines.join('\r\n')}\n`);
  for (const line of console) crosscheck.consoleLine(line);
  return crosscheck.end();
}
const monitor = { accesses: { base: 0x9040000n } };

describe('another device', () => {
  it('agrees', () => {
    const console = ['# observe sum=42', '# caused write=1', '# caused write=1 read=1'];
    expect(judgeLines(RIGHT, { monitor, guest: true }, console)).toMatchObject({
      result: 'agree',
      events: 7,
      otherLines: 3,
      confirmed: 3,
      observed: 1,
      counts: { on: 1, write: 2, read: 1, off: 1 },
    });
  });

  it('differs', () => {
    const verdict = judgeLines(RIGHT.with(6, 'adder_sum id=adder seq=4 now=6 value=41'));
    expect(verdict.divergence).toMatchObject({
      kind: 'field',
      access: 'write 40',
      field: 'sum.value',
      states: { before: { sum: '2' }, model: { sum: '42' }, device: { sum: '41' } },
    });
    expect(verdict.divergence).not.toHaveProperty('register');
    expect(formatVerdict(verdict).join('\n')).toContain('! sum    2       42     41');
  });

  it('reports an effect too many', () => {
    const extra = RIGHT.toSpliced(7, 0, 'adder_sum id=adder seq=5 now=6 value=42');
    expect(judgeLines(extra).divergence).toMatchObject({
      kind: 'event',
      expected: 'no further effect',
      actual: 'sum',
    });
  });

  it('sums what the guest says it caused', () => {
    const console = ['# caused write=2', '# caused write=1'];
    expect(judgeLines(RIGHT, { guest: true }, console).invalid).toEqual([
      { reason: 'too-few', what: 'write', needed: 3, got: 2 },
    ]);
  });
});

function judgeLimited(most: number): Verdict {
  const console = ['# caused write=1', `# limited write=${most - 1}`, '# limited write=1'];
  return judgeLines(RIGHT, { guest: true }, console);
}

describe('what the guest says', () => {
  it('is a limit of what may have happened', () => {
    expect(judgeLimited(2).result).toBe('agree');
    expect(judgeLimited(1).divergence).toMatchObject({
      kind: 'guest',
      field: 'guest.write',
      expected: 'at most 1',
      actual: "2 in the device's stream",
    });
  });
});

describe('the monitor', () => {
  it('sees an access that the device hides, the last one included', () => {
    for (const at of [4, 9]) {
      const { divergence } = judgeLines(RIGHT.toSpliced(at, 0, ops('write', 7)), { monitor });
      expect(divergence).toMatchObject({ kind: 'monitor', field: 'monitor.write', actual: 'nothing' });
      expect(divergence?.expected).toBe('write of 4 bytes at offset 0x4, value 0x7');
    }
    expect(judgeLines(RIGHT.toSpliced(9, 0, ops('read', 42)), { monitor }).divergence?.field).toBe(
      'monitor.read',
    );
  });

  it('learns where the region is if it is not told, and holds the device to it', () => {
    expect(judgeLines(RIGHT, { monitor: { accesses: {} } }).confirmed).toBe(3);
    const moved = RIGHT.map((line, index) => (index === 8 ? line.replace('9040004', '9040008') : line));
    expect(judgeLines(moved, { monitor: { accesses: {} } }).divergence).toMatchObject({
      field: 'monitor.read',
      seq: '5',
    });
    expect(judgeLines(RIGHT, { monitor: { accesses: { base: 0x9040001n } } }).divergence?.field).toBe(
      'monitor.write',
    );
  });

  it('does not mind other regions and interrupts', () => {
    const noise = RIGHT.flatMap((line) => [
      ops('read', 1).replace('adder-bank', 'pl011'),
      'gic_set_irq irq 33 level 1 cpumask 0xff target 0x1',
      line,
    ]);
    expect(judgeLines(noise, { monitor: { ...monitor, interrupt: 40 } }).result).toBe('agree');
  });

  const edge = 'gicv3_dist_set_irq GICv3 distributor interrupt 40 level changed to 1';

  it('sees an edge that the device hides', () => {
    expect(judgeLines(RIGHT.toSpliced(7, 0, edge), { monitor: { interrupt: 40 } }).divergence).toMatchObject({
      field: 'monitor.interrupt',
      expected: 'high',
      actual: 'nothing',
    });
  });

  it('does not mind an edge between its own loaded state and that of the device', () => {
    expect(judgeLines(RIGHT.toSpliced(1, 0, edge), { monitor: { interrupt: 40 } }).result).toBe('agree');
  });

  it('contradicts where it speaks only later', () => {
    const late = RIGHT.toSpliced(1, 1);
    expect(judgeLines(late, { monitor }).divergence).toMatchObject({
      field: 'monitor.write',
      expected: 'nothing',
      actual: 'write of 4 bytes at offset 0x4, value 0x2, at seq 1',
    });
  });
});

describe('a stream of garbage', () => {
  it('does not fill memory with a line that never ends', () => {
    const crosscheck = new Crosscheck(adder);
    for (let chunk = 0; chunk < 200; chunk += 1) crosscheck.feed('x'.repeat(10_000));
    const verdict = crosscheck.end();
    expect(verdict.result).toBe('invalid');
    expect(JSON.stringify(verdict).length).toBeLessThan(100_000);
  });
});
