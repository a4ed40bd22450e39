// SPDX-License-Identifier: MIT
/**
 * The device's own trace (`device/stopwatch/trace-events`), as QEMU's `log`
 * backend writes it: `stopwatch_EVENT seq=… now=… FIELDS`.
 *
 * `seq` is 0 when the device is created and rises by one from event to event;
 * it migrates with the device. `now` is QEMU_CLOCK_VIRTUAL in nanoseconds, the
 * same for all events of one access. Each access is one stimulus and its
 * effects, in this order:
 *
 *   stimulus  effects
 *   reset     irq (if it was high), state
 *   write     mem (if data_len was read), text, irq, error, state
 *   read      error, state — both only if the read was rejected
 *   timer     irq, state
 *   load      state
 *   end       none: it marks the end of the stream
 *
 * An access at or after a pending deadline is preceded by the expiry (`timer`,
 * `irq`, `state`), whether or not QEMU's timer has been served yet.
 */

/** What a field holds, and how it is written. */
interface Kinds {
  hex: bigint;
  dec: bigint;
  bytes: number;
  bool: boolean;
  text: string;
}
type Kind = keyof Kinds;

/** Per event: its fields in the order of the line, as [name in the line, property, kind]. */
const EVENTS = {
  /** Machine reset, power-on included. */
  reset: [['start_at_boot', 'startAtBoot', 'bool']],
  /** The guest writes to `regs`. */
  write: [
    ['offset', 'offset', 'hex'],
    ['value', 'value', 'hex'],
    ['size', 'size', 'bytes'],
  ],
  /** The guest read from `regs`, with the value that was returned. */
  read: [
    ['offset', 'offset', 'hex'],
    ['value', 'value', 'hex'],
    ['size', 'size', 'bytes'],
  ],
  /** The device read `data_len` from `mem`: at most once per access. */
  mem: [['data_len', 'dataLen', 'hex']],
  /** UPDATE wrote the text to `mem`; `data_len` counts the NUL. */
  text: [
    ['data_len', 'dataLen', 'hex'],
    ['text', 'text', 'text'],
  ],
  /** The timeout fired; `deadline` is the time for which it was armed. */
  timer: [['deadline', 'deadline', 'dec']],
  /** The interrupt line changed to this level. */
  irq: [['level', 'level', 'bool']],
  /** ERROR bits set by this access, and the register after it. */
  error: [
    ['raised', 'raised', 'hex'],
    ['error', 'error', 'hex'],
  ],
  /** The whole state after an access, expiry, reset or load. `deadline` is 0 unless a timeout is pending. */
  state: [
    ['status', 'status', 'dec'],
    ['elapsed', 'elapsed', 'dec'],
    ['timeout', 'timeout', 'dec'],
    ['deadline', 'deadline', 'dec'],
    ['count', 'count', 'dec'],
    ['error', 'error', 'hex'],
  ],
  /** The device's state was loaded: migration or a snapshot. */
  load: [],
  /** QEMU is about to exit in order. */
  end: [],
} as const satisfies Readonly<Record<string, readonly (readonly [string, string, Kind])[]>>;

type EventName = keyof typeof EVENTS;
type Fields<E extends EventName> = {
  readonly [F in (typeof EVENTS)[E][number] as F[1]]: Kinds[F[2]];
};
type EventOf<E extends EventName> = E extends unknown
  ? { readonly event: E; readonly seq: bigint; readonly now: bigint } & Fields<E>
  : never;

export type TraceEvent = EventOf<EventName>;
export type WriteEvent = EventOf<'write'>;
export type StateEvent = EventOf<'state'>;

/** An event without its place in the sequence. */
export type Unnumbered<E = TraceEvent> = E extends unknown ? Omit<E, 'seq'> : never;

/** Every line of the device's trace starts with this, and no other line does. */
export const TRACE_PREFIX = 'stopwatch_';

const PATTERNS: Readonly<Record<Kind, string>> = {
  hex: '(0x[0-9a-f]{1,16})',
  dec: '(-?\\d{1,20})',
  bytes: '(\\d{1,20})',
  bool: '([01])',
  text: '"(.*)"',
};
const PARSERS: Readonly<Record<Kind, (text: string) => Kinds[Kind]>> = {
  hex: BigInt,
  dec: BigInt,
  bytes: Number,
  bool: (text) => text === '1',
  text: String,
};

/** Matches whole lines only: a truncated line must not pass for a shorter one. */
const LINES: ReadonlyMap<string, { readonly event: EventName; readonly pattern: RegExp }> = new Map(
  Object.entries(EVENTS).map(([name, fields]) => {
    const rest = fields.map(([key, , kind]) => ` ${key}=${PATTERNS[kind]}`).join('');
    const pattern = new RegExp(`^seq=(\\d{1,20}) now=(-?\\d{1,20})${rest}$`, 's');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of EVENTS
    return [name, { event: name as EventName, pattern }];
  }),
);

/** The event on a line that starts with TRACE_PREFIX (without its end), or undefined if the line is not one. */
export function parseTraceLine(line: string): TraceEvent | undefined {
  const space = line.indexOf(' ');
  if (space < 0 || !line.startsWith(TRACE_PREFIX)) return undefined;
  const known = LINES.get(line.slice(TRACE_PREFIX.length, space));
  const match = known?.pattern.exec(line.slice(space + 1));
  if (known === undefined || match == null) return undefined;
  const [, seq = '', now = '', ...values] = match;
  const event: Record<string, unknown> = { event: known.event, seq: BigInt(seq), now: BigInt(now) };
  for (const [index, [, property, kind]] of EVENTS[known.event].entries())
    event[property] = PARSERS[kind](values[index] ?? '');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table makes both the type and the value
  return event as unknown as TraceEvent;
}

/** The line, without its end, for this event. */
export function formatTraceLine(event: TraceEvent): string {
  const fields = EVENTS[event.event].map(
    ([key, property, kind]) => ` ${key}=${formatValue(kind, Reflect.get(event, property))}`,
  );
  return `${TRACE_PREFIX}${event.event} seq=${event.seq} now=${event.now}${fields.join('')}`;
}

function formatValue(kind: Kind, value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (kind === 'text') return `"${String(value)}"`;
  return kind === 'hex' && typeof value === 'bigint' ? `0x${value.toString(16)}` : String(value);
}
