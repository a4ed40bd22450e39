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
  const lines: string[] = [];
  for (const { source, text } of rows.slice(row)) {
    if (source !== CONSOLE_SOURCE) continue;
    lines.push(text);
    if (/---\[ end /.test(text) || lines.length >= SPLAT_LINES) break;
  }
  return { row, lines };
}
