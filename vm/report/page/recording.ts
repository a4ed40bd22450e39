// SPDX-License-Identifier: MIT
/** The events of a run with their verdicts, and the console lines, in order of time. */
import type { CheckedRegister } from '../../crosscheck/types.js';

export interface Recording {
  readonly devices: readonly RecordedDevice[];
  readonly rows: readonly Row[];
  /** Notes about rows that were left out. */
  readonly notes: readonly string[];
}

export interface Row {
  /** Virtual nanoseconds. A console line gets the time of the event before, or printk's timestamp. */
  readonly time: number;
  /** Index of its device, or CONSOLE_SOURCE. */
  readonly source: number;
  readonly mark: 'read' | 'write' | 'other' | 'effect' | 'console';
  /** Description of an access; otherwise the line. */
  readonly text: string;
  /** The line from the file. */
  readonly raw: string;
  readonly judged: 'agrees' | 'differs' | 'invalid' | 'unchecked';
  /** '' for a console line. */
  readonly seq: string;
}

export interface RecordedDevice {
  readonly id: string;
  readonly device: string;
  readonly lanes: readonly Lane[];
  readonly tests: readonly Bar[];
  readonly registers: readonly RegisterUse[];
  /** Descriptions of the contract's decisions, and whether the run exercised them. */
  readonly decisions: readonly { readonly name: string; readonly met: boolean }[];
}

/**
 * One value of a device over time. state: holds until the next point. level: the same, with '0' and '1'. number:
 * interpolated between points; null: no value.
 */
export interface Lane {
  readonly name: string;
  readonly kind: 'state' | 'level' | 'number';
  readonly unit: string;
  /** Non-decreasing. */
  readonly times: readonly number[];
  readonly values: readonly (string | number | null)[];
}

/** A test in the guest. */
export interface Bar {
  readonly name: string;
  readonly status: 'ok' | 'not ok' | 'skip';
  readonly from: number;
  readonly to: number;
}

export interface RegisterUse extends CheckedRegister {
  /** Number of accesses by width, such as `{ 8: 12 }`, including accesses that the contract forbids. */
  readonly reads: Readonly<Record<number, number>>;
  readonly writes: Readonly<Record<number, number>>;
}
