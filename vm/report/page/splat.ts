// SPDX-License-Identifier: MIT
import { findingOf } from '../../console/console.js';
import { CONSOLE_SOURCE } from './page-data.js';
import type { Recording } from './recording.js';

/** The lines of one kernel's crash on the console: from its first word to the end of the trace. */
export interface Splat {
  readonly row: number;
  readonly lines: readonly string[];
}

/** Lines of a kernel's report that are kept. */
const SPLAT_LINES = 80;

/** The first crash that the kernel reports on the console, to the end of its trace. */
export function splatOf({ rows }: Pick<Recording, 'rows'>): Splat | undefined {
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
  // A panic says so below the trace.
  const more = /Kernel panic/.test(lines[end + 1] ?? '') ? 2 : 1;
  return { row, lines: lines.slice(0, end + more) };
}
