// SPDX-License-Identifier: MIT
/**
 * Random scripts. Most operations are what a driver does, in any order; the
 * rest is what none should do. Values and times are drawn from their edges far
 * more often than from between them: two random numbers of 64 bits never meet.
 */
import { fc } from '../../vm/device-kit-fuzz.js';
import {
  COMMAND,
  ERROR_BIT,
  MEM_DATA,
  MEM_SIZE,
  MEM_SIZE_V1,
  NS_PER_HUNDREDTH,
  NS_PER_S,
  REGISTERS,
  REGS_SIZE,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
} from '../contract.js';
import type { Operation, Script, Width } from './script.js';

const SECOND = Number(NS_PER_S);
const HUNDREDTH = Number(NS_PER_HUNDREDTH);
const U64 = (1n << 64n) - 1n;

const width = fc.constantFrom<Width>(1, 2, 4, 8);
const wide = fc.constantFrom<Width>(8, 8, 8, 4);
const any64 = fc.bigInt({ min: 0n, max: U64 });

/**
 * Seconds and a little: timeouts are whole seconds or a few nanoseconds, so that
 * accesses fall just before, on and just after deadlines again and again.
 */
const moment = fc
  .tuple(
    fc.nat({ max: 24 }),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.constantFrom(-1, 1, 2, 3) },
      { weight: 2, arbitrary: fc.constantFrom(-1, 0, 1).chain(around) },
      { weight: 1, arbitrary: fc.nat({ max: SECOND }) },
    ),
  )
  .map(([seconds, ns]) => Math.max(0, seconds * SECOND + ns));
function around(ns: number): fc.Arbitrary<number> {
  return fc.nat({ max: 100 }).map((hundredths) => hundredths * HUNDREDTH + ns);
}
const at = fc.oneof(
  { weight: 40, arbitrary: moment },
  { weight: 6, arbitrary: fc.nat({ max: 12 }) },
  // Far past every deadline: hours, and the latest that a script can say is months.
  { weight: 2, arbitrary: moment.map((ns) => 1e13 + ns) },
  { weight: 1, arbitrary: moment.map((ns) => 5e15 + ns) },
);

const offsets = REGISTERS.map(({ offset }) => offset);
const registers = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...offsets) },
  { weight: 3, arbitrary: fc.nat({ max: 0x48 }) },
  { weight: 1, arbitrary: fc.constantFrom(0x40, 0x100, REGS_SIZE - 8, REGS_SIZE - 4, REGS_SIZE - 1) },
  { weight: 1, arbitrary: fc.integer({ min: -12, max: 8 }) },
  { weight: 1, arbitrary: fc.integer({ min: REGS_SIZE - 12, max: REGS_SIZE + 12 }) },
  { weight: 1, arbitrary: fc.nat({ max: REGS_SIZE }) },
);
/** The two fields, the ends of the version-1 and of the whole region, and anywhere. */
const places = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: MEM_DATA + 16 }) },
  { weight: 1, arbitrary: fc.integer({ min: MEM_SIZE_V1 - 12, max: MEM_SIZE_V1 + 12 }) },
  { weight: 1, arbitrary: fc.integer({ min: MEM_SIZE - 12, max: MEM_SIZE + 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: -12, max: 0 }) },
  { weight: 1, arbitrary: fc.nat({ max: MEM_SIZE }) },
);

const commands = Object.values(COMMAND);
const command = fc.constantFrom(...commands);
const noCommand = fc.oneof(
  { weight: 3, arbitrary: fc.bigInt({ min: 6n, max: 40n }) },
  // A command in the low half, and something above it.
  {
    weight: 3,
    arbitrary: fc.tuple(command, fc.nat({ max: 63 })).map(([low, bit]) => low | (1n << BigInt(bit))),
  },
  { weight: 1, arbitrary: any64 },
);
const length = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 1n, max: 12n }) },
  { weight: 3, arbitrary: fc.constantFrom(1n, TIMEOUT_MAX_NS, TIMEOUT_MAX_NS - 1n) },
  { weight: 5, arbitrary: fc.bigInt({ min: 1n, max: 12n }).map((seconds) => seconds * NS_PER_S) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(TIMEOUT_MAX_NS + 1n, 1n << 33n, 1n << 63n, (1n << 63n) - 1n, U64, 1n << 32n),
  },
  { weight: 1, arbitrary: any64 },
);
const seconds = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 1n, max: TIMEOUT_MAX_S }) },
  { weight: 3, arbitrary: fc.constantFrom(0n, TIMEOUT_MAX_S + 1n, U64, 1n << 32n, (1n << 32n) + 1n) },
  { weight: 1, arbitrary: fc.nat({ max: 63 }).map((bit) => 1n << BigInt(bit)) },
);
const KNOWN = Object.values(ERROR_BIT).length;

const constant = <const T>(value: T) => fc.constant(value);
const write = (
  region: 'mem' | 'regs',
  offset: fc.Arbitrary<number>,
  w: fc.Arbitrary<Width>,
  value: fc.Arbitrary<bigint>,
) =>
  fc
    .record({ at, op: constant('write'), region: constant(region), offset, width: w, value: value })
    .map(fits);

