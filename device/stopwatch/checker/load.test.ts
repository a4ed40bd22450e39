// SPDX-License-Identifier: MIT
/** Migration and snapshots: a stream that continues in another process. */
import { describe, expect, it } from 'vitest';
import { Crosscheck, type Verdict } from '../../../vm/crosscheck/index.js';
import { COMMAND } from '../contract/contract.js';
import { stopwatchChecker } from './checker.js';
import { TraceWriter } from '../../../test/support/trace-writer.js';

function verdictOf(lines: readonly string[]): Verdict {
  const crosscheck = new Crosscheck(stopwatchChecker({ slackNs: 0n }));
  for (const line of lines) crosscheck.feed(`${line}\n`);
  return crosscheck.end();
}

/** A device with a pending timeout, and the numbers of its next event. */
function source(): { lines: string[]; seq: number } {
  const writer = new TraceWriter();
  writer.reset(0n);
  writer.write(1_000n, 0x30, 5_000n);
  writer.write(2_000n, 0x0, COMMAND.PAUSE);
  const lines = writer.lines();
  return { lines, seq: lines.length };
}
const loaded = (seq: number, now: number, elapsed = 2_000): string[] => [
  `stopwatch_load id=stopwatch seq=${seq} now=${now} writes=1 frequency=62500000 page_seq=4 disruption=0 laps=0 tail=0`,
  `stopwatch_state id=stopwatch seq=${seq + 1} now=${now} status=2 elapsed=${elapsed} timeout=1 deadline=6000 count=0 error=0x0`,
  `stopwatch_page id=stopwatch seq=${seq + 2} now=${now} page_seq=6 disruption=1 flags=0x0 state=2 accumulated=${elapsed} counter=${Math.floor(now / 16)} frequency=62500000`,
  `stopwatch_ring id=stopwatch seq=${seq + 3} now=${now} head=0 capacity=64 tail=0`,
];
/** What a device does from there that kept the state. */
const rest = (seq: number): string[] => [
  `stopwatch_timer id=stopwatch seq=${seq} now=6000 deadline=6000`,
  `stopwatch_irq id=stopwatch seq=${seq + 1} now=6000 level=1`,
  `stopwatch_state id=stopwatch seq=${seq + 2} now=6000 status=2 elapsed=2000 timeout=2 deadline=0 count=1 error=0x0`,
  `stopwatch_read id=stopwatch seq=${seq + 3} now=6000 offset=0x28 value=0x7d0 size=8`,
  `stopwatch_end id=stopwatch seq=${seq + 4} now=6000`,
];

describe('a loaded state', () => {
  it('begins a stream, and is supplied', () => {
    const verdict = verdictOf([...loaded(40, 2_500), ...rest(44)]);
    expect(verdict).toMatchObject({ result: 'agree', counts: { loads: 1, interrupts: 1, reads: 1 } });
    expect(verdict.supplied).toBeGreaterThanOrEqual(7);
  });

  it('may jump, as on the destination of a migration, whose own reset comes first', () => {
    const own = new TraceWriter();
    own.reset(0n, false);
    expect(verdictOf([...own.lines(), ...loaded(40, 2_500), ...rest(44)]).result).toBe('agree');
  });

  it('is that of another process, whose own numbers go on', () => {
    const own = new TraceWriter();
    own.reset(0n, false);
    const seq = own.lines().length;
    expect(verdictOf([...own.lines(), ...loaded(seq, 2_500), ...rest(seq + 4)]).result).toBe('agree');
  });

  it('may go back in time, as a snapshot does', () => {
    const { lines } = source();
    expect(verdictOf([...lines, ...loaded(2, 1_500), ...rest(6)]).result).toBe('agree');
  });

  it('must be one that a stopwatch can be in', () => {
    const [load = '', state = ''] = loaded(40, 2_500);
    expect(verdictOf([load, state.replace('timeout=1', 'timeout=0')])).toMatchObject({
      result: 'differ',
      divergence: { kind: 'impossible' },
    });
  });

  it('is at the time of the load', () => {
    const [load = '', state = ''] = loaded(40, 2_500);
    expect(verdictOf([load, state.replace('now=2500', 'now=2501'), ...rest(44)])).toMatchObject({
      divergence: { field: 'state.now', expected: '2500', actual: '2501' },
    });
  });
});

describe('a stream', () => {
  it('begins with the power-on reset at seq 0', () => {
    const { lines } = source();
    const first = lines[0]?.replace('seq=0', 'seq=1') ?? '';
    expect(verdictOf([first, ...lines.slice(1)]).invalid[0]).toEqual({ reason: 'no-start', got: first });
  });

  it('knows start_at_boot from the caller, if the caller says so', () => {
    const crosscheck = new Crosscheck(stopwatchChecker({ slackNs: 0n, startAtBoot: false }));
    for (const line of source().lines) crosscheck.feed(`${line}\n`);
    expect(crosscheck.failed).toBe(true);
    expect(crosscheck.end().divergence).toMatchObject({
      field: 'reset.start_at_boot',
      expected: 'false',
      actual: 'true',
    });
  });

  it('may end or be reset within the slack of a deadline, and no later', () => {
    const { lines, seq } = source();
    for (const event of ['end', 'reset']) {
      const text = (now: number): string =>
        `stopwatch_${event} id=stopwatch seq=${seq} now=${now}${event === 'reset' ? ' start_at_boot=1 writes=1 frequency=62500000' : ''}`;
      expect(verdictOf([...lines, text(6_000)])).not.toHaveProperty('divergence');
      expect(verdictOf([...lines, text(6_001)]).divergence).toMatchObject({
        kind: 'missing',
        field: 'timer.now',
      });
    }
  });

  it('takes the time of consumed memory from its access', () => {
    const writer = new TraceWriter();
    writer.reset(0n);
    writer.write(500n, 0x0, COMMAND.TIMEOUT, { dataLen: 1n });
    const lines = writer
      .lines()
      .map((line) => (line.includes('_mem ') ? line.replace('now=500', 'now=501') : line));
    expect(verdictOf(lines).divergence).toMatchObject({ field: 'mem.now', expected: '500', actual: '501' });
  });
});
