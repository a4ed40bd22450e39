// SPDX-License-Identifier: MIT
/**
 * A script, worked out: what is sent to QEMU, and every byte that must come back.
 *
 * Under a driven clock nothing that the device does is a matter of chance, so
 * the whole answer is known before anything is sent: it can all be sent at once
 * and compared as bytes.
 */

import type { Change } from './saved-state.js';

/** qtest commands that are sent without waiting, and the answers to all of them, interrupts included. */
export interface Exchange {
  readonly kind: 'exchange';
  readonly send: string;
  readonly expect: string;
  /** Where each answer ends in `expect`, rising. */
  readonly ends: readonly number[];
  /** Per answer: the index of its operation. */
  readonly operations: readonly number[];
  /** Per answer: what it tells. */
  readonly parts: readonly string[];
  /** The same every few thousand bytes: commands up to `sent` are answered by what is expected up to `heard`. The last is the end. */
  readonly marks: readonly Mark[];
}

export interface Mark {
  readonly sent: number;
  readonly heard: number;
}

/** Bytes of answers between two marks. */
const MARKED = 8192;

/** Something that qtest cannot do, done through QMP between two exchanges. */
export type Action =
  | { readonly kind: 'reset' | 'stop' | 'cont' | 'save'; readonly operation: number }
  /** End the saving, load the VM into a new process whose clock says `now`, and go on there. */
  | { readonly kind: 'reload'; readonly operation: number; readonly now: bigint }
  /** The same, with the device's state changed in between; where that must be refused, what was saved is loaded after it. */
  | {
      readonly kind: 'forge';
      readonly operation: number;
      readonly now: bigint;
      readonly section: string;
      readonly changes: readonly Change[];
      readonly refused: boolean;
    };

export interface Plan {
  readonly steps: readonly (Exchange | Action)[];
  /** Virtual time before the first operation and after the last, nanoseconds. */
  readonly base: bigint;
  readonly end: bigint;
  /** Operations of the script, and qtest commands that they became. */
  readonly operations: number;
  readonly commands: number;
  /** Which entries of the target's `decisions` the script carries out, by their places. */
  readonly decided?: ReadonlySet<number>;
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

  /** What comes unasked, such as an interrupt: it belongs to the next answer. */
  before(text: string): void {
    this.#expect += text;
  }

  /** A command and its answer, both without their line ends. */
  ask(operation: number, part: string, command: string, answer: string): void {
    this.#send += `${command}\n`;
    this.#expect += `${answer}\n`;
    this.#ends.push(this.#expect.length);
    this.#operations.push(operation);
    this.#parts.push(part);
    if (this.#expect.length - (this.#marks.at(-1)?.heard ?? 0) >= MARKED) this.#mark();
  }

  #mark(): void {
    this.#marks.push({ sent: this.#send.length, heard: this.#expect.length });
  }

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
