// SPDX-License-Identifier: MIT
/**
 * Random scripts. Most operations are what a driver does, in any order; the
 * rest are what no driver should do. Values and times are usually taken from
 * their edge cases: two random 64-bit numbers never coincide.
 */
import {
  COMMAND,
  ERROR_BIT,
  LAPS_BYTES,
  LAPS_CAPACITY,
  MEM_DATA,
  MEM_LAPS,
  MEM_PAGE,
  MEM_REQUESTS,
  MEM_SIZE,
  MEM_SIZE_V1,
  NS_PER_HUNDREDTH,
  NS_PER_S,
  offsetOf,
  PAGE_SIZE,
  REGISTERS,
  type RegisterName,
  REGS_SIZE,
  REQUESTS_BYTES,
  REQUESTS_CAPACITY,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
} from '../contract/contract.js';
import { Random, weighted } from '../../../lab/search/device-kit.js';
import { type Operation, SAVED_FIELDS, type SavedField, type Script, type Width } from './script.js';

type Make<T> = (random: Random) => T;

const SECOND = Number(NS_PER_S);
const HUNDREDTH = Number(NS_PER_HUNDREDTH);
const U64 = (1n << 64n) - 1n;
const HOURS = 1e13;
const MONTHS = 5e15;

function oneOf<T>(...choices: readonly (readonly [weight: number, make: Make<T>])[]): Make<T> {
  const table = weighted(...choices);
  return (random) => random.pick(table)(random);
}
const from =
  <T>(choices: readonly T[]): Make<T> =>
  (random) =>
    random.pick(choices);
const between =
  (min: number, max: number): Make<number> =>
  (random) =>
    random.between(min, max);
const any64: Make<bigint> = (random) => random.word();

const width = from<Width>([1, 2, 4, 8]);
const wide = from<Width>([8, 8, 8, 4]);
const eight: Make<Width> = () => 8;

/**
 * Seconds and a little: timeouts are whole seconds or a few nanoseconds, so that
 * accesses fall just before, on and just after deadlines again and again.
 */
const little = oneOf<number>(
  [5, () => 0],
  [4, from([-1, 1, 2, 3])],
  [2, (random) => random.below(101) * HUNDREDTH + random.between(-1, 1)],
  [1, between(0, SECOND)],
);
const moment: Make<number> = (random) => Math.max(0, random.below(25) * SECOND + little(random));
const at = oneOf<number>(
  [40, moment],
  [6, between(0, 12)],
  // Far past every deadline: hours, or months, which is the latest time in a script.
  [2, (random) => HOURS + moment(random)],
  [1, (random) => MONTHS + moment(random)],
);

const registers = oneOf<number>(
  [4, from(REGISTERS.map(({ offset }) => offset))],
  [2, from(REGISTERS.map(({ offset }) => offset + 4))],
  [3, between(0, 0x50)],
  [1, from([0x48, 0x100, REGS_SIZE - 8, REGS_SIZE - 4, REGS_SIZE - 1])],
  [1, between(-12, 8)],
  [1, between(REGS_SIZE - 12, REGS_SIZE + 12)],
  [1, between(0, REGS_SIZE)],
);
/** The two fields, the live page, the rings, the ends of the version-1 and of the whole region, and anywhere. */
const places = oneOf<number>(
  [4, between(0, MEM_DATA + 16)],
  [2, between(MEM_PAGE - 4, MEM_PAGE + PAGE_SIZE)],
  [2, between(MEM_LAPS - 4, MEM_LAPS + LAPS_BYTES)],
  [2, between(MEM_REQUESTS - 4, MEM_REQUESTS + REQUESTS_BYTES)],
  [1, between(MEM_SIZE_V1 - 12, MEM_SIZE_V1 + 12)],
  [1, between(MEM_SIZE - 12, MEM_SIZE + 4)],
  [1, between(-12, 0)],
  [1, between(0, MEM_SIZE)],
);

