// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../test/manual-clock.js';
import { AwakeClock } from './clock.js';
import { type Limits, Watchdog } from './watchdog.js';

function setUp(limits: Partial<Limits>) {
  const clock = new ManualClock();
  const barks: string[] = [];
  const dog = new Watchdog(clock, (ending) => barks.push(`${ending.by} at ${clock.now()}`));
  dog.start({ firstOutputSeconds: undefined, silenceSeconds: undefined, totalSeconds: undefined, ...limits });
  return { clock, barks, dog };
}

describe('Watchdog', () => {
  it('waits for the first output', () => {
    const { clock, barks } = setUp({ firstOutputSeconds: 10, silenceSeconds: 5 });
    clock.advance(9999);
    expect(barks).toEqual([]);
    clock.advance(1);
    expect(barks).toEqual(['first-output at 10000']);
  });

  it('measures silence from the last output', () => {
    const { clock, barks, dog } = setUp({ firstOutputSeconds: 10, silenceSeconds: 5 });
    for (let i = 0; i < 4; i++) {
      clock.advance(4000);
      dog.outputSeen();
    }
    expect(barks).toEqual([]);
    clock.advance(5000);
    expect(barks).toEqual(['silence at 21000']);
  });

  it('measures silence from the start where nothing else watches it', () => {
    const { clock, barks } = setUp({ silenceSeconds: 5 });
    clock.advance(5000);
    expect(barks).toEqual(['silence at 5000']);
  });

  it('ends what never ends, however much it says', () => {
    const { clock, barks, dog } = setUp({ silenceSeconds: 5, totalSeconds: 12 });
    for (let i = 0; i < 12; i++) {
      dog.outputSeen();
      clock.advance(1000);
    }
    expect(barks).toEqual(['total at 12000']);
  });

  it('does not count time in which the process was stopped', () => {
    const clock = new ManualClock();
    const barks: string[] = [];
    const dog = new Watchdog(new AwakeClock(clock), ({ by }) => barks.push(`${by} at ${clock.now()}`));
    dog.start({ firstOutputSeconds: 10, silenceSeconds: 5, totalSeconds: 20 });
    clock.advance(2100);
    dog.outputSeen();
    clock.jump(60_000);
    clock.advance(0);
    expect(barks).toEqual([]);
    clock.advance(4000);
    dog.outputSeen();
    clock.jump(60_000);
    clock.advance(4000);
    expect(barks).toEqual([]);
    clock.advance(1500);
    expect(barks).toHaveLength(1);
    expect(barks[0]).toMatch(/^silence at 13[01]/);
    clock.advance(20_000);
    expect(barks.at(-1)).toMatch(/^total at 1[34]/);
  });

  it('is quiet when it is stopped', () => {
    const { clock, barks, dog } = setUp({ firstOutputSeconds: 1, silenceSeconds: 1, totalSeconds: 1 });
    dog.stop();
    dog.after(1, () => barks.push('late'));
    clock.advance(60_000);
    expect(barks).toEqual([]);
  });
});
