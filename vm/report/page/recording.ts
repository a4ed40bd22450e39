// SPDX-License-Identifier: MIT
/** What happened in a run, in the order of time: the events of its devices with the checker's word on each, and the lines of the console. */
import { findingOf } from '../../console/console.js';
import type { CheckedRegister } from '../../crosscheck/index.js';

export interface Recording {
  readonly devices: readonly RecordedDevice[];
  readonly rows: readonly Row[];
  /** What was left out, in words. */
  readonly notes: readonly string[];
}

/** `source` of a line of the console. */
export const CONSOLE = -1;

export interface Row {
  /** Virtual nanoseconds. A line of the console has none of its own: it gets that of the event before, or printk's. */
  readonly time: number;
  /** Index of its device, or CONSOLE. */
  readonly source: number;
  readonly mark: 'read' | 'write' | 'other' | 'effect' | 'console';
  /** An access in words; else the line. */
  readonly text: string;
  /** The line as it stands in its file. */
  readonly raw: string;
  readonly judged: 'agrees' | 'differs' | 'invalid' | 'unchecked';
  /** '' for a line of the console. */
  readonly seq: string;
}

export interface RecordedDevice {
  readonly id: string;
  readonly device: string;
  readonly lanes: readonly Lane[];
  readonly tests: readonly Bar[];
  readonly registers: readonly RegisterUse[];
  /** The contract's decisions in words, and whether the run met them. */
  readonly decisions: readonly { readonly name: string; readonly met: boolean }[];
}

/**
 * One value of a device over time. state: holds until the next one. level: the same, '0' or '1'. number: changes evenly
 * from one point to the next; null: it has none.
 */
export interface Lane {
  readonly name: string;
  readonly kind: 'state' | 'level' | 'number';
  readonly unit: string;
  /** Rising, with repetitions. */
  readonly times: readonly number[];
  readonly values: readonly (string | number | null)[];
}

/** A test of the guest. */
export interface Bar {
  readonly name: string;
  readonly status: 'ok' | 'not ok' | 'skip';
  readonly from: number;
  readonly to: number;
}

export interface RegisterUse extends CheckedRegister {
  /** Accesses by width, such as `{ 8: 12 }`; also those that the contract does not allow. */
  readonly reads: Readonly<Record<number, number>>;
  readonly writes: Readonly<Record<number, number>>;
}

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
      source === CONSOLE &&
      ['splat', 'panic', 'init-failure', 'out-of-memory'].includes(findingOf(text)?.kind ?? ''),
  );
  if (row < 0) return undefined;
  const lines: string[] = [];
  for (const { source, text } of rows.slice(row)) {
    if (source !== CONSOLE) continue;
    lines.push(text);
    if (/---\[ end /.test(text) || lines.length >= SPLAT_LINES) break;
  }
  return { row, lines };
}
