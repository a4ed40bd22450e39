// SPDX-License-Identifier: MIT
/**
 * The stopwatch's contract: registers, commands, states, errors, limits.
 *
 * This is the one place where an offset or a code is written down. The C
 * header (`driver/stopwatch/stopwatch_hw-sw.h`), the reference model and the register
 * documentation are all derived from it. Units: byte offsets, nanoseconds of
 * QEMU_CLOCK_VIRTUAL, seconds where a name says so.
 */

/** High half of the ID register: "SWCH" in ASCII. */
export const MAGIC = 0x53574348n;
/** Low half of the ID register: the version of this contract. */
export const VERSION = 4n;

/** Bytes of the trapping region, `regs`. */
export const REGS_SIZE = 0x1000;
/** Bytes of `regs` on a version-1 device. */
export const REGS_SIZE_V1 = 0x10;
/** Bytes of the pass-through region, `mem`: whole pages, or the guest would trap on it. */
export const MEM_SIZE = 0x10000;
/** Bytes of `mem` on a version-1 device: one u64 and the text. */
export const MEM_SIZE_V1 = 136;
/** Offset in `mem` of `u64 data_len`. */
export const MEM_DATA_LEN = 0x0;
/** Offset in `mem` of `char data[DATA_SIZE]`. */
export const MEM_DATA = 0x8;
/** Bytes of `data`. */
export const DATA_SIZE = 128;

/** A field of the live page or of a ring, little-endian, naturally aligned. */
export interface MemField {
  readonly name: string;
  /** Byte offset in the structure. */
  readonly offset: number;
  readonly bytes: 4 | 8;
  readonly meaning: string;
}

/** Offset in `mem` of the live page. */
export const MEM_PAGE = 0x1000;
/** First field of the live page: "SWPG" in ASCII. */
export const PAGE_MAGIC = 0x53575047n;
/** Version of the live page's layout. A later one only adds fields at the end. */
export const PAGE_VERSION = 1n;
/** Bits of the live page's `flags`. */
export const PAGE_FLAG_BIT = { COUNTER_INVALID: 0 } as const;

export const PAGE = [
  { name: 'MAGIC', offset: 0x00, bytes: 4, meaning: 'constant' },
  { name: 'SIZE', offset: 0x04, bytes: 4, meaning: 'bytes of this structure' },
  { name: 'VERSION', offset: 0x08, bytes: 4, meaning: 'of this structure' },
  { name: 'SEQ', offset: 0x0c, bytes: 4, meaning: 'odd while the device writes the fields below' },
  { name: 'DISRUPTION', offset: 0x10, bytes: 8, meaning: 'differs after time has jumped' },
  { name: 'FLAGS', offset: 0x18, bytes: 8, meaning: 'bit 0, COUNTER_INVALID: read ELAPSED_NS instead' },
  { name: 'STATE', offset: 0x20, bytes: 8, meaning: 'as in STATUS' },
  { name: 'ACCUMULATED', offset: 0x28, bytes: 8, meaning: 'elapsed nanoseconds at `COUNTER`' },
  { name: 'COUNTER', offset: 0x30, bytes: 8, meaning: "the guest's counter when the device wrote this" },
  { name: 'FREQUENCY', offset: 0x38, bytes: 8, meaning: 'of the counter, Hz' },
  { name: 'ERROR', offset: 0x40, bytes: 8, meaning: 'bound of the error, nanoseconds: one tick' },
] as const satisfies readonly MemField[];
/** Bytes of the live page's structure. */
export const PAGE_SIZE = 0x48;

/** Offset in `mem` of the lap ring. */
export const MEM_LAPS = 0x2000;
/** Where the lap ring's part of `mem` ends. */
export const MEM_LAPS_END = 0x3000;
/** Entries of the lap ring. */
export const LAPS_CAPACITY = 64n;
/** Offset in the lap ring of `u64 head`. */
export const LAPS_HEAD = 0x0;
/** Offset in the lap ring of `u64 capacity`. */
export const LAPS_SIZE = 0x8;
/** Offset in the lap ring of `u64 entries[LAPS_CAPACITY]`. */
export const LAPS_ENTRIES = 0x10;
export const LAPS = [
  { name: 'HEAD', offset: LAPS_HEAD, bytes: 8, meaning: 'laps appended since machine reset' },
  { name: 'CAPACITY', offset: LAPS_SIZE, bytes: 8, meaning: 'number of entries' },
  { name: 'ENTRIES', offset: LAPS_ENTRIES, bytes: 8, meaning: 'split times, nanoseconds' },
] as const satisfies readonly MemField[];
/** Bytes of the lap ring. */
export const LAPS_BYTES = LAPS_ENTRIES + 8 * Number(LAPS_CAPACITY);

