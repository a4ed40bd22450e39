// SPDX-License-Identifier: MIT
/** Random runs of the stopwatch for property tests. Times are absolute: leaving out one operation moves no other. */
import * as fc from 'fast-check';
import { COMMAND, NS_PER_S, REGISTERS, TIMEOUT_MAX_NS } from '../../device/stopwatch/contract/contract.js';
import { TraceWriter, type MonitorLines } from './trace-writer.js';

export type Operation = { readonly at: bigint } & (
  | {
      readonly kind: 'write';
      readonly offset: number;
      readonly value: bigint;
      readonly size: number;
      readonly dataLen: bigint;
      /** Of the requests in the ring. */
      readonly counters?: readonly bigint[] | undefined;
    }
  | { readonly kind: 'read'; readonly offset: number; readonly size: number }
  /** Time passes: a pending timeout is served if it is due. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'reset'; readonly startAtBoot: boolean }
);

const U64 = (1n << 64n) - 1n;
/** Mostly what a driver does, sometimes what none should. */
const offset = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...REGISTERS.map((register) => register.offset)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xfff }) },
);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.constant(8) },
  { weight: 2, arbitrary: fc.constant(4) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 8 }) },
);
const command = fc.constantFrom(...Object.values(COMMAND));
const value = fc.oneof(
  { weight: 3, arbitrary: command },
  { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 40n }) },
  { weight: 2, arbitrary: fc.constantFrom(0n, 1n, TIMEOUT_MAX_NS, TIMEOUT_MAX_NS + 1n, U64) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: U64 }) },
);
const dataLen = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 11n }) },
  { weight: 1, arbitrary: fc.constantFrom(13n, U64) },
);
/** Up to 20 s of virtual time, often on a whole second, so that deadlines are met to the nanosecond. */
const at = fc.oneof(
  { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 20n }).map((seconds) => seconds * NS_PER_S) },
  { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: 20n * NS_PER_S }) },
);

const counters = fc.array(fc.oneof(fc.bigInt({ min: 0n, max: (20n * NS_PER_S) / 16n }), value), {
  maxLength: 3,
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      at,
      kind: fc.constant('write' as const),
      offset: fc.constant(0),
      value: command,
      size: fc.constantFrom(4, 8),
      dataLen,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ at, kind: fc.constant('write' as const), offset, value, size, dataLen, counters }),
  },
  { weight: 5, arbitrary: fc.record({ at, kind: fc.constant('read' as const), offset, size }) },
  { weight: 3, arbitrary: fc.record({ at, kind: fc.constant('tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ at, kind: fc.constant('reset' as const), startAtBoot: fc.boolean() }) },
);

/** Operations in the order of their times. `size: 'max'`, or fast-check stays with about ten. */
export const operations: fc.Arbitrary<Operation[]> = fc
  .array(operation, { maxLength: 60, size: 'max' })
  .map((list) => list.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)));

/** Carries them out from power-on to the end marker; `each` is called after every one. */
export function perform(
  list: readonly Operation[],
  each: (writer: TraceWriter, operation: Operation) => void = () => {},
  monitor?: MonitorLines,
): TraceWriter {
  const writer = new TraceWriter(monitor);
  writer.reset(0n);
  let now = 0n;
  for (const one of list) {
    now = one.at;
    if (one.kind === 'write') {
      // An empty list stands for a HEAD that is behind.
      const ahead = BigInt(one.counters?.length || -1);
      const requests = {
        head: BigInt.asUintN(64, writer.state.taken + ahead),
        counters: one.counters ?? [],
      };
      writer.write(now, one.offset, one.value, { size: one.size, dataLen: one.dataLen, requests });
    }
    if (one.kind === 'read') writer.read(now, one.offset, one.size);
    if (one.kind === 'tick') writer.expire(now);
    if (one.kind === 'reset') {
      writer.expire(now);
      writer.reset(now, one.startAtBoot);
    }
    each(writer, one);
  }
  writer.expire(now);
  writer.end(now);
  return writer;
}
