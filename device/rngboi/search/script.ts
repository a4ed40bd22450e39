// SPDX-License-Identifier: MIT
/** A script: operations on rngboi as plain data, which can be saved and run again. */
import { Random, weighted, z } from '../../../lab/search/device-kit.js';
import { REGS_SIZE } from '../contract.js';

const hex = z.string('expected a string such as "0x5"').regex(/^0x[0-9a-f]{1,16}$/);
const value = z.codec(hex, z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (number) => `0x${number.toString(16)}`,
});
const width = z.literal([1, 2, 4, 8]);
const offset = z.int().min(0).max(REGS_SIZE);

const operation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('read'), offset, width }),
  z.strictObject({ op: z.literal('write'), offset, width, value }),
  /** Machine reset. */
  z.strictObject({ op: z.literal('reset') }),
  /** QEMU saves the VM, which continues in a new process. */
  z.strictObject({ op: z.literal('reload') }),
  /** The same, with one field of the saved device changed; `version` is that of its section. */
  z.strictObject({ op: z.literal('corrupt'), field: z.enum(['version', 'state']), value }),
]);
const fits = (one: z.infer<typeof operation>): boolean =>
  !('offset' in one) || one.offset + one.width <= REGS_SIZE;

const scriptFile = z.strictObject({
  device: z.literal('rngboi'),
  format: z.literal(1),
  about: z.array(z.string()).optional(),
  /** The device's property. */
  seed: value.refine((seed) => seed > 0n, 'expected a seed: without one the words are not known'),
  operations: z.array(operation.refine(fits, 'expected an access within the region')),
});

export type Operation = z.infer<typeof operation>;
export interface Script {
  readonly seed: bigint;
  readonly operations: readonly Operation[];
}

/** Throws SyntaxError with what was expected, and where. */
export function parseScript(text: string): Script {
  const { success, data, error } = scriptFile.safeParse(JSON.parse(text));
  if (!success) throw new SyntaxError(z.prettifyError(error));
  return { seed: data.seed, operations: data.operations };
}

/** The script as a file, with one operation per line. */
export function formatScript({ seed, operations }: Script, about: readonly string[] = []): string {
  const head = { device: 'rngboi', format: 1, about: about.length === 0 ? undefined : about };
  const lines = operations.map((one) => `    ${JSON.stringify(z.encode(operation, one))}`);
  const rest = `  "seed": "0x${seed.toString(16)}",\n  "operations": [\n${lines.join(',\n')}\n  ]\n`;
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n${rest}}\n`;
}

const WIDTHS = weighted<1 | 2 | 4 | 8>([5, 4], [1, 1], [1, 2], [1, 8]);
const OFFSETS = weighted<(random: Random) => number>(
  [6, () => 0],
  [2, (random) => random.between(1, 12)],
  [1, (random) => REGS_SIZE - random.between(8, 16)],
  [1, (random) => random.below(REGS_SIZE - 8)],
);
/** Few: each needs a QEMU of its own. */
const SEEDS = [1n, 0x0123_4567_89ab_cdefn, (1n << 64n) - 1n];
type Kind = Operation['op'];
/** A machine reset, or a new process, takes as long as dozens of accesses. */
const EVERYDAY = weighted<Kind>([800, 'read'], [150, 'write'], [1, 'reset']);
const EVENTFUL = weighted<Kind>([60, 'read'], [10, 'write'], [8, 'reset'], [12, 'reload'], [10, 'corrupt']);

/** Script number `index` of the campaign with this seed. `eventful`: a short script that saves, loads and resets often. */
export function makeScript(seed: number, index: number, eventful: boolean): Script {
  const random = new Random(seed, index);
  const length = eventful ? random.between(10, 40) : random.between(600, 1800);
  const kinds = eventful ? EVENTFUL : EVERYDAY;
  const operations = Array.from({ length }, () => make(random.pick(kinds), random));
  return { seed: random.pick(SEEDS), operations };
}

function make(op: Kind, random: Random): Operation {
  switch (op) {
    case 'read':
      return { op, offset: random.pick(OFFSETS)(random), width: random.pick(WIDTHS) };
    case 'write': {
      const wide = random.pick(WIDTHS);
      const written = BigInt.asUintN(8 * wide, random.word());
      return { op, offset: random.pick(OFFSETS)(random), width: wide, value: written };
    }
    case 'corrupt':
      return random.below(3) === 0
        ? { op, field: 'version', value: BigInt(random.below(4)) }
        : { op, field: 'state', value: random.pick([0n, 1n, random.word()]) };
    case 'reset':
    case 'reload':
      return { op };
    default:
      return op satisfies never;
  }
}
