// SPDX-License-Identifier: MIT
/** Why a task is stale, as text. */
import { relative } from 'node:path';
import type { Reason, TaskStatus } from '../engine/events.js';
import { unreachable } from '../../lib/unreachable.js';
import { cleaned, duration, type Paint } from './format.js';

/** One reason. Paths are shown relative to `base` where they are below it. */
export function reasonText(reason: Reason, base: string): string {
  switch (reason.kind) {
    case 'never-run':
      return 'never run';
    case 'always':
      return `always runs: ${reason.why}`;
    case 'unfinished':
      return 'was interrupted or failed the last time';
    case 'value':
      return `${reason.key} was ${reason.was}, is ${reason.is}`;
    case 'file':
      return `${shown(reason.path, base)} ${reason.change}`;
    case 'tree': {
      const names = reason.changed.join(', ');
      const more = reason.more > 0 ? ` and ${reason.more} more` : '';
      return `in ${shown(reason.path, base)} changed: ${names}${more}`;
    }
    case 'tool':
      return `${reason.tool} was '${reason.was}', is '${reason.is}'`;
    case 'dependency':
      return `depends on ${reason.task}, which is stale`;
    case 'output':
      return `its output ${shown(reason.path, base)} ${reason.change === 'missing' ? 'is missing' : 'has changed since the task finished'}`;
    default:
      return unreachable(reason);
  }
}

function shown(path: string, base: string): string {
  const below = relative(base, path);
  return below === '' || below.startsWith('..') ? path : below;
}

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
