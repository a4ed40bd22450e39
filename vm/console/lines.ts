// SPDX-License-Identifier: MIT
/** Bytes of a stream to lines of text, in bounded memory. */

/** Longest line that is kept; the rest of a longer one is dropped, so that no part of it passes for a line of its own. */
export const MAX_LINE_BYTES = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Splits at LF, CR LF and CR (a progress display rewrites its line; each state of
 * it is a line here). Invalid UTF-8 becomes U+FFFD.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #length = 0;
  #afterCr = false;

  constructor(onLine: (line: string) => void, maxBytes = MAX_LINE_BYTES) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) {
        this.#afterCr = false;
        continue;
      }
      if (byte === LF && this.#afterCr) {
        // Second half of CR LF: the line is out already.
        this.#afterCr = false;
      } else {
        this.#keep(chunk.subarray(start, at));
        this.#flush();
        this.#afterCr = byte === CR;
      }
      start = at + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Text after the last line end: a prompt, or a line that is still being written. */
  get partial(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }

  /** At the end of the stream: what is left is a line too. */
  end(): void {
    if (this.#length > 0) this.#flush();
  }

  #keep(bytes: Uint8Array): void {
    const room = this.#maxBytes - this.#length;
    const kept = bytes.subarray(0, Math.max(room, 0));
    if (kept.length === 0) return;
    // A copy: the stream may use its buffer again.
    this.#parts.push(Buffer.from(kept));
    this.#length += kept.length;
  }

  #flush(): void {
    const line = this.partial;
    this.#parts = [];
    this.#length = 0;
    this.#onLine(line);
  }
}
