// SPDX-License-Identifier: MIT
/** Lines of the device's trace, as QEMU's `log` backend writes them (`device/stopwatch/trace-events`), to events and back. */
import type { TraceEvent } from './trace.js';

/** Every line of the device's trace starts with this; nothing else in the stream may. */
export const TRACE_PREFIX = 'stopwatch_';

type Groups = Readonly<Record<string, string>>;
interface Form {
  readonly pattern: RegExp;
  /** Fields after seq and now. */
  readonly read: (groups: Groups, base: { readonly seq: bigint; readonly now: bigint }) => TraceEvent;
}

/** Whole lines only: a line that was cut off must not pass for a shorter one. */
function form(fields: string, read: Form['read']): Form {
  const pattern = fields
    .replace(/(\w+)=hex/g, '$1=(?<$1>0x[0-9a-f]{1,16})')
    .replace(/(\w+)=dec/g, '$1=(?<$1>-?\\d{1,20})')
    .replace(/(\w+)=bool/g, '$1=(?<$1>[01])');
  return { pattern: new RegExp(`^seq=(?<seq>\\d{1,20}) now=(?<now>-?\\d{1,20})${pattern}$`, 's'), read };
}

/** A group that took part in the match. */
const of = (groups: Groups, name: string): string => groups[name] ?? '';
const int = (groups: Groups, name: string): bigint => BigInt(of(groups, name));

const FORMS: Readonly<Record<TraceEvent['event'], Form>> = {
  reset: form(' start_at_boot=bool', (g, base) => ({
    event: 'reset',
    ...base,
    startAtBoot: of(g, 'start_at_boot') === '1',
  })),
  write: form(' offset=hex value=hex size=dec', (g, base) => ({
    event: 'write',
    ...base,
    offset: int(g, 'offset'),
    value: int(g, 'value'),
    size: Number(of(g, 'size')),
  })),
  read: form(' offset=hex value=hex size=dec', (g, base) => ({
    event: 'read',
    ...base,
    offset: int(g, 'offset'),
    value: int(g, 'value'),
    size: Number(of(g, 'size')),
  })),
  mem: form(' data_len=hex', (g, base) => ({ event: 'mem', ...base, dataLen: int(g, 'data_len') })),
  text: form(' data_len=hex text="(?<text>.*)"', (g, base) => ({
    event: 'text',
    ...base,
    dataLen: int(g, 'data_len'),
    text: of(g, 'text'),
  })),
  timer: form(' deadline=dec', (g, base) => ({ event: 'timer', ...base, deadline: int(g, 'deadline') })),
  irq: form(' level=bool', (g, base) => ({ event: 'irq', ...base, level: of(g, 'level') === '1' })),
  error: form(' raised=hex error=hex', (g, base) => ({
    event: 'error',
    ...base,
    raised: int(g, 'raised'),
    error: int(g, 'error'),
  })),
  state: form(' status=dec elapsed=dec timeout=dec deadline=dec count=dec error=hex', (g, base) => ({
    event: 'state',
    ...base,
    status: int(g, 'status'),
    elapsed: int(g, 'elapsed'),
    timeout: int(g, 'timeout'),
    deadline: int(g, 'deadline'),
    count: int(g, 'count'),
    error: int(g, 'error'),
  })),
  load: form('', (_, base) => ({ event: 'load', ...base })),
  end: form('', (_, base) => ({ event: 'end', ...base })),
};

const isEvent = (name: string): name is TraceEvent['event'] => Object.hasOwn(FORMS, name);

/** The event on a line that starts with TRACE_PREFIX (no line end), or undefined where the line is none. */
export function parseTraceLine(line: string): TraceEvent | undefined {
  const space = line.indexOf(' ');
  if (space < 0 || !line.startsWith(TRACE_PREFIX)) return undefined;
  const name = line.slice(TRACE_PREFIX.length, space);
  if (!isEvent(name)) return undefined;
  const { pattern, read } = FORMS[name];
  const groups = pattern.exec(line.slice(space + 1))?.groups;
  if (groups === undefined) return undefined;
  return read(groups, { seq: int(groups, 'seq'), now: int(groups, 'now') });
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const bit = (value: boolean): string => (value ? '1' : '0');

/** The line, without its end, that the device's trace has for this event. */
export function formatTraceLine(event: TraceEvent): string {
  return `${TRACE_PREFIX}${event.event} seq=${event.seq} now=${event.now}${fieldsOf(event)}`;
}

function fieldsOf(event: TraceEvent): string {
  switch (event.event) {
    case 'reset':
      return ` start_at_boot=${bit(event.startAtBoot)}`;
    case 'write':
    case 'read':
      return ` offset=${hex(event.offset)} value=${hex(event.value)} size=${event.size}`;
    case 'mem':
      return ` data_len=${hex(event.dataLen)}`;
    case 'text':
      return ` data_len=${hex(event.dataLen)} text="${event.text}"`;
    case 'timer':
      return ` deadline=${event.deadline}`;
    case 'irq':
      return ` level=${bit(event.level)}`;
    case 'error':
      return ` raised=${hex(event.raised)} error=${hex(event.error)}`;
    case 'state':
      return (
        ` status=${event.status} elapsed=${event.elapsed} timeout=${event.timeout}` +
        ` deadline=${event.deadline} count=${event.count} error=${hex(event.error)}`
      );
    case 'load':
    case 'end':
    default:
      return '';
  }
}
