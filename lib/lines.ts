// SPDX-License-Identifier: MIT
/** Cuts a stream of bytes into lines, in bounded memory. */
import { StringDecoder } from 'node:string_decoder';

/** Characters of a line that are kept at once, if not said otherwise. */
const LONGEST_LINE = 64 * 1024;

export interface LineOptions {
  /** Longest line, in characters. */
  readonly longest?: number | undefined;
  /** The end of a line that is longer. drop: it is lost, so that no part of it passes for a line. split: it becomes further lines. */
  readonly excess?: 'drop' | 'split' | undefined;
  /** A carriage return alone ends a line, too: a progress display rewrites its line, and each version of it is a line here. */
  readonly carriageReturns?: boolean | undefined;
}

/**
 * Gives each line without its end (LF, or CR LF), however the chunks are cut.
 * Invalid UTF-8 becomes U+FFFD.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #options: Required<{ [K in keyof LineOptions]: NonNullable<LineOptions[K]> }>;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  /** The last line ended with CR: an LF that follows is the second half of that end. */
  #afterReturn = false;

  constructor(onLine: (line: string) => void, options: LineOptions = {}) {
    const { longest = LONGEST_LINE, excess = 'drop', carriageReturns = false } = options;
    this.#onLine = onLine;
    this.#options = { longest, excess, carriageReturns };
  }

  push(chunk: Uint8Array | string): void {
    this.#take(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk));
  }

  /** Text after the last line end: a prompt, or a line that is still being written. */
  get partial(): string {
    return this.#rest;
  }

  /** At the end of the stream: what is left is a line, too. */
  end(): void {
    const rest = this.takeRest();
    if (rest !== '') this.#give(rest);
  }

  /** At the end of the stream: the text after the last line end, which is then not a line. */
  takeRest(): string {
    this.#take(this.#decoder.end());
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }

  #take(text: string): void {
    let from = 0;
    for (const at of this.#lineEnds(text)) {
      const isReturn = text[at] === '\r';
      const secondHalf = this.#afterReturn && !isReturn && at === from && this.#rest === '';
      if (!secondHalf) {
        const line = this.#rest + text.slice(from, at);
        this.#rest = '';
        this.#give(line);
      }
      this.#afterReturn = isReturn;
      from = at + 1;
    }
    this.#rest += text.slice(from);
    const { longest, excess } = this.#options;
    if (this.#rest.length <= longest) return;
    if (excess === 'drop') {
      this.#rest = this.#rest.slice(0, longest);
      return;
    }
    const whole = this.#rest.length - (this.#rest.length % longest);
    this.#give(this.#rest.slice(0, whole));
    this.#rest = this.#rest.slice(whole);
  }

  /** The positions of all line ends, in order. */
  *#lineEnds(text: string): Generator<number> {
    const next = (end: string, from: number): number => {
      const at = text.indexOf(end, from);
      return at < 0 ? text.length : at;
    };
    let newline = next('\n', 0);
    let carriageReturn = this.#options.carriageReturns ? next('\r', 0) : text.length;
    // Each kind is looked for again only when it was found: a chunk without the other is not searched for every line.
    for (;;) {
      const at = Math.min(newline, carriageReturn);
      if (at === text.length) return;
      yield at;
      if (at === newline) newline = next('\n', at + 1);
      else carriageReturn = next('\r', at + 1);
    }
  }

  #give(text: string): void {
    const { longest, excess } = this.#options;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    this.#onLine(line.slice(0, longest));
    if (excess === 'drop') return;
    for (let at = longest; at < line.length; at += longest) this.#onLine(line.slice(at, at + longest));
  }
}
