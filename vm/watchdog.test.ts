// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../test/manual-clock.js';
import { AwakeClock } from './clock.js';
import { type Limits, Watchdog } from './watchdog.js';

function setUp(limits: Partial<Limits>) {
  const clock = new ManualClock();
  const timeouts: string[] = [];
  const dog = new Watchdog(clock, (ending) => timeouts.push(`${ending.by} at ${clock.now()}`));
  dog.start({ firstOutputSeconds: undefined, silenceSeconds: undefined, totalSeconds: undefined, ...limits });
  return { clock, timeouts, dog };
}

describe('Watchdog', () => {
  it('waits for the first output', () => {
    const { clock, timeouts } = setUp({ firstOutputSeconds: 10, silenceSeconds: 5 });
    clock.advance(9999);
    expect(timeouts).toEqual([]);
    clock.advance(1);
    expect(timeouts).toEqual(['first-output at 10000']);
  });

  it('measures silence from the last output', () => {
    const { clock, timeouts, dog } = setUp({ firstOutputSeconds: 10, silenceSeconds: 5 });
    for (let i = 0; i < 4; i++) {
      clock.advance(4000);
      dog.outputSeen();
    }
    expect(timeouts).toEqual([]);
    clock.advance(5000);
    expect(timeouts).toEqual(['silence at 21000']);
  });

  it('measures silence from the start where nothing else watches it', () => {
    const { clock, timeouts } = setUp({ silenceSeconds: 5 });
    clock.advance(5000);
    expect(timeouts).toEqual(['silence at 5000']);
  });

  it('ends what never ends, however much it says', () => {
    const { clock, timeouts, dog } = setUp({ silenceSeconds: 5, totalSeconds: 12 });
    for (let i = 0; i < 12; i++) {
      dog.outputSeen();
      clock.advance(1000);
    }
    expect(timeouts).toEqual(['total at 12000']);
  });

  it('does not count time in which the process was stopped', () => {
    const clock = new ManualClock();
    const timeouts: string[] = [];
    const dog = new Watchdog(new AwakeClock(clock), ({ by }) => timeouts.push(`${by} at ${clock.now()}`));
    dog.start({ firstOutputSeconds: 10, silenceSeconds: 5, totalSeconds: 20 });
    clock.advance(2100);
    dog.outputSeen();
    clock.jump(60_000);
    clock.advance(0);
    expect(timeouts).toEqual([]);
    clock.advance(4000);
    dog.outputSeen();
    clock.jump(60_000);
    clock.advance(4000);
    expect(timeouts).toEqual([]);
    clock.advance(1500);
    expect(timeouts).toHaveLength(1);
    expect(timeouts[0]).toMatch(/^silence at 13[01]/);
    clock.advance(20_000);
    expect(timeouts.at(-1)).toMatch(/^total at 1[34]/);
  });

  it('is quiet when it is stopped', () => {
    const { clock, timeouts, dog } = setUp({ firstOutputSeconds: 1, silenceSeconds: 1, totalSeconds: 1 });
    dog.stop();
    dog.after(1, () => timeouts.push('late'));
    clock.advance(60_000);
    expect(timeouts).toEqual([]);
  });
});
