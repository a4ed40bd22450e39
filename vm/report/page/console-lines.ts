// SPDX-License-Identifier: MIT
/** Splits the console's log into lines with their byte offsets, by which they are ordered among the events. */

/** Maximum bytes to keep of a line. */
const KEPT = 8 * 1024;

export interface ConsoleLine {
  /** Offset of its first byte in the log. */
  readonly at: number;
  /** Invalid UTF-8 becomes U+FFFD. */
  readonly text: string;
  /** Number of bytes that `text` lacks. */
  readonly lost: number;
}

export class ConsoleLines {
  #at = 0;
  #length = 0;
  #kept: Buffer[] = [];
  readonly #onLine: (line: ConsoleLine) => void;

  constructor(onLine: (line: ConsoleLine) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#take(chunk.subarray(from, end));
      this.#give(1);
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
  }

  /** Ends the log; text after the last newline becomes a line. */
  end(): void {
    if (this.#length > 0) this.#give(0);
  }

  #take(part: Buffer): void {
    const room = KEPT - this.#length;
    // Copy, because the chunk's memory may be reused.
    if (room > 0 && part.length > 0) this.#kept.push(Buffer.from(part.subarray(0, room)));
    this.#length += part.length;
  }

  #give(newline: number): void {
    const text = Buffer.concat(this.#kept).toString('utf8').replace(/\r$/, '');
    this.#onLine({ at: this.#at, text, lost: Math.max(0, this.#length - KEPT) });
    this.#at += this.#length + newline;
    this.#length = 0;
    this.#kept = [];
  }
}
