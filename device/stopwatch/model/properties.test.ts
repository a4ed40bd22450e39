// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { operations, perform } from '../../../test/support/operations.js';
import { NS_PER_S, STATUS } from '../contract/contract.js';
import type { StateEvent, TraceEvent } from '../checker/trace.js';
import { elapsedAt, initialState, irqLevel, type ModelState } from './state.js';

// Hundreds of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const isEvent = (entry: TraceEvent | string): entry is TraceEvent => typeof entry !== 'string';

/** The property holds over all states that follow one another in random runs. */
function always(
  name: string,
  holds: (before: ModelState, after: ModelState, events: readonly TraceEvent[], now: bigint) => void,
): void {
  it(name, () => {
    fc.assert(
      fc.property(operations, (list) => {
        let before = initialState;
        let from = 0;
        perform(list, (writer, { at }) => {
          const events = writer.entries.slice(from).filter(isEvent);
          holds(before, writer.state, events, at);
          before = writer.state;
          from = writer.entries.length;
        });
      }),
      { numRuns: 300 },
    );
  });
}

describe('in every run', () => {
  always(
    'elapsed time is never negative, and goes on while RUNNING unless something resets it',
    (before, after, events, now) => {
      expect(elapsedAt(after, now)).toBeGreaterThanOrEqual(0n);
      const reset = events.some(
        (one) => one.event === 'reset' || (one.event === 'write' && one.offset === 0n && one.value === 0n),
      );
      if (!reset) expect(elapsedAt(after, now)).toBe(elapsedAt(before, now));
    },
  );

  always('elapsed time stands in RESET and PAUSED', (_, after, __, now) => {
    const later = elapsedAt(after, now + 123n) - elapsedAt(after, now);
    expect(later).toBe(after.status === 'RUNNING' ? 123n : 0n);
    if (after.status === 'RESET') expect(elapsedAt(after, now)).toBe(0n);
  });

  always(
    'the line is high from expiry to acknowledgement, and its edges alternate',
    (before, after, events) => {
      let level = irqLevel(before);
      for (const event of events) {
        if (event.event !== 'irq') continue;
        expect(event.level).toBe(!level);
        ({ level } = event);
      }
      expect(level).toBe(irqLevel(after));
      expect(irqLevel(after)).toBe(after.timeout === 'FIRED');
    },
  );

  always('a rejected access changes nothing but ERROR', (before, after, events) => {
    const rejected = events.find((event) => event.event === 'error');
    if (rejected === undefined || events.some(({ event }) => event === 'timer' || event === 'reset')) return;
    expect(after).toEqual({ ...before, error: before.error | rejected.raised });
    expect(rejected.raised).not.toBe(0n);
    expect(rejected.error).toBe(after.error);
  });

  always('every expiry is counted, at its deadline or later', (before, after, events) => {
    if (events.some(({ event }) => event === 'reset')) return;
    const fired = events.filter((event) => event.event === 'timer');
    expect(after.count - before.count).toBe(BigInt(fired.length));
    for (const { now, deadline } of fired) expect(now).toBeGreaterThanOrEqual(deadline);
    expect(after.timeout === 'PENDING').toBe(after.deadline > 0n);
  });

  always('every change is reported as it is', (_, after, events) => {
    const reported = events.findLast((event): event is StateEvent => event.event === 'state');
    if (reported === undefined) return;
    expect(reported.elapsed).toBe(elapsedAt(after, reported.now));
    expect([reported.deadline, reported.count, reported.error]).toEqual([
      after.deadline,
      after.count,
      after.error,
    ]);
  });

  let page: Extract<TraceEvent, { event: 'page' }> | undefined;
  always('the live page gives the elapsed time to within its error', (_, after, events, now) => {
    page = events.findLast((event) => event.event === 'page') ?? page;
    if (page === undefined) throw new Error('A machine reset writes it');
    const tick = NS_PER_S / page.frequency;
    for (const at of [now, now + 1n, now + tick - 1n, now + tick, now + 3n * NS_PER_S + 7n]) {
      const counted = (at / tick - page.counter) * tick;
      const read = page.accumulated + (page.state === STATUS.RUNNING ? counted : 0n);
      const error = read - elapsedAt(after, at);
      expect(error > -tick && error < tick).toBe(true);
    }
  });

  always('a split time is within the elapsed time', (before, after, events, now) => {
    for (const event of events) {
      if (event.event !== 'lap') continue;
      const least = before.status === 'PAUSED' ? elapsedAt(after, now) : before.elapsed;
      expect(event.split).toBeGreaterThanOrEqual(least);
      expect(event.split).toBeLessThanOrEqual(elapsedAt(after, now));
    }
  });

  always('its sequence number is even and rises by two', (before, after, events) => {
    const pages = events.filter(({ event }) => event === 'page');
    if (!events.some(({ event }) => event === 'reset'))
      expect(after.pageSeq).toBe(before.pageSeq + 2n * BigInt(pages.length));
    expect(after.pageSeq % 2n).toBe(0n);
  });

  it('reaches what it is about', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(operations, (list) => {
        for (const entry of perform(list).entries) {
          if (isEvent(entry)) seen.add(entry.event === 'error' ? `error ${entry.raised}` : entry.event);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
    expect([...seen].sort()).toEqual([
      'answer',
      'end',
      'error 1',
      'error 16',
      'error 2',
      'error 4',
      'error 8',
      'irq',
      'lap',
      'mem',
      'page',
      'read',
      'request',
      'requests',
      'reset',
      'ring',
      'state',
      'tail',
      'text',
      'timer',
      'write',
    ]);
  });
});
