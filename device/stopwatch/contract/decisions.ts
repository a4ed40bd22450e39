// SPDX-License-Identifier: MIT
/**
 * The contract's decision table: the effects of every operation in every state
 * of the stopwatch and of the timeout, computed from the contract's two tables.
 * The documentation, the model's tests and a search's coverage derive from it.
 */
import {
  announced,
  COMMAND,
  COMMAND_TABLE,
  type ErrorName,
  type Outcome,
  STATUS,
  type StatusName,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
  TIMEOUT_STATE,
  TIMEOUT_TABLE,
  type TimeoutOutcome,
  type TimeoutStateName,
} from './contract.js';
import { keys, namesByCode } from './names.js';

/** The kinds of writes that the tables distinguish. */
export const OPERATIONS = [
  'RESET',
  'START',
  'PAUSE',
  'UPDATE',
  'TIMEOUT',
  'TIMEOUT, out of range',
  'TIMEOUT_ACK',
  'LAP',
  'a value that is no command',
  'TIMEOUT_NS',
  'TIMEOUT_NS, out of range',
  'TIMEOUT_NS = 0',
  'DOORBELL',
  'DOORBELL, HEAD too far ahead',
] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** Everything that an operation changes. */
export interface Effects {
  /** The bit that is set in ERROR; nothing else changes then. */
  readonly error?: ErrorName;
  readonly status?: StatusName;
  /** Elapsed time becomes 0. */
  readonly zero?: true;
  /** The text and its length are written. */
  readonly text?: true;
  /** The elapsed time is appended to the lap ring. */
  readonly lap?: true;
  /** The requests in the ring are answered. */
  readonly answers?: true;
  /** `data_len` is read. */
  readonly consumes?: true;
  readonly timeout?: TimeoutStateName;
  /** The interrupt line falls. */
  readonly lowers?: true;
}

export interface Decision {
  readonly operation: OperationName;
  readonly status: StatusName;
  readonly timeout: TimeoutStateName;
  readonly effects: Effects;
}

const STATUSES = keys(STATUS);
const TIMEOUTS = keys(TIMEOUT_STATE);

/** In the order of OPERATIONS, then of STATUS, then of TIMEOUT_STATE: see `decisionIndex`. */
export const DECISIONS: readonly Decision[] = OPERATIONS.flatMap((operation) =>
  STATUSES.flatMap((status) =>
    TIMEOUTS.map((timeout) => ({
      operation,
      status,
      timeout,
      effects: effectsOf(operation, status, timeout),
    })),
  ),
);

export function decisionWords({ operation, status, timeout }: Decision): string {
  return `${operation} in ${status}, timeout ${timeout}`;
}

/** Place in DECISIONS. */
export function decisionIndex(
  operation: OperationName,
  status: StatusName,
  timeout: TimeoutStateName,
): number {
  const row = OPERATIONS.indexOf(operation) * STATUSES.length + STATUSES.indexOf(status);
  return row * TIMEOUTS.length + TIMEOUTS.indexOf(timeout);
}

/** The operation that a write of this value to COMMAND performs. `dataLen`: the value in `mem` at that time. */
export function commandOperation(value: bigint, dataLen: bigint): OperationName {
  const name = NAMES.get(value) ?? 'a value that is no command';
  if (name !== 'TIMEOUT') return name;
  return dataLen >= 1n && dataLen <= TIMEOUT_MAX_S ? name : 'TIMEOUT, out of range';
}
const NAMES = namesByCode(COMMAND);

/** The same for a write to TIMEOUT_NS. */
export function timeoutOperation(value: bigint): OperationName {
  if (value === 0n) return 'TIMEOUT_NS = 0';
  return value <= TIMEOUT_MAX_NS ? 'TIMEOUT_NS' : 'TIMEOUT_NS, out of range';
}

/** The same for a write to DOORBELL. */
export function doorbellOperation(tail: bigint, head: bigint): OperationName {
  return announced(tail, head) === undefined ? 'DOORBELL, HEAD too far ahead' : 'DOORBELL';
}

function effectsOf(operation: OperationName, status: StatusName, timeout: TimeoutStateName): Effects {
  switch (operation) {
    case 'a value that is no command':
      return { error: 'BAD_COMMAND' };
    case 'TIMEOUT':
    case 'TIMEOUT, out of range':
      return arming(COMMAND_TABLE.TIMEOUT[status], operation !== 'TIMEOUT', timeout);
    case 'TIMEOUT_NS':
    case 'TIMEOUT_NS, out of range':
      return armed(TIMEOUT_TABLE.arm[timeout], operation !== 'TIMEOUT_NS', {});
    case 'TIMEOUT_NS = 0':
      return settled(TIMEOUT_TABLE.cancel[timeout]);
    case 'DOORBELL':
      return status === 'RESET' ? { answers: true } : { answers: true, lap: true };
    case 'DOORBELL, HEAD too far ahead':
      return { error: 'BAD_STATE' };
    case 'TIMEOUT_ACK':
    case 'RESET':
    case 'START':
    case 'PAUSE':
    case 'UPDATE':
    case 'LAP':
    default:
      return commanded(COMMAND_TABLE[operation][status], timeout);
  }
}

function commanded(outcome: Outcome, timeout: TimeoutStateName): Effects {
  if ('error' in outcome) return { error: outcome.error };
  if ('to' in outcome) return { status: outcome.to, ...(outcome.elapsed === 'zero' ? { zero: true } : {}) };
  switch (outcome.does) {
    case 'nothing':
      return {};
    case 'text':
      return { text: true };
    case 'timeout-ack':
      return settled(TIMEOUT_TABLE.acknowledge[timeout]);
    case 'lap':
      return { lap: true };
    case 'timeout':
    default:
      throw new Error('Whether a timeout is armed depends on its length');
  }
}

function arming(outcome: Outcome, outOfRange: boolean, timeout: TimeoutStateName): Effects {
  if (!('does' in outcome) || outcome.does !== 'timeout') return commanded(outcome, timeout);
  return armed(TIMEOUT_TABLE.arm[timeout], outOfRange, { consumes: true });
}

/** `read`: what is read before the length is checked. BUSY is decided first. */
function armed(outcome: TimeoutOutcome, outOfRange: boolean, read: Pick<Effects, 'consumes'>): Effects {
  if ('error' in outcome) return { error: outcome.error };
  return outOfRange ? { error: 'BAD_TIMEOUT', ...read } : { timeout: 'PENDING', ...read };
}

function settled(outcome: TimeoutOutcome): Effects {
  if ('error' in outcome) return { error: outcome.error };
  switch (outcome.does) {
    case 'nothing':
      return {};
    case 'cancel':
      return { timeout: 'IDLE' };
    case 'acknowledge':
      return { timeout: 'IDLE', lowers: true };
    case 'arm':
    default:
      throw new Error('Only arming has a length');
  }
}