/** Offset in `mem` of the request ring. */
export const MEM_REQUESTS = 0x3000;
/** Where the request ring's part of `mem` ends. */
export const MEM_REQUESTS_END = 0x4000;
/** Entries of the request ring: a full one takes half of the lap ring. */
export const REQUESTS_CAPACITY = 32n;
/** Offset in the request ring of `u64 head`, `u64 tail`, and of entry 0. */
export const REQUESTS_HEAD = 0x0;
export const REQUESTS_TAIL = 0x8;
export const REQUESTS_ENTRIES = 0x10;
/** Bytes of an entry, and the offsets in it of `u64 counter` and `u64 split`. */
export const REQUEST_BYTES = 0x10;
export const REQUEST_COUNTER = 0x0;
export const REQUEST_SPLIT = 0x8;
/** The answer to a request in RESET, where there is no split time. */
export const SPLIT_NONE = (1n << 64n) - 1n;
export const REQUESTS = [
  {
    name: 'HEAD',
    offset: REQUESTS_HEAD,
    bytes: 8,
    meaning: 'requests made since machine reset, written by the guest',
  },
  {
    name: 'TAIL',
    offset: REQUESTS_TAIL,
    bytes: 8,
    meaning: 'requests taken since machine reset, written by the device',
  },
  { name: 'ENTRIES', offset: REQUESTS_ENTRIES, bytes: 8, meaning: 'of 16 bytes: see below' },
] as const satisfies readonly MemField[];
export const REQUEST = [
  {
    name: 'COUNTER',
    offset: REQUEST_COUNTER,
    bytes: 8,
    meaning: "the guest's counter at the lap, written by the guest",
  },
  {
    name: 'SPLIT',
    offset: REQUEST_SPLIT,
    bytes: 8,
    meaning: 'split time in nanoseconds, written by the device; all ones: none',
  },
] as const satisfies readonly MemField[];
/** Bytes of the request ring. */
export const REQUESTS_BYTES = REQUESTS_ENTRIES + REQUEST_BYTES * Number(REQUESTS_CAPACITY);

/** How a register may be used: W performs something and reads 0; W1C clears the bits written as 1. */
export type Access = 'W' | 'R' | 'R/W' | 'R/W1C';

/**
 * One register of `regs`. All are 64 bits wide and little-endian. They take
 * accesses of 8 bytes, reads of 4 bytes of either half, and writes of 4 bytes of
 * the low half, as if the high half were written as 0.
 */
export interface Register {
  readonly name: string;
  /** Byte offset in `regs`. */
  readonly offset: number;
  readonly access: Access;
  /** First version of the contract that has it. */
  readonly since: 1 | 2 | 4;
  readonly meaning: string;
}

export const REGISTERS = [
  {
    name: 'COMMAND',
    offset: 0x00,
    access: 'W',
    since: 1,
    meaning: 'performs a command; reads 0',
  },
  {
    name: 'STATUS',
    offset: 0x08,
    access: 'R',
    since: 1,
    meaning: 'state of the stopwatch',
  },
  {
    name: 'ID',
    offset: 0x10,
    access: 'R',
    since: 2,
    meaning: 'magic in the high half, contract version in the low half',
  },
  {
    name: 'FEATURES',
    offset: 0x18,
    access: 'R',
    since: 2,
    meaning: 'one bit per optional feature',
  },
  {
    name: 'ERROR',
    offset: 0x20,
    access: 'R/W1C',
    since: 2,
    meaning: 'sticky error bits; write 1 to clear',
  },
  {
    name: 'ELAPSED_NS',
    offset: 0x28,
    access: 'R',
    since: 2,
    meaning: 'elapsed time in nanoseconds',
  },
  {
    name: 'TIMEOUT_NS',
    offset: 0x30,
    access: 'R/W',
    since: 2,
    meaning: 'write 1 to 10^10: arm; write 0: cancel a pending timeout; read: time left',
  },
  {
    name: 'TIMEOUT_COUNT',
    offset: 0x38,
    access: 'R',
    since: 2,
    meaning: 'timeouts fired since machine reset',
  },
  {
    name: 'DOORBELL',
    offset: 0x40,
    access: 'W',
    since: 4,
    meaning: 'takes the requests in the ring, whatever value is written; reads 0',
  },
] as const satisfies readonly Register[];

export type RegisterName = (typeof REGISTERS)[number]['name'];

/** Values of the COMMAND register. */
export const COMMAND = {
  RESET: 0n,
  START: 1n,
  PAUSE: 2n,
  UPDATE: 3n,
  TIMEOUT: 4n,
  TIMEOUT_ACK: 5n,
  LAP: 6n,
} as const;
export type CommandName = keyof typeof COMMAND;

/** Values of the STATUS register. */
export const STATUS = { RUNNING: 0n, RESET: 1n, PAUSED: 2n } as const;
export type StatusName = keyof typeof STATUS;

/** Bit numbers of the ERROR register. */
export const ERROR_BIT = {
  BAD_COMMAND: 0,
  BAD_STATE: 1,
  BAD_TIMEOUT: 2,
  BUSY: 3,
  BAD_ACCESS: 4,
} as const;
export type ErrorName = keyof typeof ERROR_BIT;