const command = from<bigint>(Object.values(COMMAND));
const noCommand = oneOf<bigint>(
  [3, (random) => BigInt(random.between(7, 40))],
  // A command in the low half, and something above it.
  [3, (random) => command(random) | (1n << BigInt(random.below(64)))],
  [1, any64],
);
const length = oneOf<bigint>(
  [4, (random) => BigInt(random.between(1, 12))],
  [3, from([1n, TIMEOUT_MAX_NS, TIMEOUT_MAX_NS - 1n])],
  [5, (random) => BigInt(random.between(1, 12)) * NS_PER_S],
  [3, from([TIMEOUT_MAX_NS + 1n, 1n << 33n, 1n << 63n, (1n << 63n) - 1n, U64, 1n << 32n])],
  [1, any64],
);
const seconds = oneOf<bigint>(
  [6, (random) => BigInt(random.between(1, Number(TIMEOUT_MAX_S)))],
  [3, from([0n, TIMEOUT_MAX_S + 1n, U64, 1n << 32n, (1n << 32n) + 1n])],
  [1, (random) => 1n << BigInt(random.below(64))],
);
const ERRORS = 1 << Object.values(ERROR_BIT).length;
const errors = oneOf<bigint>([1, (random) => BigInt(random.below(ERRORS))], [1, any64]);

/** Makes an operation at a given time. */
type MakeAt = (random: Random, at: number) => Operation;

/** Writes as much of the value as fits into the access. */
const write =
  (region: 'mem' | 'regs', offset: Make<number>, bytes: Make<Width>, value: Make<bigint>): MakeAt =>
  (random, time) => {
    const made = bytes(random);
    const fits = BigInt.asUintN(8 * made, value(random));
    return { at: time, op: 'write', region, offset: offset(random), width: made, value: fits };
  };
const read =
  (region: 'mem' | 'regs', offset: Make<number>): MakeAt =>
  (random, time) => ({ at: time, op: 'read', region, offset: offset(random), width: width(random) });
const bare =
  (op: 'tick' | 'mem' | 'reset' | 'stop' | 'cont' | 'save' | 'reload'): MakeAt =>
  (_, time) => ({ at: time, op });
const register = (name: RegisterName): Make<number> => {
  const offset = offsetOf(name);
  return () => offset;
};

const fillMem: MakeAt = (random, time) => {
  const offset = places(random);
  const long = random.pick(FILLS)(random);
  // A longer one would run on into the registers, and become thousands of accesses.
  const fits = Math.max(1, Math.min(long, MEM_SIZE + 4 - offset));
  return {
    at: time,
    op: 'fill',
    region: 'mem',
    offset,
    length: fits,
    byte: random.pick([0, 1, 5, 0x20, 0xff]),
  };
};
const FILLS = [between(1, 24), from([MEM_SIZE_V1, MEM_SIZE])];
const fillRegisters: MakeAt = (random, time) => ({
  at: time,
  op: 'fill',
  region: 'regs',
  offset: registers(random),
  length: random.between(1, 80),
  byte: random.pick([0, 1, 3, 0xff]),
});
const peek: MakeAt = (random, time) => ({
  at: time,
  op: 'peek',
  region: 'regs',
  offset: registers(random),
  length: random.between(1, 80),
});

/** The longest time until a deadline, and one more. Each matters only while a timeout is pending. */
const LIMITS = [TIMEOUT_MAX_NS, TIMEOUT_MAX_NS + 1n];
/** Edge cases of what a saved field can be, and of what it cannot. */
const CORRUPTIONS: Readonly<Record<SavedField, readonly bigint[]>> = {
  version: [0n, 1n, 2n, 3n, 4n],
  status: [0n, 1n, 2n, 3n, 4n, (1n << 32n) - 1n],
  elapsed: [0n, 1n, NS_PER_S, 1n << 62n, 1n << 63n, U64],
  started: [0n, 1n, U64, U64 - NS_PER_S + 1n, TIMEOUT_MAX_NS],
  timeout: [0n, 1n, 2n, 3n, 4n, (1n << 32n) - 1n],
  deadline: [0n, 1n, 1n, 1n, U64, ...LIMITS, ...LIMITS, ...LIMITS, 1n << 62n, 1n << 63n],
  timeout_count: [0n, 1n, 1n << 63n],
  error: [0n, 1n, BigInt(ERRORS) - 1n, BigInt(ERRORS), BigInt(ERRORS) + 1n, U64, 1n << 63n],
  page_seq: [0n, 1n, 2n, (1n << 32n) - 2n, (1n << 32n) - 1n],
  disruption: [0n, 1n, U64],
  laps: [0n, LAPS_CAPACITY - 1n, LAPS_CAPACITY, U64],
};
/** Weights: some fields have more edge cases, and some matter in one state of the timeout only. */
const OFTEN: Partial<Record<SavedField, number>> = { deadline: 4, timeout: 2, timeout_count: 3, elapsed: 2 };
const OFTEN_CHANGED = weighted(...SAVED_FIELDS.map((field) => [OFTEN[field] ?? 1, field] as const));
const corrupt: MakeAt = (random, time) => {
  const field = random.pick(OFTEN_CHANGED);
  return { at: time, op: 'corrupt', field, value: random.pick(CORRUPTIONS[field]) };
};

