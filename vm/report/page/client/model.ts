// SPDX-License-Identifier: MIT
/** Unpacks the page's data and finds rows by time. */
import {
  CONSOLE_SOURCE,
  JUDGED,
  MARKS,
  type Difference,
  type PageData,
  type PageDevice,
} from '../page-data.js';
import type { Lane, Row } from '../recording.js';

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Rows of one kind, by time. */
export interface Marks {
  readonly times: Float64Array;
  readonly rows: Int32Array;
}

export class Model {
  readonly times: Float64Array;
  readonly devices: readonly PageDevice[];
  readonly focus: number | null;
  /** The stimuli of each device. */
  readonly accesses: readonly Marks[];
  readonly console: Marks;
  /** Time span of the whole run. */
  readonly span: Span;
  readonly #data: PageData;
  readonly #differences: ReadonlyMap<number, Difference>;

  constructor(data: PageData) {
    const { time, source, mark } = data.rows;
    this.#data = data;
    this.devices = data.devices;
    this.focus = data.focus;
    this.#differences = new Map(data.differences.map((difference) => [difference.row, difference]));
    this.times = new Float64Array(time.length);
    let now = 0;
    for (let row = 0; row < time.length; row++) {
      now += time[row] ?? 0;
      this.times[row] = now;
    }
    const effect = MARKS.indexOf('effect');
    const marksOf = (wanted: number): Marks => {
      const rows: number[] = [];
      for (let row = 0; row < source.length; row++)
        if (source[row] === wanted && mark[row] !== effect) rows.push(row);
      return { rows: Int32Array.from(rows), times: Float64Array.from(rows, (row) => this.time(row)) };
    };
    this.accesses = data.devices.map((_, index) => marksOf(index));
    this.console = marksOf(CONSOLE_SOURCE);
    this.span = { from: 0, to: Math.max(1000, now) };
  }

  get length(): number {
    return this.times.length;
  }
  time(row: number): number {
    return this.times[row] ?? 0;
  }
  source(row: number): number {
    return this.#data.rows.source[row] ?? CONSOLE_SOURCE;
  }
  /** Display name of the row's source. */
  sourceName(row: number): string {
    return this.devices[this.source(row)]?.id ?? 'console';
  }
  mark(row: number): Row['mark'] {
    return MARKS[this.#data.rows.mark[row] ?? -1] ?? 'console';
  }
  judged(row: number): Row['judged'] {
    return JUDGED[this.#data.rows.judged[row] ?? -1] ?? 'unchecked';
  }
  seq(row: number): string {
    return this.#data.rows.seq[row] ?? '';
  }
  text(row: number): string {
    return this.#data.rows.text[row] ?? '';
  }
  raw(row: number): string {
    return this.#data.rows.raw[row] ?? this.text(row);
  }
  difference(row: number): Difference | undefined {
    return this.#differences.get(row);
  }
  /** Whether this row shows a failure. */
  isWrong(row: number): boolean {
    const judged = this.judged(row);
    return judged === 'differs' || judged === 'invalid' || this.#differences.has(row);
  }

  /** The rows of one step: the stimulus to which this row belongs, and its effects. */
  group(row: number): readonly number[] {
    const source = this.source(row);
    if (source === CONSOLE_SOURCE) return [row];
    const rows: number[] = [];
    let first = row;
    for (let at = row; at >= 0 && this.mark(first) === 'effect'; at--)
      if (this.source(at) === source) first = at;
    for (let at = first; at < this.length; at++) {
      if (this.source(at) !== source) continue;
      if (at > first && this.mark(at) !== 'effect') break;
      rows.push(at);
    }
    return rows;
  }

  /** Up to `count` rows before and after this one, of the console or of the devices. */
  around(row: number, isConsole: boolean, count: number): readonly number[] {
    const fits = (at: number): boolean => (this.source(at) === CONSOLE_SOURCE) === isConsole;
    const before: number[] = [];
    for (let at = row - 1; at >= 0 && before.length < count; at--) if (fits(at)) before.unshift(at);
    const after: number[] = [];
    for (let at = row + 1; at < this.length && after.length < count; at++) if (fits(at)) after.push(at);
    return [...before, ...after];
  }
}

/** Index of the first element that is not less than `value`. */
export function lowerBound(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The value of a lane at this time, after all changes at it. */
export function valueAt({ kind, unit, times, values }: Lane, time: number): string {
  const after = lowerBound(times, time + 0.5);
  const value = values[after - 1];
  if (value === undefined || value === null) return value === null ? 'none' : '';
  if (kind === 'level') return value === '1' ? 'high' : 'low';
  if (typeof value === 'string') return value;
  const [t0 = 0, t1 = 0] = [times[after - 1], times[after]];
  const next = values[after];
  const now =
    typeof next === 'number' && t1 > t0 ? value + ((next - value) * (time - t0)) / (t1 - t0) : value;
  return unit === 'ns' ? secondsOf(now) : `${Math.round(now)}${unit === '' ? '' : ` ${unit}`}`;
}

/** '1.050000000 s' */
export function secondsOf(ns: number): string {
  return `${(ns / 1e9).toFixed(9)} s`;
}
