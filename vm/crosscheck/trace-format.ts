// SPDX-License-Identifier: MIT
/**
 * Defines the format of a device's own trace from one table of its events: the
 * text for QEMU's `trace-events`, a parser, and a formatter.
 *
 * A line is `PREFIX_EVENT id=… seq=… now=… FIELDS`. `id` is the name of the
 * device in the machine. `seq` starts at 0 in each process and rises by one
 * per event; it is not saved with the device. `now` is QEMU_CLOCK_VIRTUAL in
 * nanoseconds.
 *
 * The C function of an event takes the same values in the same order:
 * `trace_stopwatch_irq(id, seq, now, level)`.
 */

/** The type of a field's value, by its kind. */
interface Kinds {
  /** uint64_t, hexadecimal. */
  hex: bigint;
  /** int64_t. */
  dec: bigint;
  /** uint64_t, decimal. */
  udec: bigint;
  /** unsigned: a number of bytes. */
  bytes: number;
  bool: boolean;
  /** const char *, in quotes, without newlines. */
  text: string;
}
type Kind = keyof Kinds;

/** For each event, its fields in order, as [name in the line, property of the parsed event, kind]. */
export type TraceEvents = Readonly<Record<string, readonly (readonly [string, string, Kind])[]>>;

/** The fields of an access to a register: of the events `read` and `write`. */
export const ACCESS = [
  ['offset', 'offset', 'hex'],
  ['value', 'value', 'hex'],
  ['size', 'size', 'bytes'],
] as const satisfies TraceEvents[string];

/** A parsed line of the events in a table. */
export type EventOf<T extends TraceEvents> = {
  [E in keyof T & string]: {
    readonly event: E;
    readonly id: string;
    readonly seq: bigint;
    readonly now: bigint;
  } & { readonly [F in T[E][number] as F[1]]: Kinds[F[2]] };
}[keyof T & string];

export interface TraceFormat<E> {
  /** Every line of the device's trace starts with this, and no other line does. */
  readonly prefix: string;
  /** Text for QEMU's `trace-events` file (docs/devel/tracing.rst). */
  readonly text: string;
  /** Parses a line without its newline; undefined if it is not an event of the table. */
  parse(line: string): E | undefined;
  /** Formats an event as a line without its newline. */
  format(event: E): string;
}

interface KindFormat {
  readonly parameter: string;
  /** printf conversion, for use within a C string. */
  readonly conversion: string;
  readonly pattern: string;
  readonly parse: (text: string) => Kinds[Kind];
  readonly print: (value: unknown) => string;
}

const FORMATS: Readonly<Record<Kind, KindFormat>> = {
  hex: {
    parameter: 'uint64_t ',
    conversion: '0x%" PRIx64 "',
    pattern: '(0x[0-9a-f]{1,16})',
    parse: BigInt,
    print: (value) => `0x${typeof value === 'bigint' ? value.toString(16) : String(value)}`,
  },
  dec: {
    parameter: 'int64_t ',
    conversion: '%" PRId64 "',
    pattern: '(-?\\d{1,20})',
    parse: BigInt,
    print: String,
  },
  udec: {
    parameter: 'uint64_t ',
    conversion: '%" PRIu64 "',
    pattern: '(\\d{1,20})',
    parse: BigInt,
    print: String,
  },
  bytes: {
    parameter: 'unsigned ',
    conversion: '%u',
    pattern: '(\\d{1,20})',
    parse: Number,
    print: String,
  },
  bool: {
    parameter: 'bool ',
    conversion: '%d',
    pattern: '([01])',
    parse: (text) => text === '1',
    print: (value) => (value === true ? '1' : '0'),
  },
  text: {
    parameter: 'const char *',
    conversion: '\\"%s\\"',
    pattern: '"(.*)"',
    parse: String,
    print: (value) => `"${String(value)}"`,
  },
};

const HEAD_PARAMETERS = ['const char *id', 'uint64_t seq', 'int64_t now'];
const HEAD_FORMAT = 'id=%s seq=%" PRIu64 " now=%" PRId64 "';

/** `prefix` must end in `_`; QEMU names an event `PREFIX_EVENT`. */
export function traceFormat<const T extends TraceEvents>(prefix: string, events: T): TraceFormat<EventOf<T>> {
  const fields = new Map(Object.entries(events));
  // Match whole lines only: a truncated line must not pass for a shorter one.
  const patterns = new Map(
    Object.entries(events).map(([event, list]) => {
      const rest = list.map(([name, , kind]) => ` ${name}=${FORMATS[kind].pattern}`).join('');
      return [event, new RegExp(`^id=(\\S+) seq=(\\d{1,20}) now=(-?\\d{1,20})${rest}$`, 's')] as const;
    }),
  );
  return {
    prefix,
    text: Object.entries(events)
      .map(([event, list]) => declaration(`${prefix}${event}`, list))
      .join(''),
    parse(line) {
      const space = line.indexOf(' ');
      if (space < 0 || !line.startsWith(prefix)) return undefined;
      const event = line.slice(prefix.length, space);
      const match = patterns.get(event)?.exec(line.slice(space + 1));
      if (match == null) return undefined;
      const [, id, seq = '', now = '', ...values] = match;
      const parsed: Record<string, unknown> = { event, id, seq: BigInt(seq), now: BigInt(now) };
      for (const [index, [, property, kind]] of (fields.get(event) ?? []).entries())
        parsed[property] = FORMATS[kind].parse(values[index] ?? '');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table makes both the type and the value
      return parsed as unknown as EventOf<T>;
    },
    format(event) {
      const rest = (fields.get(event.event) ?? []).map(
        ([name, property, kind]) => ` ${name}=${FORMATS[kind].print(Reflect.get(event, property))}`,
      );
      return `${prefix}${event.event} id=${event.id} seq=${event.seq} now=${event.now}${rest.join('')}`;
    },
  };
}

/** One line of `trace-events`. */
function declaration(name: string, fields: TraceEvents[string]): string {
  const parameters = [
    ...HEAD_PARAMETERS,
    ...fields.map(([field, , kind]) => `${FORMATS[kind].parameter}${field}`),
  ];
  const format = fields.map(([field, , kind]) => ` ${field}=${FORMATS[kind].conversion}`).join('');
  return `${name}(${parameters.join(', ')}) "${HEAD_FORMAT}${format}"\n`.replace(/ ""$/m, '');
}
