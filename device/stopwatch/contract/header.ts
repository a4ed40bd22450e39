// SPDX-License-Identifier: MIT
/** The C header shared by the QEMU device and the Linux driver, as text: a pure function of the contract. */
import {
  COMMAND,
  DATA_SIZE,
  ERROR_BIT,
  FEATURE_BIT,
  LAPS,
  LAPS_BYTES,
  LAPS_CAPACITY,
  MAGIC,
  MEM_DATA,
  MEM_DATA_LEN,
  MEM_LAPS,
  MEM_PAGE,
  MEM_REQUESTS,
  MEM_SIZE,
  MEM_SIZE_V1,
  PAGE,
  PAGE_FLAG_BIT,
  PAGE_MAGIC,
  PAGE_SIZE,
  PAGE_VERSION,
  REGISTERS,
  REGS_SIZE,
  REGS_SIZE_V1,
  REQUEST,
  REQUEST_BYTES,
  REQUESTS,
  REQUESTS_BYTES,
  REQUESTS_CAPACITY,
  SPLIT_NONE,
  STATUS,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
  VERSION,
} from './contract.js';

/** `#define NAME VALUE`, the values of a block in one column. Spaces, not tabs: QEMU's checkpatch refuses tabs, Linux's takes both. */
function block(comment: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `#define ${name.padEnd(width)} ${value}`);
  return `/* ${comment} */\n${lines.join('\n')}\n`;
}

const hex = (value: number | bigint, digits = 2): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** The rows `PREFIX_NAME value` of a map of the contract. */
function entries<T>(map: Record<string, T>, prefix: string, show: (value: T) => string) {
  return Object.entries(map).map(([name, value]) => [`${prefix}_${name}`, show(value)] as const);
}

/** Text of `driver/stopwatch/stopwatch_hw-sw.h`. */
export function header(): string {
  return [
    '/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */\n' +
      '/*\n * Hardware-software interface of the stopwatch, shared by the QEMU device and\n' +
      ' * the Linux driver. Generated from device/stopwatch/contract/contract.ts: edit\n * that file, not this one.\n */\n' +
      '#ifndef STOPWATCH_HW_SW_H\n#define STOPWATCH_HW_SW_H\n',
    block('Offsets in the trapping region, "regs": 64-bit registers, little-endian', [
      ...REGISTERS.map((r) => [`STOPWATCH_${r.name}`, hex(r.offset)] as const),
      ['STOPWATCH_REGS_SIZE', hex(REGS_SIZE)],
      ['STOPWATCH_REGS_SIZE_V1', hex(REGS_SIZE_V1)],
    ]),
    block('The pass-through region, "mem": u64 data_len, then char data[]', [
      ['STOPWATCH_MEM_DATA_LEN', hex(MEM_DATA_LEN)],
      ['STOPWATCH_MEM_DATA', hex(MEM_DATA)],
      ['STOPWATCH_DATA_SIZE', String(DATA_SIZE)],
      ['STOPWATCH_MEM_SIZE', hex(MEM_SIZE)],
      ['STOPWATCH_MEM_SIZE_V1', String(MEM_SIZE_V1)],
    ]),
    block('The live page, at MEM_PAGE in "mem": offsets of its fields', [
      ['STOPWATCH_MEM_PAGE', hex(MEM_PAGE)],
      ...PAGE.map((field) => [`STOPWATCH_PAGE_${field.name}`, hex(field.offset)] as const),
      ['STOPWATCH_PAGE_BYTES', hex(PAGE_SIZE)],
    ]),
    block('Values of its fields', [
      ['STOPWATCH_PAGE_MAGIC_VALUE', hex(PAGE_MAGIC)],
      ['STOPWATCH_PAGE_VERSION_VALUE', String(PAGE_VERSION)],
      ...entries(PAGE_FLAG_BIT, 'STOPWATCH_PAGE_FLAG', (bit) => hex(1 << bit)),
    ]),
    block('The lap ring, at MEM_LAPS in "mem": offsets of its fields', [
      ['STOPWATCH_MEM_LAPS', hex(MEM_LAPS)],
      ...LAPS.map((field) => [`STOPWATCH_LAPS_${field.name}`, hex(field.offset)] as const),
      ['STOPWATCH_LAPS_CAPACITY_VALUE', String(LAPS_CAPACITY)],
      ['STOPWATCH_LAPS_BYTES', hex(LAPS_BYTES)],
    ]),
    block('The request ring, at MEM_REQUESTS in "mem": offsets of its fields, and in an entry', [
      ['STOPWATCH_MEM_REQUESTS', hex(MEM_REQUESTS)],
      ...REQUESTS.map((field) => [`STOPWATCH_REQUESTS_${field.name}`, hex(field.offset)] as const),
      ['STOPWATCH_REQUESTS_CAPACITY', String(REQUESTS_CAPACITY)],
      ['STOPWATCH_REQUESTS_BYTES', hex(REQUESTS_BYTES)],
      ...REQUEST.map((field) => [`STOPWATCH_REQUEST_${field.name}`, hex(field.offset)] as const),
      ['STOPWATCH_REQUEST_BYTES', hex(REQUEST_BYTES)],
      ['STOPWATCH_SPLIT_NONE', `${hex(SPLIT_NONE)}ULL`],
    ]),
    block('ID: the magic in the high half, the contract version in the low half', [
      ['STOPWATCH_MAGIC', hex(MAGIC)],
      ['STOPWATCH_VERSION', String(VERSION)],
    ]),
    block(
      'Values of COMMAND',
      entries(COMMAND, 'STOPWATCH_CMD', (v) => String(v)),
    ),
    block(
      'Values of STATUS',
      entries(STATUS, 'STOPWATCH_STATUS', (v) => String(v)),
    ),
    block('Bits of ERROR', [
      ...entries(ERROR_BIT, 'STOPWATCH_ERR', (bit) => hex(1 << bit)),
      [
        'STOPWATCH_ERR_ALL',
        hex(Object.values(ERROR_BIT).reduce<number>((mask, bit) => mask | (1 << bit), 0)),
      ],
    ]),
    block(
      'Bits of FEATURES',
      entries(FEATURE_BIT, 'STOPWATCH_FEATURE', (bit) => hex(1 << bit)),
    ),
    block('Longest timeouts: TIMEOUT_NS in nanoseconds, the TIMEOUT command in seconds', [
      ['STOPWATCH_TIMEOUT_MAX_NS', `${TIMEOUT_MAX_NS}ULL`],
      ['STOPWATCH_TIMEOUT_MAX_S', String(TIMEOUT_MAX_S)],
    ]),
    '#endif /* STOPWATCH_HW_SW_H */\n',
  ].join('\n');
}
