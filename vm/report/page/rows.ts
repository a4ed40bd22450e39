// SPDX-License-Identifier: MIT
/** Merges events and console lines, and finds tests and crashes in them. */
import { findingOf } from '../../console/console.js';
import { instanceOf, sectionMark } from '../../crosscheck/sections.js';
import { CONSOLE_SOURCE } from './page-data.js';
import type { Bar, Recording, Row } from './recording.js';

/** A row, with the number of console bytes written before it. */
export type Placed<R = Row> = R & { readonly bytes: number };
export type Line = Placed<{ readonly text: string; readonly raw: string }>;

const lineRow = ({ text, raw }: Line, time: number): Row => ({
  time,
  source: CONSOLE_SOURCE,
  mark: 'console',
  text,
  raw,
  judged: 'unchecked',
  seq: '',
});

/** Merges by byte offset: a line is placed where its first byte was written. */
export function merge(events: readonly Placed[], lines: readonly Line[]): readonly Row[] {
  const rows: Row[] = [];
  let at = 0;
  let time = 0;
  for (const line of lines) {
    for (let event = events[at]; event !== undefined && event.bytes <= line.bytes; event = events[at]) {
      rows.push(rowOf(event));
      ({ time } = event);
      at += 1;
    }
    const printed = kernelTime(line.text);
    if (printed !== undefined) time = Math.max(time, Math.min(printed, events[at]?.time ?? printed));
    rows.push(lineRow(line, time));
  }
  rows.push(...events.slice(at).map(rowOf));
  return rows;
}

/** Merges by printk's timestamps; lines without one stay with the line before. */
export function mergeByTime(events: readonly Placed[], lines: readonly Line[]): readonly Row[] {
  let time = 0;
  const timed = lines.map((line) => {
    time = Math.max(time, kernelTime(line.text) ?? 0);
    return lineRow(line, time);
  });
  return [...events.map(rowOf), ...timed].sort((one, other) => one.time - other.time);
}

function rowOf(placed: Placed): Row {
  const { bytes: _, ...row } = placed;
  return row;
}

/** Parses `[    0.123456]` to virtual nanoseconds. */
function kernelTime(text: string): number | undefined {
  const [, whole, part] = /^\[ *(\d+)\.(\d{6})\]/.exec(text) ?? [];
  return whole === undefined ? undefined : Number(whole) * 1e9 + Number(part) * 1e3;
}

const RESULT = /^(not ok|ok) \d+(?: -)? ?(.*?)(?: # (SKIP\b.*)?.*)?$/i;

/** The tests of each device, by its id. A test lasts from one KTAP result to the next. */
export function barsOf(rows: readonly Row[]): ReadonlyMap<string, readonly Bar[]> {
  const bars = new Map<string, Bar[]>();
  let tests: Bar[] | undefined;
  let from = 0;
  let before = 0;
  for (const { source, text, time } of rows) {
    if (source !== CONSOLE_SOURCE) continue;
    const mark = sectionMark(text);
    const result = RESULT.exec(text);
    if (mark?.kind === 'test') {
      const id = instanceOf(mark.id);
      tests = bars.get(id) ?? [];
      bars.set(id, tests);
      before = tests.length;
      from = time;
    } else if (mark !== undefined) {
      // A test without KTAP is one result.
      if (mark.kind === 'result' && tests?.length === before) {
        const name = mark.id.slice(mark.id.indexOf('/') + 1);
        const status = mark.result === 'pass' ? 'ok' : mark.result === 'skip' ? 'skip' : 'not ok';
        tests.push({ name, status, from, to: time });
      }
      tests = undefined;
    } else if (tests !== undefined && result !== null) {
      const [, word = '', name = '', skip] = result;
      const status = skip !== undefined ? 'skip' : word.toLowerCase() === 'ok' ? 'ok' : 'not ok';
      tests.push({ name, status, from, to: time });
      from = time;
    }
  }
  return bars;
}

/** The console lines of a kernel crash, up to the end of the call trace. */
export interface CrashReport {
  readonly row: number;
  readonly lines: readonly string[];
}

/** Maximum number of lines to keep. */
const SPLAT_LINES = 80;

/** The first kernel crash on the console. */
export function crashReportOf({ rows }: Pick<Recording, 'rows'>): CrashReport | undefined {
  const row = rows.findIndex(
    ({ source, text }) =>
      source === CONSOLE_SOURCE &&
      ['splat', 'panic', 'init-failure', 'out-of-memory'].includes(findingOf(text)?.kind ?? ''),
  );
  if (row < 0) return undefined;
  const following = rows.slice(row).filter(({ source }) => source === CONSOLE_SOURCE);
  const lines = following.slice(0, SPLAT_LINES).map(({ text }) => text);
  const end = lines.findIndex((line) => /---\[ end /.test(line));
  if (end < 0) return { row, lines };
  // A panic's message follows the trace.
  const more = /Kernel panic/.test(lines[end + 1] ?? '') ? 2 : 1;
  return { row, lines: lines.slice(0, end + more) };
}
