// SPDX-License-Identifier: MIT
/** What the script of the page gets: the recording in columns, which a browser reads several times faster than objects. */
import type { Bar, Lane, Row } from './recording.js';

/** Can be written as JSON. */
export interface PageData {
  readonly devices: readonly PageDevice[];
  readonly rows: Columns;
  readonly differences: readonly Difference[];
  /** The row that is opened and centred; null: the whole run is shown. */
  readonly focus: number | null;
}

export interface PageDevice {
  readonly id: string;
  readonly lanes: readonly Lane[];
  readonly tests: readonly Bar[];
}

/** See `Row`. Each has one value per row. */
export interface Columns {
  /** The first, then each as the difference from the one before. */
  readonly time: readonly number[];
  readonly source: readonly number[];
  /** Indices in MARKS and JUDGED. */
  readonly mark: readonly number[];
  readonly judged: readonly number[];
  readonly seq: readonly string[];
  readonly text: readonly string[];
  /** null: the text is the line. */
  readonly raw: readonly (string | null)[];
}

/** `source` of a line of the console. */
export const CONSOLE_SOURCE = -1;
export const MARKS: readonly Row['mark'][] = ['read', 'write', 'other', 'effect', 'console'];
export const JUDGED: readonly Row['judged'][] = ['agrees', 'differs', 'invalid', 'unchecked'];

/** What a device did otherwise than its model. */
export interface Difference {
  readonly row: number;
  readonly what: string;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}
