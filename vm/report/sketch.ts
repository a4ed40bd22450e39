// SPDX-License-Identifier: MIT
/** Draws a run as a few lines of text, for a log or a CI summary. Pure. */
import type { Lane, Recording } from './page/recording.js';
import { seconds } from './page/text.js';

const LABEL = 22;

/** One line per lane, `columns` characters wide. `focus`: index of the row of the failure. */
export function sketch(
  { devices, rows }: Recording,
  columns = 100,
  focus: number | null = null,
): readonly string[] {
  const width = Math.max(10, columns - LABEL);
  const end = Math.max(1, rows.at(-1)?.time ?? 0);
  const columnOf = (time: number): number => Math.min(width - 1, Math.floor((time / end) * width));
  const line = (label: string, cells: readonly string[]): string =>
    `${label.slice(0, LABEL - 1).padEnd(LABEL)}${cells.join('')}`.trimEnd();
  const blank = (): string[] => Array.from({ length: width }, () => ' ');
  const lines = devices.flatMap(({ id, lanes, tests }, source) => {
    const access = blank();
    for (const row of rows)
      if (row.source === source && row.mark !== 'effect')
        access[columnOf(row.time)] = row.judged === 'differs' ? '✖' : '|';
    const bars = blank();
    for (const { from, to, status } of tests)
      bars.fill({ ok: '=', 'not ok': '✖', skip: '-' }[status], columnOf(from), columnOf(to) + 1);
    return [
      ...(tests.length > 0 ? [line(`${id} tests`, bars)] : []),
      line(`${id} accesses`, access),
      ...lanes
        .filter(({ kind }) => kind !== 'number')
        .map((lane) => line(`${id} ${lane.name}`, stateCells(lane, columnOf, width))),
    ];
  });
  const scale = blank();
  const at = focus === null ? undefined : rows[focus]?.time;
  if (at !== undefined) scale[columnOf(at)] = '▲';
  return [...lines, line(`0 to ${seconds(end)}`, scale)];
}

/** Each state begins with its name, as far as it fits. */
function stateCells(
  { kind, times, values }: Lane,
  columnOf: (time: number) => number,
  width: number,
): readonly string[] {
  const cells = Array.from({ length: width }, () => ' ');
  for (const [index, time] of times.entries()) {
    const from = columnOf(time);
    const to = index + 1 < times.length ? columnOf(times[index + 1] ?? 0) : width;
    const value = String(values[index]);
    const text = kind === 'level' ? ({ '0': '_', '1': '‾' }[value] ?? '?') : '';
    for (let at = from; at < to; at++) cells[at] = text || (value[at - from] ?? (at === to - 1 ? '|' : '·'));
  }
  return cells;
}
