// SPDX-License-Identifier: MIT
/** Describes a failing operation: what differs, and the states of the model and the device. */
import type { Failed, FailureReport, ObservedAnswer } from '../../../lab/search/device-kit.js';
import { MEM_DATA, registerAt, STATUS } from '../contract/contract.js';
import { commandName, describe, errorNames, irqLevel, type ModelState, snapshotAt } from '../model/index.js';
import type { Operation, Script } from './script.js';
import { observedRegisters, planOf } from './plan.js';
import { WINDOWS } from './simulated.js';

export function describeFailure(
  script: Script,
  failed: Failed,
  observed: readonly ObservedAnswer[],
): FailureReport {
  const states = { ...statesAt(script, failed.operation), device: deviceState(observed) };
  if (failed.result !== 'differs')
    return { compared: failed.result, expected: 'an answer', actual: failed.what, states };
  return { ...difference(failed), states };
}

function difference({
  part,
  expected,
  actual,
}: Failed & { result: 'differs' }): Omit<FailureReport, 'states'> {
  const irq = [expected, actual].some((line) => line.startsWith('IRQ '));
  if (irq) return { compared: 'interrupt line', expected: irqText(expected), actual: irqText(actual) };
  const should = observedRegisters(expected);
  const is = observedRegisters(actual);
  if (part === 'registers' && should && is) {
    const name = Object.keys(should).find((one) => should[one] !== is[one]) ?? '';
    return { compared: name, expected: valueText(name, should[name]), actual: valueText(name, is[name]) };
  }
  if (Object.hasOwn(WINDOWS, part) || part.startsWith('mem'))
    return { compared: part, ...memDifference(expected, actual) };
  return { compared: part, expected, actual };
}

function irqText(line: string): string {
  return line.startsWith('IRQ ') ? (line.includes('raise') ? 'rises' : 'falls') : 'does not change';
}

function valueText(name: string, value: bigint | undefined): string {
  if (value === undefined) return 'nothing';
  if (name === 'STATUS')
    return Object.entries(STATUS).find(([, code]) => code === value)?.[0] ?? `unknown (${value})`;
  return name === 'ERROR' ? errorNames(value) : String(value);
}

function memDifference(expected: string, actual: string): { expected: string; actual: string } {
  const should = Buffer.from(expected.slice(3), 'base64');
  const is = Buffer.from(actual.slice(3), 'base64');
  const at = should.findIndex((byte, index) => byte !== is[index]);
  if (at < 0) return { expected, actual };
  return { expected: bytesAt(should, at), actual: bytesAt(is, at) };
}

function bytesAt(all: Buffer, at: number): string {
  if (at < MEM_DATA && all.length >= MEM_DATA) return `data_len ${all.readBigUInt64LE(0)}`;
  return `from 0x${at.toString(16)}: ${JSON.stringify(all.toString('latin1', at, at + 24))}`;
}

function statesAt(script: Script, operation: number): Pick<FailureReport['states'], 'before' | 'model'> {
  const found: Record<'before' | 'model', Readonly<Record<string, string>>> = { before: {}, model: {} };
  planOf(script, {
    base: 0n,
    each: (index, { now, state }) => {
      if (index < operation) found.before = stateText(state, now);
      if (index === operation) found.model = stateText(state, now);
    },
  });
  return found;
}

function stateText(state: ModelState, now: bigint): Readonly<Record<string, string>> {
  const { deadline: _, timeout, ...rest } = describe(state, now);
  const left = state.timeout === 'PENDING' ? state.deadline - now : 0n;
  return {
    ...rest,
    elapsed: String(snapshotAt(state, now).elapsed),
    timeout: timeout ?? '',
    left: String(left),
    line: irqLevel(state) ? 'high' : 'low',
  };
}

function deviceState(observed: readonly ObservedAnswer[]): Readonly<Record<string, string>> {
  const answer = observed.findLast(({ part }) => part === 'registers')?.answer;
  const registers = answer === undefined ? undefined : observedRegisters(answer);
  if (registers === undefined) return {};
  return {
    status: valueText('STATUS', registers['STATUS']),
    elapsed: String(registers['ELAPSED_NS']),
    count: String(registers['TIMEOUT_COUNT']),
    error: valueText('ERROR', registers['ERROR']),
    left: String(registers['TIMEOUT_NS']),
  };
}

/** Time and operation: `0 ns  write COMMAND = 4 (TIMEOUT), 8 bytes`. */
export function describeOperation(operation: Operation): string {
  return `${operation.at} ns  ${operationText(operation)}`;
}

function operationText(operation: Operation): string {
  switch (operation.op) {
    case 'read':
    case 'write': {
      const value = operation.op === 'write' ? ` = ${valueOf(operation.value)}` : '';
      const command =
        operation.op === 'write' && placeOf(operation) === 'COMMAND' && operation.width >= 4
          ? commandName(operation.value)
          : undefined;
      return `${operation.op} ${placeOf(operation)}${value}${command ? ` (${command})` : ''}, ${operation.width} bytes`;
    }
    case 'peek':
      return `read ${operation.length} bytes from ${placeOf(operation)}`;
    case 'fill':
      return `write ${operation.length} bytes of 0x${operation.byte.toString(16)} at ${placeOf(operation)}`;
    case 'request': {
      const ago = operation.ago.map((ticks) => BigInt.asIntN(64, ticks));
      return `requests of ${ago.join(', ') || 'no'} ticks ago, HEAD ${BigInt.asIntN(64, operation.ahead)} ahead of TAIL, and the doorbell`;
    }
    case 'tick':
      return 'time passes';
    case 'mem':
      return 'compare all of mem';
    case 'reset':
      return 'machine reset';
    case 'stop':
      return 'stop the VM';
    case 'cont':
      return 'continue the VM';
    case 'save':
      return 'begin to save the VM';
    case 'reload':
      return 'save the VM, and load it into a new process';
    case 'corrupt':
      return `save the VM, change its ${operation.field} to ${valueOf(operation.value)}, and load that into a new process`;
    default:
      return operation satisfies never;
  }
}

function valueOf(value: bigint): string {
  return value < 1n << 40n ? String(value) : `0x${value.toString(16)}`;
}

function placeOf({ region, offset }: { readonly region: 'mem' | 'regs'; readonly offset: number }): string {
  const name = region === 'regs' ? registerAt(offset)?.name : undefined;
  if (name !== undefined) return name;
  if (region === 'mem' && offset === 0) return 'data_len';
  const sign = offset < 0 ? '-' : '+';
  return `${region}${sign}0x${Math.abs(offset).toString(16)}`;
}
