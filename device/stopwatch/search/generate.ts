// SPDX-License-Identifier: MIT
/**
 * Random scripts. Most operations are what a driver does, in any order; the
 * rest is what none should do. Values and times are drawn from their edges far
 * more often than from between them: two random numbers of 64 bits never meet.
 */
import {
  COMMAND,
  ERROR_BIT,
  MEM_DATA,
  MEM_SIZE,
  MEM_SIZE_V1,
  NS_PER_HUNDREDTH,
  NS_PER_S,
  offsetOf,
  REGISTERS,
  type RegisterName,
  REGS_SIZE,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
} from '../contract.js';
import { Draw, weighted } from '../../../lab/search/device-kit.js';
import { FORGED, type ForgedField, type Operation, type Script, type Width } from './script.js';

type Make<T> = (draw: Draw) => T;

const SECOND = Number(NS_PER_S);
const HUNDREDTH = Number(NS_PER_HUNDREDTH);
const U64 = (1n << 64n) - 1n;
const HOURS = 1e13;
const MONTHS = 5e15;

function oneOf<T>(...choices: readonly (readonly [weight: number, make: Make<T>])[]): Make<T> {
  const table = weighted(...choices);
  return (draw) => draw.of(table)(draw);
}
const from =
  <T>(choices: readonly T[]): Make<T> =>
  (draw) =>
    draw.of(choices);
const between =
  (min: number, max: number): Make<number> =>
  (draw) =>
    draw.between(min, max);
const any64: Make<bigint> = (draw) => draw.word();

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
  [2, (draw) => draw.below(101) * HUNDREDTH + draw.between(-1, 1)],
  [1, between(0, SECOND)],
);
const moment: Make<number> = (draw) => Math.max(0, draw.below(25) * SECOND + little(draw));
const at = oneOf<number>(
  [40, moment],
  [6, between(0, 12)],
  // Far past every deadline: hours, and the latest that a script can say is months.
  [2, (draw) => HOURS + moment(draw)],
  [1, (draw) => MONTHS + moment(draw)],
);

const registers = oneOf<number>(
  [4, from(REGISTERS.map(({ offset }) => offset))],
  [3, between(0, 0x48)],
  [1, from([0x40, 0x100, REGS_SIZE - 8, REGS_SIZE - 4, REGS_SIZE - 1])],
  [1, between(-12, 8)],
  [1, between(REGS_SIZE - 12, REGS_SIZE + 12)],
  [1, between(0, REGS_SIZE)],
);
/** The two fields, the ends of the version-1 and of the whole region, and anywhere. */
const places = oneOf<number>(
  [4, between(0, MEM_DATA + 16)],
  [1, between(MEM_SIZE_V1 - 12, MEM_SIZE_V1 + 12)],
  [1, between(MEM_SIZE - 12, MEM_SIZE + 4)],
  [1, between(-12, 0)],
  [1, between(0, MEM_SIZE)],
);

const command = from<bigint>(Object.values(COMMAND));
const noCommand = oneOf<bigint>(
  [3, (draw) => BigInt(draw.between(6, 40))],
  // A command in the low half, and something above it.
  [3, (draw) => command(draw) | (1n << BigInt(draw.below(64)))],
  [1, any64],
);
const length = oneOf<bigint>(
  [4, (draw) => BigInt(draw.between(1, 12))],
  [3, from([1n, TIMEOUT_MAX_NS, TIMEOUT_MAX_NS - 1n])],
  [5, (draw) => BigInt(draw.between(1, 12)) * NS_PER_S],
  [3, from([TIMEOUT_MAX_NS + 1n, 1n << 33n, 1n << 63n, (1n << 63n) - 1n, U64, 1n << 32n])],
  [1, any64],
);
const seconds = oneOf<bigint>(
  [6, (draw) => BigInt(draw.between(1, Number(TIMEOUT_MAX_S)))],
  [3, from([0n, TIMEOUT_MAX_S + 1n, U64, 1n << 32n, (1n << 32n) + 1n])],
  [1, (draw) => 1n << BigInt(draw.below(64))],
);
const ERRORS = 1 << Object.values(ERROR_BIT).length;
const errors = oneOf<bigint>([1, (draw) => BigInt(draw.below(ERRORS))], [1, any64]);

/** An operation but for its time, which is drawn before. */
type MakeAt = (draw: Draw, at: number) => Operation;

/** The value as far as the access is wide. */
const write =
  (region: 'mem' | 'regs', offset: Make<number>, bytes: Make<Width>, value: Make<bigint>): MakeAt =>
  (draw, time) => {
    const made = bytes(draw);
    const fits = BigInt.asUintN(8 * made, value(draw));
    return { at: time, op: 'write', region, offset: offset(draw), width: made, value: fits };
  };
const read =
  (region: 'mem' | 'regs', offset: Make<number>): MakeAt =>
  (draw, time) => ({ at: time, op: 'read', region, offset: offset(draw), width: width(draw) });
const bare =
  (op: 'tick' | 'mem' | 'reset' | 'stop' | 'cont' | 'save' | 'reload'): MakeAt =>
  (_, time) => ({ at: time, op });
