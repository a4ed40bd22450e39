// SPDX-License-Identifier: MIT
/** Summarises the rounds of a benchmark: figures for each row, and whether its bound holds. Pure. */
import { type BenchPlot, type BenchSeries, figure } from '../report/page/bench.js';
import type { Counted, Exits } from './exits.js';
import { partsOf, type Work } from './marks.js';

/** One row in one round, timed. */
export interface Timed {
  readonly row: string;
  readonly work: Work;
}

/** Relative tolerance for exits: Linux occasionally reads random bytes for itself. */
const TOLERANCE = 0.01;

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Serialisable as JSON. Null: not measured or not applicable. */
export interface BenchRow {
  readonly row: string;
  /** Nanoseconds per operation, on the host's clock. */
  readonly ns: Spread | null;
  readonly bytes: number | null;
  readonly bytesPerSecond: number | null;
  /** Exits per operation, median of the rounds. */
  readonly exits: Exits | null;
  readonly exitsPerByte: number | null;
  /** Accesses per operation, by QEMU's name of the region. */
  readonly regions: Readonly<Record<string, number>> | null;
  /** Expected device exits per operation. */
  readonly expected: number | null;
  /** Whether the count is within `TOLERANCE` of the expectation; null without an expectation. */
  readonly holds: boolean | null;
}

/** Returns the rows in order of their first appearance. */
export function benchRows(timed: readonly Timed[], counted: readonly Counted[]): readonly BenchRow[] {
  const names = [...new Set([...timed, ...counted].map(({ row }) => row))];
  return names.map((row) => {
    const times = timed.filter((one) => one.row === row);
    const counts = counted.filter((one) => one.row === row);
    const [work] = [...counts, ...times].map((one) => one.work);
    const ns = times.length === 0 ? null : spread(times.map((one) => one.work.ns / one.work.operations));
    const bytes = work?.bytes ?? null;
    const per = (count: (one: Counted) => number): number =>
      spread(counts.map((one) => count(one) / one.work.operations)).median;
    const exits =
      counts.length === 0
        ? null
        : {
            device: per((one) => one.exits.device),
            controller: per((one) => one.exits.controller),
            interrupts: per((one) => one.exits.interrupts),
          };
    const regions = [...new Set(counts.flatMap((one) => Object.keys(one.regions)))].sort();
    const expected = work?.expected;
    return {
      row,
      ns,
      bytes,
      bytesPerSecond: ns === null || bytes === null ? null : (bytes / ns.median) * 1e9,
      exits,
      exitsPerByte: exits === null || bytes === null ? null : exits.device / bytes,
      regions:
        exits && Object.fromEntries(regions.map((name) => [name, per((one) => one.regions[name] ?? 0)])),
      expected: expected ?? null,
      holds:
        expected === undefined || exits === null
          ? null
          : Math.abs(exits.device - expected) <= expected * TOLERANCE,
    };
  });
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = sorted.length / 2;
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
  return { median, low: at(0), high: at(sorted.length - 1) };
}

/** One line for each row whose bound is broken. */
export function brokenBounds(rows: readonly BenchRow[]): readonly string[] {
  return rows.flatMap(({ row, holds, expected, exits, regions }) => {
    if (holds !== false || exits === null || expected === null) return [];
    const where = Object.entries(regions ?? {}).map(([name, count]) => `${name} ${number(count)}`);
    return `${row}: expected ${number(expected)} device exits per operation, counted ${number(exits.device)} (${where.join(', ') || 'no access'})`;
  });
}

const COLUMNS = ['', 'ns/op', 'lowest to highest', 'MB/s', 'exits/op', 'expected', 'GIC/op', 'IRQ/op'];

/** A table for the terminal, grouped by question. */
export function benchTable(rows: readonly BenchRow[]): readonly string[] {
  const cells = rows.map((row) => [
    row.row,
    figure(row.ns?.median),
    row.ns === null ? '' : `${figure(row.ns.low)} to ${figure(row.ns.high)}`,
    row.bytesPerSecond === null ? '' : figure(row.bytesPerSecond / 1e6),
    row.exits === null ? '' : number(row.exits.device),
    row.expected === null ? '' : `${number(row.expected)}${row.holds === false ? ' ✖' : ''}`,
    row.exits === null ? '' : number(row.exits.controller),
    row.exits === null ? '' : number(row.exits.interrupts),
  ]);
  const widths = COLUMNS.map((title, at) =>
    Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  const lines: string[] = [];
  for (const [at, row] of cells.entries()) {
    if (questionOf(rows[at]) !== questionOf(rows[at - 1])) lines.push('', line(COLUMNS));
    lines.push(line(row));
  }
  return lines.slice(1);
}

const questionOf = (row: BenchRow | undefined): string => partsOf(row?.row ?? '').question;

/** Formats a count; whole numbers stay unrounded. */
function number(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : figure(value);
}

/** One plot per question: its variants over their sizes, if any. */
export function benchPlots(rows: readonly BenchRow[]): readonly BenchPlot[] {
  const measured = rows.filter(({ ns }) => ns !== null);
  return [...new Set(measured.map(questionOf))].map((question) => {
    const own = measured.filter((row) => questionOf(row) === question);
    const sizes = [...new Set(own.map(({ row }) => partsOf(row).size ?? 1))].sort((a, b) => a - b);
    const variants = [...new Set(own.map(({ row }) => partsOf(row).variant))];
    const series = variants.map((variant): BenchSeries => {
      const found = sizes.map((size) =>
        own.find(({ row }) => partsOf(row).variant === variant && (partsOf(row).size ?? 1) === size),
      );
      const values = (key: keyof Spread): number[] => found.map((one) => one?.ns?.[key] ?? Number.NaN);
      return {
        name: variant,
        median: values('median'),
        low: values('low'),
        high: values('high'),
        exits: found.every((one) => one?.exits) ? found.map((one) => one?.exits?.device ?? 0) : undefined,
      };
    });
    return { title: question, x: { label: 'bytes', values: sizes }, unit: 'ns per operation', series };
  });
}