/** Bit numbers of the FEATURES register; 6 and up are reserved for later versions. */
export const FEATURE_BIT = {
  ERROR: 0,
  ELAPSED_NS: 1,
  TIMEOUT: 2,
  LIVE_PAGE: 3,
  LAPS: 4,
  REQUESTS: 5,
} as const;
/** Value of the FEATURES register. */
export const FEATURES = Object.values(FEATURE_BIT).reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n);

/** Longest timeout that TIMEOUT_NS takes, in nanoseconds; the shortest is 1. */
export const TIMEOUT_MAX_NS = 10_000_000_000n;
/** Longest timeout that the TIMEOUT command takes, in seconds; the shortest is 1. */
export const TIMEOUT_MAX_S = 10n;
export const NS_PER_S = 1_000_000_000n;
/** UPDATE truncates to hundredths of a second. */
export const NS_PER_HUNDREDTH = 10_000_000n;

/** State of the one timeout, as the device's trace reports it. */
export const TIMEOUT_STATE = { IDLE: 0n, PENDING: 1n, FIRED: 2n } as const;
export type TimeoutStateName = keyof typeof TIMEOUT_STATE;

/** What a command does: a new status, an error, or what the footnotes of the contract say. */
export type Outcome =
  | { readonly to: StatusName; readonly elapsed?: 'zero' }
  | { readonly error: ErrorName }
  | { readonly does: 'nothing' | 'text' | 'timeout' | 'timeout-ack' | 'lap' };

/**
 * The decision table: command × status → outcome. `timeout` and `timeout-ack`
 * depend on TIMEOUT_TABLE instead of the status. A value that is no command is
 * BAD_COMMAND in every status.
 */
export const COMMAND_TABLE: Readonly<Record<CommandName, Readonly<Record<StatusName, Outcome>>>> = {
  RESET: {
    RESET: { to: 'RESET', elapsed: 'zero' },
    RUNNING: { to: 'RESET', elapsed: 'zero' },
    PAUSED: { to: 'RESET', elapsed: 'zero' },
  },
  START: { RESET: { to: 'RUNNING' }, RUNNING: { error: 'BAD_STATE' }, PAUSED: { to: 'RUNNING' } },
  PAUSE: { RESET: { error: 'BAD_STATE' }, RUNNING: { to: 'PAUSED' }, PAUSED: { does: 'nothing' } },
  UPDATE: { RESET: { does: 'text' }, RUNNING: { does: 'text' }, PAUSED: { does: 'text' } },
  TIMEOUT: { RESET: { does: 'timeout' }, RUNNING: { does: 'timeout' }, PAUSED: { does: 'timeout' } },
  TIMEOUT_ACK: {
    RESET: { does: 'timeout-ack' },
    RUNNING: { does: 'timeout-ack' },
    PAUSED: { does: 'timeout-ack' },
  },
  LAP: { RESET: { error: 'BAD_STATE' }, RUNNING: { does: 'lap' }, PAUSED: { does: 'lap' } },
};

/** What an operation on the timeout does, by the timeout's state. */
export type TimeoutOutcome =
  | { readonly error: ErrorName }
  | { readonly does: 'nothing' | 'arm' | 'cancel' | 'acknowledge' };

/**
 * Operation on the timeout × timeout state → outcome. BUSY is decided before a
 * value is looked at, and before `data_len` is read. `arm` with a value out of
 * range is BAD_TIMEOUT.
 */
export const TIMEOUT_TABLE = {
  /** The TIMEOUT command, and a write to TIMEOUT_NS of anything but 0. */
  arm: { IDLE: { does: 'arm' }, PENDING: { error: 'BUSY' }, FIRED: { error: 'BUSY' } },
  /** A write of 0 to TIMEOUT_NS. */
  cancel: { IDLE: { does: 'nothing' }, PENDING: { does: 'cancel' }, FIRED: { error: 'BAD_STATE' } },
  /** The TIMEOUT_ACK command. */
  acknowledge: {
    IDLE: { error: 'BAD_STATE' },
    PENDING: { error: 'BAD_STATE' },
    FIRED: { does: 'acknowledge' },
  },
} as const satisfies Record<string, Readonly<Record<TimeoutStateName, TimeoutOutcome>>>;

/** The register at this offset, or undefined. */
export function registerAt(offset: number): (typeof REGISTERS)[number] | undefined {
  return REGISTERS.find((register) => register.offset === offset);
}

/** Byte offset in `regs` of the register with this name. */
export function offsetOf(name: RegisterName): number {
  const register = REGISTERS.find((one) => one.name === name);
  if (register === undefined) throw new RangeError(`There is no register ${name}`);
  return register.offset;
}

/** How many requests this HEAD announces; undefined if there cannot be as many. */
export function announced(tail: bigint, head: bigint): number | undefined {
  const count = BigInt.asUintN(64, head - tail);
  return count <= REQUESTS_CAPACITY ? Number(count) : undefined;
}
