// SPDX-License-Identifier: MIT
/**
 * A plan is a compiled script: the commands for QEMU, and every byte of the expected answers.
 *
 * The clock is driven, so the device's behaviour does not depend on chance, and
 * all answers are known before anything is sent.
 */
import type { FieldChange } from './saved-state.js';

/** qtest commands that are sent without waiting, and the expected answers, interrupts included. */
export interface Exchange {
  readonly kind: 'exchange';
  readonly send: string;
  readonly expect: string;
  /** Where each answer ends in `expect`, ascending. */
  readonly ends: readonly number[];
  /** Per answer: the index of its operation. */
  readonly operations: readonly number[];
  /** Per answer: what it shows, such as `registers`. */
  readonly parts: readonly string[];
  /** One mark every few thousand bytes; the last is at the end. */
  readonly marks: readonly Mark[];
}

/** The first `sent` bytes of commands are answered by the first `expected` bytes of answers. */
export interface Mark {
  readonly sent: number;
  readonly expected: number;
}

/** Bytes of answers between two marks. */
const MARK_DISTANCE = 8192;

/** Something that qtest cannot do, done through QMP between two exchanges. */
export type Action =
  | { readonly kind: 'reset' | 'stop' | 'cont' | 'save'; readonly operation: number }
  /** Completes the save, and loads the VM into a new process whose clock is at `now`. */
  | { readonly kind: 'reload'; readonly operation: number; readonly now: bigint }
  /** The same, with fields of the saved device changed. If that state must be refused, the unchanged one is loaded afterwards. */
  | {
      readonly kind: 'corrupt';
      readonly operation: number;
      readonly now: bigint;
      readonly section: string;
      readonly changes: readonly FieldChange[];
      readonly refused: boolean;
    };

export interface Plan {
  readonly steps: readonly (Exchange | Action)[];
  /** Virtual time before the first operation and after the last, nanoseconds. */
  readonly base: bigint;
  readonly end: bigint;
  /** Number of operations of the script, and of qtest commands that they became. */
  readonly operations: number;
  readonly commands: number;
  /** Indices of the device's `decisions` that the script exercises. */
  readonly decided?: ReadonlySet<number> | undefined;
}

/** Collects one exchange. */
export class ExchangeBuilder {
  #send = '';
  #expect = '';
  #ends: number[] = [];
  #operations: number[] = [];
  #parts: string[] = [];
  #marks: Mark[] = [];

  get empty(): boolean {
    return this.#ends.length === 0;
  }

  /** Text that precedes the next answer, such as an interrupt. */
  before(text: string): void {
    this.#expect += text;
  }

  /** A command and its answer, both without line ends. */
  ask(operation: number, part: string, command: string, answer: string): void {
    this.#send += `${command}\n`;
    this.#expect += `${answer}\n`;
    this.#ends.push(this.#expect.length);
    this.#operations.push(operation);
    this.#parts.push(part);
    if (this.#expect.length - (this.#marks.at(-1)?.expected ?? 0) >= MARK_DISTANCE) this.#mark();
  }

  #mark(): void {
    this.#marks.push({ sent: this.#send.length, expected: this.#expect.length });
  }

  /** Returns the exchange, and starts the next. */
  take(): Exchange {
    this.#mark();
    const exchange: Exchange = {
      kind: 'exchange',
      send: this.#send,
      expect: this.#expect,
      ends: this.#ends,
      operations: this.#operations,
      parts: this.#parts,
      marks: this.#marks,
    };
    this.#send = '';
    this.#expect = '';
    this.#ends = [];
    this.#operations = [];
    this.#parts = [];
    this.#marks = [];
    return exchange;
  }
}
