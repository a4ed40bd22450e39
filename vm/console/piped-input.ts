// SPDX-License-Identifier: MIT
/**
 * Types commands from a pipe or file into the guest's shell.
 *
 * A serial console drops input that the guest does not read, and has no end of
 * file. So each line waits for a prompt, and end of file becomes Ctrl-D at a
 * prompt, which ends the shell and the machine.
 */
import type { Clock } from '../clock.js';
import type { RunningMachine } from '../boot-request.js';

/** Send the next line after this many quiet milliseconds without a prompt: the command may read its input, or the prompt is unusual. */
const NO_PROMPT = 2000;
/** The same before the first prompt, while the guest boots. */
export const NO_FIRST_PROMPT = 10_000;
/** Take text for a prompt only when nothing follows for this many milliseconds: it may be the start of `#1 SMP`. */
export const SETTLED = 50;
const PROMPT = /[#$>] ?$/;
const CTRL_D = '\u0004';

type ShellMachine = Pick<RunningMachine, 'prompt' | 'send' | 'quit'>;

export class PipedInput {
  readonly #clock: Clock;
  readonly #machine: ShellMachine;
  readonly #quietSeconds: number;
  readonly #lines: Uint8Array[] = [];
  #ended = false;
  #hungUp = false;
  #sentAnything = false;
  /** The echo of the last line is not complete yet. */
  #echoing = false;
  #cancel: () => void = () => {};
  #cancelPrompt: () => void = () => {};

  constructor(clock: Clock, machine: ShellMachine, quietSeconds: number) {
    this.#clock = clock;
    this.#machine = machine;
    this.#quietSeconds = quietSeconds;
    this.#arm();
  }

  /** Bytes waiting for a prompt. */
  get waiting(): number {
    return this.#lines.reduce((sum, line) => sum + line.length, 0);
  }

  /** Takes bytes from the pipe. */
  push(bytes: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(0x0a, start);
      const piece = bytes.subarray(start, end < 0 ? bytes.length : end + 1);
      if (piece.length > 0) this.#add(Uint8Array.from(piece));
      if (end < 0) break;
      start = end + 1;
    }
    this.#atPrompt();
  }

  /** The pipe has ended. */
  end(): void {
    const last = this.#lines.at(-1);
    if (last !== undefined && last.at(-1) !== 0x0a) this.#add(Uint8Array.of(0x0a));
    this.#ended = true;
    this.#atPrompt();
  }

  /** Takes bytes that the console printed. */
  printed(bytes: Uint8Array): void {
    if (bytes.includes(0x0a)) this.#echoing = false;
    this.#arm();
    this.#atPrompt();
  }

  stop(): void {
    this.#cancel();
    this.#cancelPrompt();
  }

  /** Joins pieces of one line. */
  #add(piece: Uint8Array): void {
    const last = this.#lines.at(-1);
    if (last === undefined || last.at(-1) === 0x0a) this.#lines.push(piece);
    else this.#lines[this.#lines.length - 1] = Buffer.concat([last, piece]);
  }

  #atPrompt(): void {
    this.#cancelPrompt();
    if (this.#echoing || !PROMPT.test(this.#machine.prompt)) return;
    this.#cancelPrompt = this.#clock.after(SETTLED, () => this.#next());
  }

  #next(): void {
    const line = this.#lines[0];
    if (line !== undefined && line.at(-1) === 0x0a) {
      this.#lines.shift();
      this.#send(line);
    } else if (this.#ended && !this.#hungUp) {
      this.#hungUp = true;
      this.#send(CTRL_D);
    }
  }

  #send(bytes: Uint8Array | string): void {
    this.#sentAnything = true;
    this.#echoing = true;
    this.#machine.send(bytes);
    this.#arm();
  }

  #arm(): void {
    this.#cancel();
    if (this.#hungUp) {
      const seconds = this.#quietSeconds;
      this.#cancel = this.#clock.after(seconds * 1000, () =>
        this.#machine.quit(`the input ended, and the guest was quiet for ${seconds} s`),
      );
      return;
    }
    this.#cancel = this.#clock.after(this.#sentAnything ? NO_PROMPT : NO_FIRST_PROMPT, () => {
      this.#next();
      this.#arm();
    });
  }
}
