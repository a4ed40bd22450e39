// SPDX-License-Identifier: MIT
/** A script: what is done to the stopwatch, as plain data that needs no generator to be done again. */
import { MEM_SIZE, REGS_SIZE } from '../contract.js';

/** Bytes of one access. */
export type Width = 1 | 2 | 4 | 8;
/** The two regions lie side by side, `mem` first: an access may run out of one into the other. */
export type Region = 'mem' | 'regs';

/** `at`: virtual nanoseconds since the script's start; never less than that of the operation before. */
export type Operation = { readonly at: number } & (
  | { readonly op: 'read'; readonly region: Region; readonly offset: number; readonly width: Width }
  | {
      readonly op: 'write';
      readonly region: Region;
      readonly offset: number;
      readonly width: Width;
      readonly value: bigint;
    }
  /** Many bytes at once, as a device that does DMA would; QEMU makes accesses of them. */
  | { readonly op: 'peek'; readonly region: Region; readonly offset: number; readonly length: number }
  | {
      readonly op: 'fill';
      readonly region: Region;
      readonly offset: number;
      readonly length: number;
      readonly byte: number;
    }
  /** Time passes, and that is all. */
  | { readonly op: 'tick' }
  /** All of `mem` is compared. */
  | { readonly op: 'mem' }
  /** The machine is reset. */
  | { readonly op: 'reset' }
  /** The VM stops: no timer is served until it goes on, though this clock can be moved. */
  | { readonly op: 'stop' }
  | { readonly op: 'cont' }
  /** The VM begins to be saved to a file, and stops: its memory is there already, so that what is changed from here on must be told. */
  | { readonly op: 'save' }
  /** The saving, begun here if it has not been, comes to its end; the VM goes on in a new process, whose clock says `at`. */
  | { readonly op: 'reload' }
  /** The same, but what was saved is changed before it is loaded: what no stopwatch can be in must be refused, and all else is taken. */
  | { readonly op: 'forge'; readonly field: ForgedField; readonly value: bigint }
);

/** What can be changed in a saved state. Times count from `at`, modulo 2^64, but for a deadline of 0 or 1. */
export const FORGED = [
  'version',
  'status',
  'elapsed',
  'started',
  'timeout',
  'deadline',
  'timeout_count',
  'error',
] as const;
export type ForgedField = (typeof FORGED)[number];

export interface Script {
  /** The device's property. */
  readonly startAtBoot: boolean;
  readonly operations: readonly Operation[];
}

/** Furthest that an access may be from its region. */
export const AROUND = 64;
/** Latest time in a script, about 104 days; whole nanoseconds are exact in a number up to here. */
export const LATEST = Number.MAX_SAFE_INTEGER;
/** Longest `peek` and `fill`. */
export const LONGEST = MEM_SIZE;

/** The script as a file. One operation per line, so that people can read and edit it. */
export function formatScript(script: Script, about: readonly string[] = []): string {
  const operations = script.operations.map((operation) => {
    const written =
      operation.op === 'write' || operation.op === 'forge'
        ? { ...operation, value: `0x${operation.value.toString(16)}` }
        : operation;
    return `    ${JSON.stringify(written)}`;
  });
  return [
    '{',
    '  "device": "stopwatch",',
    '  "format": 1,',
    ...(about.length === 0 ? [] : [`  "about": ${JSON.stringify(about)},`]),
    `  "startAtBoot": ${String(script.startAtBoot)},`,
    '  "operations": [',
    operations.join(',\n'),
    '  ]',
    '}',
    '',
  ].join('\n');
}

/** Throws SyntaxError with the place and what was expected. */
export function parseScript(text: string): Script {
  const file = objectOf(JSON.parse(text), 'the file');
  if (file['device'] !== 'stopwatch' || file['format'] !== 1)
    throw new SyntaxError('Expected "device": "stopwatch" and "format": 1');
  const { startAtBoot, operations } = file;
  if (typeof startAtBoot !== 'boolean') throw new SyntaxError('startAtBoot: expected true or false');
  if (!Array.isArray(operations)) throw new SyntaxError('operations: expected a list');
  let last = 0;
  return {
    startAtBoot,
    operations: operations.map((entry: unknown, index) => {
      const operation = parseOperation(objectOf(entry, `operations[${index}]`), `operations[${index}]`);
      if (operation.at < last)
        throw new SyntaxError(
          `operations[${index}].at: expected ${last} or more, as before it, got ${operation.at}`,
        );
      last = operation.at;
      return operation;
    }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseOperation(fields: Fields, where: string): Operation {
  const at = integer(fields, 'at', where, 0, LATEST);
  const { op } = fields;
  switch (op) {
    case 'tick':
    case 'mem':
    case 'reset':
    case 'stop':
    case 'cont':
    case 'save':
    case 'reload':
      return { at, op };
    case 'read':
      return { at, op, ...place(fields, where), width: widthOf(fields, where) };
    case 'write':
      return {
        at,
        op,
        ...place(fields, where),
        width: widthOf(fields, where),
        value: valueOf(fields, where),
      };
    case 'forge': {
      const field = FORGED.find((name) => name === fields['field']);
      if (field === undefined)
        throw new SyntaxError(
          `${where}.field: expected ${FORGED.join(', ')}, got ${JSON.stringify(fields['field'])}`,
        );
      return { at, op, field, value: valueOf(fields, where) };
    }
    case 'peek':
      return { at, op, ...place(fields, where), length: integer(fields, 'length', where, 1, LONGEST) };
    case 'fill':
      return {
        at,
        op,
        ...place(fields, where),
        length: integer(fields, 'length', where, 1, LONGEST),
        byte: integer(fields, 'byte', where, 0, 255),
      };
    default:
      throw new SyntaxError(`${where}.op: there is no operation ${JSON.stringify(op)}`);
  }
}

function place(fields: Fields, where: string): { region: Region; offset: number } {
  const { region } = fields;
  if (region !== 'mem' && region !== 'regs')
    throw new SyntaxError(`${where}.region: expected "mem" or "regs", got ${JSON.stringify(region)}`);
  const size = region === 'mem' ? MEM_SIZE : REGS_SIZE;
  return { region, offset: integer(fields, 'offset', where, -AROUND, size + AROUND) };
}

function valueOf({ value }: Fields, where: string): bigint {
  if (typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value)) return BigInt(value);
  throw new SyntaxError(`${where}.value: expected a string such as "0x5", got ${JSON.stringify(value)}`);
}

function widthOf(fields: Fields, where: string): Width {
  const { width } = fields;
  if (width === 1 || width === 2 || width === 4 || width === 8) return width;
  throw new SyntaxError(`${where}.width: expected 1, 2, 4 or 8, got ${JSON.stringify(width)}`);
}

function integer(fields: Fields, name: string, where: string, min: number, max: number): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SyntaxError(
    `${where}.${name}: expected an integer from ${min} to ${max}, got ${JSON.stringify(value)}`,
  );
}

function objectOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyntaxError(`${where}: expected an object`);
  return Object.fromEntries(Object.entries(value));
}