/** The value as far as the access is wide. */
function fits<T extends { readonly width: Width; readonly value: bigint }>(operation: T): T {
  return { ...operation, value: BigInt.asUintN(8 * operation.width, operation.value) };
}

const TIMEOUT_NS = REGISTERS.find(({ name }) => name === 'TIMEOUT_NS')?.offset ?? 0;
const ERROR = REGISTERS.find(({ name }) => name === 'ERROR')?.offset ?? 0;
const COMMAND_AT = REGISTERS.find(({ name }) => name === 'COMMAND')?.offset ?? 0;

const bare = (op: 'tick' | 'mem' | 'reset' | 'stop' | 'cont' | 'save' | 'reload') =>
  fc.record({ at, op: constant(op) });

const everyday: fc.WeightedArbitrary<Operation>[] = [
  { weight: 120, arbitrary: write('regs', constant(COMMAND_AT), wide, command) },
  { weight: 24, arbitrary: write('regs', constant(COMMAND_AT), wide, noCommand) },
  { weight: 50, arbitrary: write('regs', constant(TIMEOUT_NS), constant<Width>(8), length) },
  { weight: 14, arbitrary: write('regs', constant(TIMEOUT_NS), constant<Width>(8), constant(0n)) },
  {
    weight: 24,
    arbitrary: write(
      'regs',
      constant(ERROR),
      wide,
      fc.oneof(fc.bigInt({ min: 0n, max: (1n << BigInt(KNOWN)) - 1n }), any64),
    ),
  },
  { weight: 30, arbitrary: write('regs', registers, width, fc.oneof(command, length, any64)) },
  {
    weight: 40,
    arbitrary: fc.record({ at, op: constant('read'), region: constant('regs'), offset: registers, width }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ at, op: constant('read'), region: constant('mem'), offset: places, width }),
  },
  { weight: 45, arbitrary: write('mem', constant(0), constant<Width>(8), seconds) },
  { weight: 12, arbitrary: write('mem', places, width, fc.oneof(seconds, any64)) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        at,
        op: constant('fill'),
        region: constant('mem'),
        offset: places,
        length: fc.oneof(fc.integer({ min: 1, max: 24 }), fc.constantFrom(MEM_SIZE_V1, MEM_SIZE)),
        byte: fc.constantFrom(0, 1, 5, 0x20, 0xff),
      })
      .map(withinMem),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      at,
      op: constant('fill'),
      region: constant('regs'),
      offset: registers,
      length: fc.integer({ min: 1, max: 80 }),
      byte: fc.constantFrom(0, 1, 3, 0xff),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      at,
      op: constant('peek'),
      region: constant('regs'),
      offset: registers,
      length: fc.integer({ min: 1, max: 80 }),
    }),
  },
  { weight: 20, arbitrary: bare('tick') },
  { weight: 1, arbitrary: bare('mem') },
  { weight: 1, arbitrary: bare('reset') },
  { weight: 1, arbitrary: bare('stop') },
  { weight: 1, arbitrary: bare('cont') },
];

/** A fill that runs out of `mem` would be thousands of accesses to registers. */
function withinMem<T extends { readonly offset: number; readonly length: number }>(operation: T): T {
  return { ...operation, length: Math.max(1, Math.min(operation.length, MEM_SIZE + 4 - operation.offset)) };
}

function script(
  operation: fc.Arbitrary<Operation>,
  minLength: number,
  maxLength: number,
): fc.Arbitrary<Script> {
  return fc.record({
    startAtBoot: fc.constantFrom(true, true, true, false),
    // Absolute times: leaving out one operation moves no other.
    operations: fc
      .array(operation, { minLength, maxLength, size: 'max' })
      .map((list) => list.toSorted((a, b) => a.at - b.at)),
  });
}

/** Long, and without what costs a new process. */
export const scripts = script(fc.oneof(...everyday), 150, 450);
/** What must survive: timeouts in every state, and a state that is not the one after a reset. */
const lasting: fc.WeightedArbitrary<Operation>[] = [
  { weight: 60, arbitrary: write('regs', constant(COMMAND_AT), wide, command) },
  { weight: 50, arbitrary: write('regs', constant(TIMEOUT_NS), constant<Width>(8), length) },
  { weight: 15, arbitrary: write('mem', constant(0), constant<Width>(8), seconds) },
  { weight: 30, arbitrary: fc.oneof(...everyday) },
  { weight: 15, arbitrary: bare('tick') },
  { weight: 20, arbitrary: bare('reload') },
  { weight: 14, arbitrary: bare('save') },
  { weight: 16, arbitrary: bare('stop') },
  { weight: 14, arbitrary: bare('cont') },
  { weight: 12, arbitrary: bare('reset') },
];

/** Short, with the VM saved and loaded, stopped and reset again and again. */
export const eventful = script(fc.oneof(...lasting), 10, 40);
