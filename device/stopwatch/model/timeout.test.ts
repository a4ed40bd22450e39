// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { COMMAND, ERROR_BIT, type ErrorName, NS_PER_S } from '../contract/contract.js';
import {
  ARRIVED,
  command,
  must,
  offsetOf,
  PENDING_UNTIL,
  reach,
  valueAt,
  writeTo,
} from '../../../test/support/drive.js';
import { irqLevel } from './state.js';
import { step } from './step.js';
import { consumesMem } from './write.js';

const bit = (name: ErrorName): bigint => 1n << BigInt(ERROR_BIT[name]);

describe('the TIMEOUT command', () => {
  it.each([1n, 2n, 10n])('arms for %d seconds', (seconds) => {
    const { state } = must(reach('RUNNING', 'IDLE'), command(ARRIVED, COMMAND.TIMEOUT, seconds));
    expect([state.timeout, state.deadline]).toEqual(['PENDING', ARRIVED + seconds * NS_PER_S]);
  });

  it.each([0n, 11n, 13n, 1n << 32n, (1n << 64n) - 1n])('refuses %d seconds, having read them', (seconds) => {
    const before = reach('RUNNING', 'IDLE');
    const { state, effects } = must(before, command(ARRIVED, COMMAND.TIMEOUT, seconds));
    expect(state).toEqual({ ...before, error: bit('BAD_TIMEOUT') });
    expect(effects.map(({ effect }) => effect)).toEqual(['mem', 'error', 'log', 'state']);
  });

  it('reads data_len exactly while no timeout is pending or fired', () => {
    const access = { offset: offsetOf('COMMAND'), value: COMMAND.TIMEOUT, size: 8 };
    expect(consumesMem(reach('RESET', 'IDLE'), access)).toBe(true);
    expect(consumesMem(reach('RESET', 'IDLE'), { ...access, size: 4 })).toBe(true);
    expect(consumesMem(reach('RESET', 'PENDING'), access)).toBe(false);
    expect(consumesMem(reach('RESET', 'FIRED'), access)).toBe(false);
    expect(consumesMem(reach('RESET', 'IDLE'), { ...access, size: 2 })).toBe(false);
    expect(consumesMem(reach('RESET', 'IDLE'), { ...access, value: COMMAND.UPDATE })).toBe(false);
    expect(consumesMem(reach('RESET', 'IDLE'), { ...access, offset: offsetOf('TIMEOUT_NS') })).toBe(false);
  });

  it('cannot be judged without what was read', () => {
    expect(() => step(reach('RESET', 'IDLE'), command(ARRIVED, COMMAND.TIMEOUT))).toThrow(TypeError);
  });
});

describe('TIMEOUT_NS', () => {
  it.each([1n, 10_000_000_000n])('arms for %d ns and reads as the time left', (ns) => {
    const { state } = must(reach('PAUSED', 'IDLE'), writeTo('TIMEOUT_NS', ARRIVED, ns));
    expect(state.deadline).toBe(ARRIVED + ns);
    expect(valueAt(state, 'TIMEOUT_NS', ARRIVED)).toBe(ns);
    expect(valueAt(state, 'TIMEOUT_NS', ARRIVED + ns - 1n)).toBe(1n);
  });

  it.each([10_000_000_001n, (1n << 64n) - 1n])('refuses %d ns', (ns) => {
    const before = reach('PAUSED', 'IDLE');
    expect(must(before, writeTo('TIMEOUT_NS', ARRIVED, ns)).state).toEqual({
      ...before,
      error: bit('BAD_TIMEOUT'),
    });
  });

  it.each(['PENDING', 'FIRED'] as const)('is BUSY while %s, whatever the value', (timeout) => {
    for (const ns of [1n, 10_000_000_001n]) {
      const before = reach('RUNNING', timeout);
      expect(must(before, writeTo('TIMEOUT_NS', ARRIVED, ns)).state).toEqual({
        ...before,
        error: bit('BUSY'),
      });
    }
  });

  it('0 cancels a pending timeout, does nothing when idle, and is BAD_STATE when fired', () => {
    const zero = writeTo('TIMEOUT_NS', ARRIVED, 0n);
    const pending = reach('RUNNING', 'PENDING');
    const cancelled = must(pending, zero).state;
    expect(cancelled).toEqual({ ...pending, timeout: 'IDLE', deadline: 0n });
    expect(step(cancelled, { stimulus: 'timer', now: PENDING_UNTIL })).toMatchObject({
      failure: 'unexpected',
    });
    const idle = reach('RUNNING', 'IDLE');
    expect(must(idle, zero).state).toEqual(idle);
    const fired = reach('RUNNING', 'FIRED');
    expect(must(fired, zero).state).toEqual({ ...fired, error: bit('BAD_STATE') });
    expect(valueAt(fired, 'TIMEOUT_NS', ARRIVED)).toBe(0n);
  });
});

