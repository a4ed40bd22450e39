// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { TraceWriter } from '../../../test/support/trace-writer.js';
import { ARRIVED, ELAPSED_THEN, must, reach, writeTo } from '../../../test/support/drive.js';
import { Crosscheck } from '../../../vm/crosscheck/index.js';
import { stopwatchChecker } from '../checker/checker.js';
import { COMMAND, ERROR_BIT, offsetOf, SPLIT_NONE, type StatusName } from '../contract/contract.js';
import type { ModelState } from './state.js';

/** Of one tick of the counter that `reach` has. */
const TICK = 16n;
const NOW = ARRIVED + 10n * TICK;
const U64 = (1n << 64n) - 1n;
const STARTED = ARRIVED - ELAPSED_THEN;

function ring(state: ModelState, counters: readonly bigint[], head = state.taken + BigInt(counters.length)) {
  const result = must(state, {
    ...writeTo('DOORBELL', NOW, 0n),
    requests: { head: BigInt.asUintN(64, head), counters },
  });
  const splits = result.effects.flatMap((one) => (one.effect === 'answer' ? [one.split] : []));
  const laps = result.effects.flatMap((one) => (one.effect === 'lap' ? [one.split] : []));
  return { ...result, splits, laps };
}

/** A state after requests were taken. */
const taken = (status: StatusName, count: bigint): ModelState => ({ ...reach(status, 'IDLE'), taken: count });

describe('the request ring', () => {
  it('times each lap by the counter of the guest', () => {
    const counters = [NOW / TICK - 2n, NOW / TICK, NOW / TICK - 5n];
    const { splits, laps, state } = ring(reach('RUNNING', 'IDLE'), counters);
    expect(splits).toEqual(counters.map((counter) => counter * TICK - STARTED));
    expect(laps).toEqual(splits);
    expect(state).toMatchObject({ laps: 3n, taken: 3n });
  });

  it.each([
    ['in the future', NOW / TICK + 1n, NOW - STARTED],
    ['that no counter has reached', U64, NOW - STARTED],
    ['negative, were it signed', 1n << 63n, NOW - STARTED],
    ['of before START', STARTED / TICK - 1n, 0n],
    ['of 0', 0n, 0n],
  ])('limits a counter %s', (_, counter, split) => {
    expect(ring(reach('RUNNING', 'IDLE'), [counter]).splits).toEqual([split]);
  });

  it('takes the time that is kept while PAUSED, and has none in RESET', () => {
    expect(ring(reach('PAUSED', 'IDLE'), [0n, U64]).laps).toEqual([ELAPSED_THEN, ELAPSED_THEN]);
    const { splits, laps, state } = ring(reach('RESET', 'IDLE'), [0n, 1n]);
    expect([splits, laps]).toEqual([[SPLIT_NONE, SPLIT_NONE], []]);
    expect(state).toMatchObject({ taken: 2n, laps: 0n, error: 0n });
  });

  it('takes the time of the doorbell where the counter is not known', () => {
    const state = { ...reach('RUNNING', 'IDLE'), frequency: 0n };
    expect(ring(state, [0n]).splits).toEqual([NOW - STARTED]);
  });

  it('counts on past 2^64', () => {
    expect(ring(taken('RUNNING', U64), [1n, 2n]).state.taken).toBe(1n);
  });

  it('writes the tail for an empty ring too', () => {
    expect(ring(taken('RUNNING', 9n), []).effects.map(({ effect }) => effect)).toEqual([
      'requests',
      'tail',
      'state',
    ]);
  });

  it.each([
    ['one more than there are entries', 42n],
    ['back', 8n],
    ['very far', 9n + (1n << 63n)],
  ])('refuses a HEAD that is %s', (_, head) => {
    const before = taken('RUNNING', 9n);
    const { state, effects } = ring(before, [], head);
    expect(state).toEqual({ ...before, error: 1n << BigInt(ERROR_BIT.BAD_STATE) });
    expect(effects.map(({ effect }) => effect)).toEqual(['requests', 'error', 'log', 'state']);
  });
});

/** A stream with two doorbells: three requests, and a HEAD that is too far. */
function stream(): string[] {
  const trace = new TraceWriter();
  const doorbell = offsetOf('DOORBELL');
  trace.reset(0n);
  trace.write(1600n, doorbell, 7n, { requests: { head: 3n, counters: [10n, 20n, U64] } });
  trace.write(1700n, doorbell, 0n, { requests: { head: 99n, counters: [] } });
  trace.write(1800n, 0, COMMAND.LAP);
  trace.end(2000n);
  return trace.lines();
}
function verdictOf(lines: readonly string[]) {
  const crosscheck = new Crosscheck(stopwatchChecker({ slackNs: 0n }), { coverage: true });
  crosscheck.feed(`${lines.join('\n')}\n`);
  return crosscheck.end();
}

describe('the cross-check of the request ring', () => {
  it('agrees, and counts requests and laps', () => {
    const { result, counts } = verdictOf(stream());
    expect(result).toBe('agree');
    expect(counts).toMatchObject({ doorbells: 2, requests: 3, laps: 4, rejected: 1 });
  });

  it.each([
    [/answer .* number=1 split=320/, 'split=320', 'split=321', 'answer.split'],
    [/lap .* index=0 split=160/, 'split=160', 'split=161', 'lap.split'],
    [/tail .* tail=3/, 'tail=3', 'tail=2', 'tail.taken'],
  ])('finds another value in %s', (line, old, replacement, field) => {
    const lines = stream();
    const changed = lines.map((one) => (line.test(one) ? one.replace(old, replacement) : one));
    expect(changed).not.toEqual(lines);
    expect(verdictOf(changed)).toMatchObject({
      result: 'differ',
      divergence: { field, register: 'DOORBELL' },
    });
  });

  it('finds a request that was not taken', () => {
    const lines = stream().filter((line) => !line.includes('_request id=stopwatch seq=6'));
    const renumbered = lines.map((line, index) => line.replace(/seq=\d+/, `seq=${index}`));
    expect(verdictOf(renumbered)).toMatchObject({
      result: 'differ',
      divergence: { kind: 'event', expected: 'request', actual: 'lap' },
    });
  });
});
