// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { ARRIVED, command, must, reach, writeTo } from '../../../test/support/drive.js';
import {
  COMMAND,
  COMMAND_TABLE,
  ERROR_BIT,
  NS_PER_S,
  REQUESTS_CAPACITY,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
} from './contract.js';
import {
  commandOperation,
  doorbellOperation,
  DECISIONS,
  decisionIndex,
  type Effects,
  type OperationName,
  OPERATIONS,
  timeoutOperation,
} from './decisions.js';
import { elapsedAt, type Effect, irqLevel, type ModelState, type Stimulus } from '../model/index.js';

const NOW = ARRIVED + 100n;
const ERRORS = ['BAD_COMMAND', 'BAD_STATE', 'BAD_TIMEOUT', 'BUSY', 'BAD_ACCESS'] as const;

const ns = (...values: bigint[]) => values.map((value) => writeTo('TIMEOUT_NS', NOW, value));
const seconds = (...values: bigint[]) => values.map((value) => command(NOW, COMMAND.TIMEOUT, value));

const request = (head: bigint, ...counters: bigint[]): Stimulus => ({
  ...writeTo('DOORBELL', NOW, 0n),
  requests: { head, counters },
});

/** The edges of what an operation can be, as writes. */
function writesOf(operation: OperationName): readonly Stimulus[] {
  switch (operation) {
    case 'a value that is no command':
      return [7n, 1n << 32n, (1n << 64n) - 1n].map((value) => command(NOW, value));
    case 'TIMEOUT':
      return seconds(1n, 3n, TIMEOUT_MAX_S);
    case 'TIMEOUT, out of range':
      return seconds(0n, TIMEOUT_MAX_S + 1n, (1n << 32n) + 1n, (1n << 64n) - 1n);
    case 'TIMEOUT_NS':
      return ns(1n, NS_PER_S, TIMEOUT_MAX_NS);
    case 'TIMEOUT_NS, out of range':
      return ns(TIMEOUT_MAX_NS + 1n, 1n << 63n, (1n << 64n) - 1n);
    case 'TIMEOUT_NS = 0':
      return ns(0n);
    case 'DOORBELL':
      return [request(1n, 0n), request(1n, (1n << 64n) - 1n)];
    case 'DOORBELL, HEAD too far ahead':
      return [request(REQUESTS_CAPACITY + 1n), request((1n << 64n) - 1n)];
    case 'RESET':
    case 'START':
    case 'PAUSE':
    case 'UPDATE':
    case 'TIMEOUT_ACK':
    case 'LAP':
    default:
      return [command(NOW, COMMAND[operation])];
  }
}

/** What became of a state, in the table's words. */
function effectsOf(before: ModelState, after: ModelState, effects: readonly Effect[]): Effects {
  const error = effects.find((one) => one.effect === 'error');
  const name = ERRORS.find((one) => error?.raised === 1n << BigInt(ERROR_BIT[one]));
  const has = (effect: Effect['effect']): boolean => effects.some((one) => one.effect === effect);
  const elapsed = elapsedAt(after, NOW);
  return {
    ...(name === undefined ? {} : { error: name }),
    ...(after.status === before.status ? {} : { status: after.status }),
    ...(elapsed === elapsedAt(before, NOW) ? {} : { zero: true }),
    ...(has('text') ? { text: true } : {}),
    ...(has('lap') ? { lap: true } : {}),
    ...(has('answer') ? { answers: true } : {}),
    ...(has('mem') ? { consumes: true } : {}),
    ...(after.timeout === before.timeout ? {} : { timeout: after.timeout }),
    ...(irqLevel(before) && !irqLevel(after) && has('irq') ? { lowers: true } : {}),
  };
}

describe('the decision table', () => {
  it('has a row for every command of the contract, and each decision once', () => {
    expect(OPERATIONS).toEqual(expect.arrayContaining(Object.keys(COMMAND_TABLE)));
    expect(DECISIONS).toHaveLength(OPERATIONS.length * 9);
    for (const [index, { operation, status, timeout }] of DECISIONS.entries())
      expect(decisionIndex(operation, status, timeout)).toBe(index);
  });

  it.each(OPERATIONS)('knows a write that is %s', (operation) => {
    for (const write of writesOf(operation)) {
      if (write.stimulus !== 'write') throw new Error('not a write');
      const { offset, value, dataLen = 0n, requests } = write;
      if (requests) expect(doorbellOperation(0n, requests.head)).toBe(operation);
      else expect(offset === 0n ? commandOperation(value, dataLen) : timeoutOperation(value)).toBe(operation);
    }
  });

  it.each(DECISIONS)('$operation in $status, timeout $timeout, is what the model does', (decision) => {
    const { operation, status, timeout, effects: decided } = decision;
    const before = reach(status, timeout);
    for (const write of writesOf(operation)) {
      const { state: after, effects } = must(before, write);
      // What does not change is not told: RESET in RESET stays in RESET with nothing elapsed.
      const told: Effects = { ...decided };
      const expected = Object.fromEntries(
        Object.entries(told).filter(
          ([name, value]) =>
            !(name === 'status' && value === status) && !(name === 'zero' && status === 'RESET'),
        ),
      );
      expect(effectsOf(before, after, effects)).toEqual(expected);
      if (decided.error !== undefined)
        expect(after).toEqual({ ...before, error: before.error | (1n << BigInt(ERROR_BIT[decided.error])) });
    }
  });
});
