// SPDX-License-Identifier: MIT
/** What happened in a run, in the order of time: the events of its devices with the checker's word on each, and the lines of the console. */
import type { CheckedRegister } from '../../crosscheck/types.js';

export interface Recording {
  readonly devices: readonly RecordedDevice[];
  readonly rows: readonly Row[];
  /** What was left out, in words. */
  readonly notes: readonly string[];
}

export interface Row {
  /** Virtual nanoseconds. A line of the console has none of its own: it gets that of the event before, or printk's. */
  readonly time: number;
  /** Index of its device, or CONSOLE_SOURCE. */
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