describe('the expiry', () => {
  const pending = reach('RUNNING', 'PENDING');

  it('raises the line and the count at its deadline, never before', () => {
    expect(step(pending, { stimulus: 'timer', now: PENDING_UNTIL - 1n })).toMatchObject({ failure: 'early' });
    const { state, effects } = must(pending, { stimulus: 'timer', now: PENDING_UNTIL });
    expect(irqLevel(state)).toBe(true);
    expect(effects[0]).toEqual({ effect: 'irq', level: true });
    expect(valueAt(state, 'TIMEOUT_COUNT', PENDING_UNTIL)).toBe(1n);
    expect(must(pending, { stimulus: 'timer', now: PENDING_UNTIL + 1_000n }).state.count).toBe(1n);
  });

  it('must have come before an access at or after the deadline', () => {
    const read = (now: bigint) => step(pending, { stimulus: 'read', now, offset: 0x28n, size: 8 });
    expect(read(PENDING_UNTIL - 1n).ok).toBe(true);
    expect(read(PENDING_UNTIL)).toMatchObject({ ok: false, failure: 'missing' });
    expect(step(pending, command(PENDING_UNTIL, COMMAND.RESET))).toMatchObject({ failure: 'missing' });
  });

  it('comes once', () => {
    const { state } = must(pending, { stimulus: 'timer', now: PENDING_UNTIL });
    expect(step(state, { stimulus: 'timer', now: PENDING_UNTIL })).toMatchObject({ failure: 'unexpected' });
    const again = must(state, command(PENDING_UNTIL, COMMAND.TIMEOUT_ACK)).state;
    expect(step(again, { stimulus: 'timer', now: PENDING_UNTIL })).toMatchObject({ failure: 'unexpected' });
  });
});

const MEM = { writes: true, frequency: 62_500_000n } as const;

describe('machine reset', () => {
  it('discards a timeout that is overdue: it neither counts nor raises the line', () => {
    const reset = { stimulus: 'reset', now: PENDING_UNTIL + 1n, startAtBoot: true, ...MEM } as const;
    const { state, effects } = must(reach('PAUSED', 'PENDING'), reset);
    expect([state.timeout, state.count]).toEqual(['IDLE', 0n]);
    expect(effects.map(({ effect }) => effect)).toEqual(['state', 'page', 'ring']);
  });
  it.each([true, false])(
    'restores power-on state, start_at_boot %s, and drops the line if it was high',
    (start) => {
      const fired = must(reach('PAUSED', 'FIRED'), command(ARRIVED, 99n)).state;
      const reset = { stimulus: 'reset', now: ARRIVED + 5n, startAtBoot: start, ...MEM } as const;
      const { state, effects } = must(fired, reset);
      expect(state).toMatchObject({
        status: start ? 'RUNNING' : 'RESET',
        elapsed: 0n,
        timeout: 'IDLE',
        count: 0n,
        error: 0n,
      });
      expect(effects.map(({ effect }) => effect)).toEqual(['irq', 'state', 'page', 'ring']);
      expect(valueAt(state, 'ELAPSED_NS', ARRIVED + 9n)).toBe(start ? 4n : 0n);
      expect(must(reach('RUNNING', 'PENDING'), reset).effects).not.toContainEqual(
        expect.objectContaining({ effect: 'irq' }),
      );
    },
  );
});

describe('a loaded state', () => {
  const saved = { pageSeq: 4n, disruption: 1n, laps: 3n, taken: 7n };
  const good = { status: 0n, elapsed: 5n, timeout: 1n, deadline: 900n, count: 2n, error: 0x1fn, ...saved };
  const load = (loaded: typeof good) =>
    step(reach('RESET', 'IDLE'), { stimulus: 'load', now: 100n, loaded, ...MEM });

  it('goes on from there', () => {
    const result = load(good);
    if (!result.ok) throw new Error(result.actual);
    expect(valueAt(result.state, 'ELAPSED_NS', 110n)).toBe(15n);
    expect(valueAt(result.state, 'TIMEOUT_NS', 110n)).toBe(790n);
  });

  it.each([
    ['an unknown status', { status: 3n }],
    ['an unknown timeout', { timeout: 3n }],
    ['negative time', { elapsed: -1n }],
    ['time in RESET', { status: 1n }],
    ['pending without a deadline', { deadline: 0n }],
    ['a deadline without a timeout', { timeout: 0n }],
    ['fired and never counted', { timeout: 2n, deadline: 0n, count: 0n }],
    ['unknown error bits', { error: 0x20n }],
    ['a live page being written', { pageSeq: 5n }],
  ])('is impossible with %s', (_, part) => {
    expect(load({ ...good, ...part })).toMatchObject({ ok: false, failure: 'impossible' });
  });
});
