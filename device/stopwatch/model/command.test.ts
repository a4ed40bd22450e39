// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  COMMAND,
  COMMAND_TABLE,
  ERROR_BIT,
  STATUS,
  TIMEOUT_STATE,
  TIMEOUT_TABLE,
} from '../contract/contract.js';
import { ARRIVED, command, ELAPSED_THEN, must, PENDING_UNTIL, reach } from '../../../test/support/drive.js';
import { elapsedAt, snapshotAt } from './state.js';

const keys = <K extends string>(map: Readonly<Record<K, unknown>>): K[] =>
  Object.keys(map).filter((key): key is K => key in map);
const STATUSES = keys(STATUS);
const TIMEOUTS = keys(TIMEOUT_STATE);
const COMMANDS = keys(COMMAND);
const CASES = COMMANDS.flatMap((name) =>
  STATUSES.flatMap((status) => TIMEOUTS.map((timeout) => ({ name, status, timeout }))),
);

/** The contract's table as its specification prints it: a second statement, so that an edit of either is noticed. */
const SPECIFIED: Record<string, Record<string, string>> = {
  RESET: { RESET: 'RESET', RUNNING: 'RESET', PAUSED: 'RESET' },
  START: { RESET: 'RUNNING', RUNNING: 'BAD_STATE', PAUSED: 'RUNNING' },
  PAUSE: { RESET: 'BAD_STATE', RUNNING: 'PAUSED', PAUSED: 'PAUSED' },
  UPDATE: { RESET: 'text', RUNNING: 'text', PAUSED: 'text' },
  LAP: { RESET: 'BAD_STATE', RUNNING: 'lap', PAUSED: 'lap' },
};
const SPECIFIED_TIMEOUT: Record<string, Record<string, string>> = {
  TIMEOUT: { IDLE: 'PENDING', PENDING: 'BUSY', FIRED: 'BUSY' },
  TIMEOUT_ACK: { IDLE: 'BAD_STATE', PENDING: 'BAD_STATE', FIRED: 'IDLE' },
};

describe('every command in every status and state of the timeout', () => {
  it.each(CASES)('$name in $status, timeout $timeout', ({ name, status, timeout }) => {
    const before = reach(status, timeout);
    const now = ARRIVED + 100n;
    const { state: after, effects } = must(before, command(now, COMMAND[name], 3n));
    const specified = SPECIFIED[name]?.[status] ?? SPECIFIED_TIMEOUT[name]?.[timeout];
    const kinds = effects.map(({ effect }) => effect);
    const bit = Object.entries(ERROR_BIT).find(([error]) => error === specified)?.[1];
    if (bit !== undefined) {
      const raised = 1n << BigInt(bit);
      expect(effects[0]).toEqual({ effect: 'error', raised, error: raised });
      expect(after).toEqual({ ...before, error: raised });
      expect(kinds).toEqual(['error', 'log', 'state']);
      return;
    }
    expect(after.error).toBe(0n);
    if (specified === 'text') {
      expect(after).toEqual(before);
      expect(kinds).toEqual(['text', 'state']);
    } else if (specified === 'lap') {
      expect(after).toEqual({ ...before, laps: 1n });
      const split = status === 'RUNNING' ? ELAPSED_THEN + 100n : ELAPSED_THEN;
      expect(effects[0]).toEqual({ effect: 'lap', index: 0n, split, laps: 1n });
    } else if (specified === 'PENDING') {
      expect(after).toEqual({ ...before, timeout: 'PENDING', deadline: now + 3_000_000_000n });
      expect(kinds).toEqual(['mem', 'state']);
    } else if (specified === 'IDLE') {
      expect(after).toEqual({ ...before, timeout: 'IDLE' });
      expect(effects[0]).toEqual({ effect: 'irq', level: false });
    } else {
      expect(after.status).toBe(specified);
      // A change of status leaves the timeout alone.
      expect([after.timeout, after.deadline, after.count]).toEqual([
        before.timeout,
        before.deadline,
        before.count,
      ]);
      const elapsed =
        specified === 'RESET' || status === 'RESET'
          ? 0n
          : status === 'RUNNING'
            ? ELAPSED_THEN + 100n
            : ELAPSED_THEN;
      expect(elapsedAt(after, now)).toBe(elapsed);
      expect(elapsedAt(after, now + 7n)).toBe(specified === 'RUNNING' ? elapsed + 7n : elapsed);
      // Only what the table calls a change rewrites the live page: RESET always, PAUSE in PAUSED not.
      const changes = name === 'RESET' || status !== specified;
      expect(kinds).toEqual(changes ? ['state', 'page'] : ['state']);
    }
    expect(effects.findLast(({ effect }) => effect === 'state')).toEqual({
      effect: 'state',
      ...snapshotAt(after, now),
    });
  });

  it('covers the contract’s tables', () => {
    expect([...Object.keys(SPECIFIED), ...Object.keys(SPECIFIED_TIMEOUT)].sort()).toEqual(
      Object.keys(COMMAND_TABLE).sort(),
    );
    expect(CASES).toHaveLength(63);
    expect(Object.keys(TIMEOUT_TABLE)).toEqual(['arm', 'cancel', 'acknowledge']);
    expect(PENDING_UNTIL).toBeGreaterThan(ARRIVED + 100n);
  });

  it.each(STATUSES)('what is no command is BAD_COMMAND in %s', (status) => {
    for (const value of [7n, 8n, 0xffn, 0x1_0000_0001n, (1n << 64n) - 1n]) {
      const before = reach(status, 'IDLE');
      const { state, effects } = must(before, command(ARRIVED, value));
      expect(state).toEqual({ ...before, error: 1n });
      expect(effects[0]).toEqual({ effect: 'error', raised: 1n, error: 1n });
    }
  });
});

describe('UPDATE', () => {
  it.each([
    [0n, '0.00 seconds'],
    [9_999_999n, '0.00 seconds'],
    [10_000_000n, '0.01 seconds'],
    [999_999_999n, '0.99 seconds'],
    [1_000_000_000n, '1.00 seconds'],
    [12_349_999_999n, '12.34 seconds'],
    [60_000_000_000n, '60.00 seconds'],
    [(1n << 63n) - 1n, '9223372036.85 seconds'],
  ])('%d ns is "%s"', (elapsed, text) => {
    const begun = must(reach('RESET', 'IDLE'), {
      stimulus: 'reset',
      now: 0n,
      startAtBoot: true,
      writes: true,
      frequency: 0n,
    }).state;
    const { effects } = must(begun, command(elapsed, COMMAND.UPDATE));
    expect(effects[0]).toEqual({ effect: 'text', text, dataLen: BigInt(text.length + 1) });
  });
});
