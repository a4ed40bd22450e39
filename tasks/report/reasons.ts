// SPDX-License-Identifier: MIT
/** Why a task is stale, as text. */
import type { TaskStatus } from '../engine/events.js';
import { reasonText } from '../engine/reason-text.js';
import { cleaned, duration, type Paint } from './format.js';

/** The whole of `stopwatch status` as text: one line per task, then its reasons. */
export function statusText(tasks: readonly TaskStatus[], base: string, paint: Paint): string {
  const width = Math.max(0, ...tasks.map(({ name }) => name.length));
  const lines = tasks.flatMap(({ name, fresh, reasons, lastDurationMs }) => {
    const last = lastDurationMs === undefined ? '' : paint('dim', `  (took ${duration(lastDurationMs)})`);
    const state = fresh ? paint('green', 'fresh') : paint('yellow', 'stale');
    return [
      `${name.padEnd(width)}  ${state}${last}`,
      ...reasons.map((reason) => `${' '.repeat(width)}  - ${cleaned(reasonText(reason, base))}`),
    ];
  });
  const stale = tasks.filter(({ fresh }) => !fresh).length;
  lines.push(stale === 0 ? 'Everything is up to date.' : `${stale} of ${tasks.length} tasks are stale.`);
  return lines.map((line) => `${line}\n`).join('');
}
