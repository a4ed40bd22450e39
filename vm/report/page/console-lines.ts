// SPDX-License-Identifier: MIT
/** Cuts the console's log into lines and says at which byte each begins: QEMU's trace has every byte in the order of the events. */

/** Bytes of a line that are kept. */
const KEPT = 8 * 1024;

export interface ConsoleLine {
  /** Place of its first byte in the log. */
  readonly at: number;
  /** Invalid UTF-8 becomes U+FFFD. */
  readonly text: string;
  /** Bytes that are not in `text`. */
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

  /** What stands after the last line end is a line, too. */
  end(): void {
    if (this.#length > 0) this.#give(0);
  }

  #take(part: Buffer): void {
    const room = KEPT - this.#length;
    // A copy: the chunk's memory may be used again.
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
