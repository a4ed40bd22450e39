// SPDX-License-Identifier: MIT
/** A script: operations on the stopwatch as plain data, which can be saved and run again. */
import { z } from '../../../lab/search/device-kit.js';
import { MEM_SIZE, REGS_SIZE, REQUESTS_CAPACITY } from '../contract/contract.js';

/** How far outside its region an access may be. The regions are adjacent, `mem` first: an access may cross over. */
const AROUND = 64;
const SIZES = { mem: MEM_SIZE, regs: REGS_SIZE } as const;

/** Virtual nanoseconds since the script's start. The latest is about 104 days: a number is exact up to there. */
const at = z.int().min(0);
const length = z.int().min(1).max(MEM_SIZE);
const width = z.literal([1, 2, 4, 8]);
const hex = z.string('expected a string such as "0x5"');
const value = z.codec(hex.regex(/^0x[0-9a-f]{1,16}$/, 'expected a string such as "0x5"'), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (number) => `0x${number.toString(16)}`,
});
const place = { at, region: z.enum(['mem', 'regs']), offset: z.int() };

/** Fields of the saved state that can be changed; `version` is that of the device's section. */
export const SAVED_FIELDS = [
  'version',
  'status',
  'elapsed',
  'started',
  'timeout',
  'deadline',
  'timeout_count',
  'error',
  'page_seq',
  'disruption',
  'laps',
] as const;
export type SavedField = (typeof SAVED_FIELDS)[number];

const operation = z.discriminatedUnion('op', [
  z.strictObject({ ...place, op: z.literal('read'), width }),
  z.strictObject({ ...place, op: z.literal('write'), width, value }),
  /** Many bytes at once, as by DMA; QEMU splits them into accesses. */
  z.strictObject({ ...place, op: z.literal('peek'), length }),
  z.strictObject({ ...place, op: z.literal('fill'), length, byte: z.int().min(0).max(255) }),
  /**
   * The driver's part of the request ring: makes requests, of so many ticks of the counter ago, moves HEAD so far ahead
   * of TAIL, and rings the doorbell. Modulo 2^64, so that a counter may be in the future.
   */
  z.strictObject({
    at,
    op: z.literal('request'),
    ago: z.array(value).max(Number(REQUESTS_CAPACITY)),
    ahead: value,
  }),
  /** Only time passes. */
  z.strictObject({ at, op: z.literal('tick') }),
  /** All of `mem` is compared. */
  z.strictObject({ at, op: z.literal('mem') }),
  /** Machine reset. */
  z.strictObject({ at, op: z.literal('reset') }),
  /** The VM stops: no timer is served until it continues, though the clock can be moved. */
  z.strictObject({ at, op: z.literal('stop') }),
  z.strictObject({ at, op: z.literal('cont') }),
  /** QEMU saves the VM's memory to a file and stops the VM: it must track what changes afterwards. */
  z.strictObject({ at, op: z.literal('save') }),
  /** Completes the save, or does all of it; the VM continues in a new process whose clock is at `at`. */
  z.strictObject({ at, op: z.literal('reload') }),
  /**
   * The same, with one field of the saved device changed. QEMU must refuse a
   * state that no stopwatch can be in, and accept any other. Times count from
   * `at`, modulo 2^64, except for a deadline of 0 or 1.
   */
  z.strictObject({ at, op: z.literal('corrupt'), field: z.enum(SAVED_FIELDS), value }),
]);

const scriptFile = z.strictObject({
  device: z.literal('stopwatch'),
  format: z.literal(1),
  about: z.array(z.string()).optional(),
  /** The device's property. */
  startAtBoot: z.boolean(),
  operations: z.array(operation).superRefine((operations, context) => {
    let last = 0;
    const refuse = (index: number, name: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [index, name], message });
    for (const [index, one] of operations.entries()) {
      if (one.at < last) refuse(index, 'at', `expected ${last} or more, like the operation before`);
      last = one.at;
      if (!('region' in one)) continue;
      const end = SIZES[one.region] + AROUND;
      if (one.offset < -AROUND || one.offset > end)
        refuse(index, 'offset', `expected an integer from ${-AROUND} to ${end}`);
    }
  }),
});

export type Operation = z.infer<typeof operation>;
export type Region = keyof typeof SIZES;
export type Width = z.infer<typeof width>;

export interface Script {
  /** The device's property. */
  readonly startAtBoot: boolean;
  readonly operations: readonly Operation[];
}

/** The script as a file, with one operation per line, so that people can read and edit it. */
export function formatScript({ startAtBoot, operations }: Script, about: readonly string[] = []): string {
  const head = { device: 'stopwatch', format: 1, about: about.length === 0 ? undefined : about, startAtBoot };
  const lines = operations.map((one) => `    ${JSON.stringify(z.encode(operation, one))}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "operations": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** Throws SyntaxError with the place, what was expected and what is there. */
export function parseScript(text: string): Script {
  const file: unknown = JSON.parse(text);
  const { success, data, error } = scriptFile.safeParse(file);
  if (success) return { startAtBoot: data.startAtBoot, operations: data.operations };
  const { path = [], message = '' } = error.issues[0] ?? {};
  const got = path.reduce<unknown>((node, key) => Object(node)[key], file);
  const where = z.core.toDotPath(path) || 'the file';
  const expected = message.replace(/^Invalid \w+(?: value)?[:.] |, received \w+$/g, '').toLowerCase();
  throw new SyntaxError(`${where}: ${expected}, got ${JSON.stringify(got) ?? 'nothing'}`);
}
