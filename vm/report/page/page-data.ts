// SPDX-License-Identifier: MIT
/** The data of the page's script. Columns parse several times faster in a browser than objects. */
import type { Bar, Lane, Row } from './recording.js';

/** Serialisable as JSON. */
export interface PageData {
  readonly devices: readonly PageDevice[];
  readonly rows: Columns;
  readonly differences: readonly Difference[];
  /** The row to open and centre; null: show the whole run. */
  readonly focus: number | null;
}

export interface PageDevice {
  readonly id: string;
  readonly lanes: readonly Lane[];
  readonly tests: readonly Bar[];
}

/** The columns of `Row`, with one value per row. */
export interface Columns {
  /** Delta-encoded. */
  readonly time: readonly number[];
  readonly source: readonly number[];
  /** Indices in MARKS and JUDGED. */
  readonly mark: readonly number[];
  readonly judged: readonly number[];
  readonly seq: readonly string[];
  readonly text: readonly string[];
  /** null: equal to the text. */
  readonly raw: readonly (string | null)[];
}

/** `source` of a line of the console. */
export const CONSOLE_SOURCE = -1;
export const MARKS: readonly Row['mark'][] = ['read', 'write', 'other', 'effect', 'console'];
export const JUDGED: readonly Row['judged'][] = ['agrees', 'differs', 'invalid', 'unchecked'];

/** A divergence, for display. */
export interface Difference {
  readonly row: number;
  readonly what: string;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}