const register = (name: RegisterName): Make<number> => {
  const offset = offsetOf(name);
  return () => offset;
};

const fillMem: MakeAt = (draw, time) => {
  const offset = places(draw);
  const long = draw.of(FILLS)(draw);
  // One that ran on into the registers would be thousands of accesses to them.
  const fits = Math.max(1, Math.min(long, MEM_SIZE + 4 - offset));
  return { at: time, op: 'fill', region: 'mem', offset, length: fits, byte: draw.of([0, 1, 5, 0x20, 0xff]) };
};
const FILLS = [between(1, 24), from([MEM_SIZE_V1, MEM_SIZE])];
const fillRegisters: MakeAt = (draw, time) => ({
  at: time,
  op: 'fill',
  region: 'regs',
  offset: registers(draw),
  length: draw.between(1, 80),
  byte: draw.of([0, 1, 3, 0xff]),
});
const peek: MakeAt = (draw, time) => ({
  at: time,
  op: 'peek',
  region: 'regs',
  offset: registers(draw),
  length: draw.between(1, 80),
});

/** The longest that a timeout can have to go, and one beyond: each counts only while one is pending. */
const LIMITS = [TIMEOUT_MAX_NS, TIMEOUT_MAX_NS + 1n];
/** The edges of what a saved field can be, and of what it cannot. */
const FORGERIES: Readonly<Record<ForgedField, readonly bigint[]>> = {
  version: [0n, 1n, 2n, 3n],
  status: [0n, 1n, 2n, 3n, 4n, (1n << 32n) - 1n],
  elapsed: [0n, 1n, NS_PER_S, 1n << 62n, 1n << 63n, U64],
  started: [0n, 1n, U64, U64 - NS_PER_S + 1n, TIMEOUT_MAX_NS],
  timeout: [0n, 1n, 2n, 3n, 4n, (1n << 32n) - 1n],
  deadline: [0n, 1n, 1n, 1n, U64, ...LIMITS, ...LIMITS, ...LIMITS, 1n << 62n, 1n << 63n],
  timeout_count: [0n, 1n, 1n << 63n],
  error: [0n, 1n, BigInt(ERRORS) - 1n, BigInt(ERRORS), BigInt(ERRORS) + 1n, U64, 1n << 63n],
};
/** Some have more edges than others, and some count in one state of the timeout only. */
const OFTEN: Partial<Record<ForgedField, number>> = { deadline: 4, timeout: 2, timeout_count: 3, elapsed: 2 };
const FORGED_OFTEN = weighted(...FORGED.map((field) => [OFTEN[field] ?? 1, field] as const));
const forge: MakeAt = (draw, time) => {
  const field = draw.of(FORGED_OFTEN);
  return { at: time, op: 'forge', field, value: draw.of(FORGERIES[field]) };
};

const arm = write('regs', register('TIMEOUT_NS'), eight, length);
const order = write('regs', register('COMMAND'), wide, command);
const operand = write('mem', () => 0, eight, seconds);

/** Without what costs a new process. A command of QMP costs QEMU as much as a hundred operations: it reads it byte by byte. */
const EVERYDAY = weighted<MakeAt>(
  [960, order],
  [192, write('regs', register('COMMAND'), wide, noCommand)],
  [400, arm],
  [112, write('regs', register('TIMEOUT_NS'), eight, () => 0n)],
  [192, write('regs', register('ERROR'), wide, errors)],
  [240, write('regs', registers, width, oneOf([1, command], [1, length], [1, any64]))],
  [320, read('regs', registers)],
  [80, read('mem', places)],
  [360, operand],
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

/** What must survive: timeouts in every state, and a state that is not the one after a reset. */
const EVENTFUL = weighted<MakeAt>(
  [60, order],
  [70, arm],
  [15, operand],
  [30, (draw, time) => draw.of(EVERYDAY)(draw, time)],
  [15, bare('tick')],
  [4, bare('mem')],
  [20, bare('reload')],
  [30, forge],
  [14, bare('save')],
  [16, bare('stop')],
  [14, bare('cont')],
  [12, bare('reset')],
);

/** Operations of a script: between its end and the next one's start all of `mem` is read and the machine reset, which takes as long as dozens of them. */
const LENGTH = { everyday: [600, 1800], eventful: [10, 40] } as const;

/** The script with this number of the campaign with this seed. `eventful`: short, with the VM saved and loaded, stopped and reset again and again. */
export function makeScript(seed: number, index: number, eventful: boolean): Script {
  const draw = new Draw(seed, index);
  const [shortest, longest] = eventful ? LENGTH.eventful : LENGTH.everyday;
  // Absolute times: leaving out one operation moves no other.
  const times = new Float64Array(draw.between(shortest, longest));
  for (let place = 0; place < times.length; place++) times[place] = at(draw);
  times.sort();
  const kinds = eventful ? EVENTFUL : EVERYDAY;
  const operations: Operation[] = [];
  for (const time of times) operations.push(draw.of(kinds)(draw, time));
  return { startAtBoot: draw.below(4) !== 0, operations };
}
