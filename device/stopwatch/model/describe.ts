// SPDX-License-Identifier: MIT
/** Describes states, for comparing the model's with the device's. */
import { ERROR_BIT, STATUS, TIMEOUT_STATE } from '../contract/contract.js';
import { type ModelState, type Snapshot, snapshotAt } from './state.js';

const nameOf = (codes: Readonly<Record<string, bigint>>, code: bigint): string =>
  Object.entries(codes).find(([, value]) => value === code)?.[0] ?? `unknown (${code})`;

/** `BAD_STATE|BUSY`, or `none`. */
export function errorNames(bits: bigint): string {
  const known = Object.entries(ERROR_BIT).filter(([, bit]) => (bits >> BigInt(bit)) & 1n);
  const mask = known.reduce((all, [, bit]) => all | (1n << BigInt(bit)), 0n);
  const rest = bits & ~mask;
  const names = known.map(([name]) => name);
  if (rest !== 0n) names.push(`unknown 0x${rest.toString(16)}`);
  return names.join('|') || 'none';
}

/** One entry per field, in a fixed order. */
export function describeSnapshot(snapshot: Snapshot): Readonly<Record<string, string>> {
  return {
    status: nameOf(STATUS, snapshot.status),
    elapsed: `${snapshot.elapsed} ns`,
    timeout: nameOf(TIMEOUT_STATE, snapshot.timeout),
    deadline: snapshot.deadline === 0n ? 'none' : `${snapshot.deadline} ns`,
    count: String(snapshot.count),
    error: errorNames(snapshot.error),
  };
}

/** The model's state at `now`, in the same form as the device's. */
export function describe(state: ModelState, now: bigint): Readonly<Record<string, string>> {
  return describeSnapshot(snapshotAt(state, now));
}