const arm = write('regs', register('TIMEOUT_NS'), wide, length);
const order = write('regs', register('COMMAND'), wide, command);
const lap = write('regs', register('COMMAND'), wide, () => COMMAND.LAP);
/** Ticks since a lap: now, a little, some seconds (a tick is 16 ns), before everything, or in the future. */
const ago = oneOf<bigint>(
  [4, (random) => BigInt(random.below(4))],
  [4, (random) => BigInt(Math.floor(moment(random) / 16))],
  [2, from([U64, U64 - 1n, 1n << 60n, 1n << 63n, (1n << 63n) + 1n])],
  [1, any64],
);
/** As many as there are, or another HEAD. */
const request: MakeAt = (random, time) => {
  const most = random.below(8) === 0 ? Number(REQUESTS_CAPACITY) : 4;
  const counters = Array.from({ length: random.between(0, most) }, () => ago(random));
  const ahead = random.below(4) === 0 ? random.pick(AHEAD) : BigInt(counters.length);
  return { at: time, op: 'request', ago: counters, ahead };
};
/** HEAD and the doorbell apart, so that something can happen in between. */
const announce = write(
  'mem',
  () => MEM_REQUESTS,
  eight,
  (random) => BigInt(random.below(50)),
);
const ring = write('regs', register('DOORBELL'), wide, any64);
const AHEAD = [REQUESTS_CAPACITY, REQUESTS_CAPACITY + 1n, U64, 1n << 63n, 1n << 32n, 1n];
const operand = write('mem', () => 0, eight, seconds);

/** Nothing that starts a new process. A QMP command costs QEMU as much as a hundred operations: it reads it byte by byte. */
const EVERYDAY = weighted<MakeAt>(
  [960, order],
  [192, write('regs', register('COMMAND'), wide, noCommand)],
  [200, lap],
  [400, arm],
  [112, write('regs', register('TIMEOUT_NS'), wide, () => 0n)],
  [192, write('regs', register('ERROR'), wide, errors)],
  [240, write('regs', registers, width, oneOf([1, command], [1, length], [1, any64]))],
  [320, read('regs', registers)],
  [80, read('mem', places)],
  [360, operand],
  [80, request],
  [96, write('mem', places, width, oneOf([1, seconds], [1, any64]))],
  [32, fillMem],
  [24, fillRegisters],
  [24, peek],
  [160, bare('tick')],
  [1, bare('mem')],
  [1, bare('reset')],
  [1, bare('stop')],
  [1, bare('cont')],
);

/** For saving and loading: timeouts in every state, and states that differ from the one after a reset. */
const EVENTFUL = weighted<MakeAt>(
  [60, order],
  [70, arm],
  [15, operand],
  [20, request],
  [15, announce],
  [15, ring],
  [30, (random, time) => random.pick(EVERYDAY)(random, time)],
  [15, bare('tick')],
  [4, bare('mem')],
  [20, bare('reload')],
  [30, corrupt],
  [14, bare('save')],
  [16, bare('stop')],
  [14, bare('cont')],
  [12, bare('reset')],
);

/** Number of operations. A script's end, with a machine reset, takes as long as dozens of operations. */
const LENGTH = { everyday: [600, 1800], eventful: [10, 40] } as const;

/** Script number `index` of the campaign with this seed. `eventful`: a short script that saves, loads, stops and resets the VM many times. */
export function makeScript(seed: number, index: number, eventful: boolean): Script {
  const random = new Random(seed, index);
  const [shortest, longest] = eventful ? LENGTH.eventful : LENGTH.everyday;
  // Absolute times: leaving out one operation moves no other.
  const times = new Float64Array(random.between(shortest, longest));
  for (let place = 0; place < times.length; place++) times[place] = at(random);
  times.sort();
  const kinds = eventful ? EVENTFUL : EVERYDAY;
  const operations: Operation[] = [];
  for (const time of times) operations.push(random.pick(kinds)(random, time));
  return { startAtBoot: random.below(4) !== 0, operations };
}
