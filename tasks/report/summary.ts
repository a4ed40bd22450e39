// SPDX-License-Identifier: MIT
/** What stays on the screen after a run: the stages with their durations, the verdict, and the next command. */
import type { CompileCacheUse } from '../engine/events.js';
import { unreachable } from '../../lib/unreachable.js';
import { cleaned, duration, fit, type Paint, wrapped } from './format.js';
import type { TaskRow, RunModel } from './progress-model.js';

interface SummaryOptions {
  readonly paint: Paint;
  /** Columns to stay within; undefined: no terminal, whose lines are as long as they are. */
  readonly columns: number | undefined;
  /** Milliseconds since the process started; the total, if a graph was run. */
  readonly elapsedMs: number;
}

/** The end of a run, after the graph. */
interface Closing {
  /** The verdicts of device, guest and model, with the accelerator that ran; empty when no VM started. */
  readonly verdict: readonly string[];
  /** The next command to type. */
  readonly next?: string | undefined;
}

/** A table of the stages that ran, then the total. Empty for a run without a plan. */
export function summariseStages(
  model: RunModel,
  { paint, columns = 100, elapsedMs }: SummaryOptions,
): string {
  const rows = [...model.rows.values()];
  const shown = rows.filter(({ state }) => state !== 'fresh' && state !== 'waiting');
  if (rows.length === 0) return '';
  const skipped = shown.filter(({ state }) => state === 'skipped').length;
  const table = shown.filter(({ state }) => state !== 'skipped');
  const slowest = longest(table);
  const cells = table.map((row) => ({
    row,
    time: row.durationMs === undefined ? '' : duration(row.durationMs),
    note: noteOf(row, row === slowest && table.length > 1),
  }));
  const timeWidth = Math.max(0, ...cells.map(({ time }) => time.length));
  // The mark, the time, the longest note, and the spaces between them.
  const available = columns - 2 - timeWidth - 2 - Math.max(0, ...cells.map(({ note }) => note.length)) - 2;
  const width = Math.max(8, Math.min(available, Math.max(0, ...table.map(({ title }) => title.length))));
  const lines = cells.map(({ row, time, note }) => {
    const title = fit(row.title, width);
    const padding = ' '.repeat(Math.max(0, width - title.length));
    const line = `${mark(row, paint)} ${title}${padding}  ${time.padStart(timeWidth)}`;
    return note === '' ? line : `${line}  ${paint(row.state === 'failed' ? 'red' : 'yellow', note)}`;
  });
  const fresh = rows.filter(({ state }) => state === 'fresh').length;
  const counts = [
    ...(fresh > 0 ? [`${fresh} up to date`] : []),
    ...(skipped > 0 ? [`${skipped} not started`] : []),
    ...(model.durationMs === undefined ? [] : [`total ${duration(elapsedMs)}`]),
  ];
  if (counts.length > 0) lines.push(`  ${paint('dim', counts.join(', '))}`);
  if (model.cache !== undefined)
    lines.push(...cacheLines(model.cache).map((line) => `  ${paint('dim', line)}`));
  return lines.map((line) => `${line}\n`).join('');
}

function longest(rows: readonly TaskRow[]): TaskRow | undefined {
  let slowest: TaskRow | undefined;
  for (const row of rows) {
    if ((row.durationMs ?? 0) > (slowest?.durationMs ?? 0)) slowest = row;
  }
  return slowest;
}

function noteOf(row: TaskRow, isSlowest: boolean): string {
  if (row.state === 'failed') return row.error?.code === 'interrupted' ? 'stopped' : 'failed';
  return isSlowest ? 'slowest' : '';
}

function mark(row: TaskRow, paint: Paint): string {
  switch (row.state) {
    case 'done':
    case 'fresh':
      return paint('green', '✔');
    case 'failed':
      return paint('red', '✖');
    case 'skipped':
    case 'waiting':
    case 'running':
      return paint('dim', '-');
    default:
      return unreachable(row.state);
  }
}

/** The verdict's lines and the next command, after the table. */
export function summariseClosing({ verdict, next }: Closing, { paint, columns }: SummaryOptions): string {
  const lines = verdict.map(cleaned).flatMap((line) => wrapped(line, columns ?? Number.POSITIVE_INFINITY));
  // Whole, so that it can be copied.
  if (next !== undefined) lines.push(`${paint('bold', 'Next:')} ${cleaned(next)}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** What the compiler cache did: one line for ccache, one for the shared cache where there is one. */
export function cacheLines({ hits, misses, errors, remote }: CompileCacheUse): string[] {
  const share = hits + misses === 0 ? '' : ` (${((100 * hits) / (hits + misses)).toFixed(1)} % hits)`;
  const lines = [
    `ccache: ${count(hits, 'hit')}, ${count(misses, 'miss', 'misses')}, ${count(errors, 'error')}${share}`,
  ];
  if (remote === null) return lines;
  const read = `${count(remote.hits, 'hit')}, ${count(remote.misses, 'miss', 'misses')}, ${count(remote.errors, 'error')}`;
  return [...lines, `shared cache ${cleaned(remote.place)}: ${read}, ${remote.written} written`];
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
