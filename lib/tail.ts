// SPDX-License-Identifier: MIT
/** Keeps the last lines of a stream. */
export class Tail {
  readonly #lines: string[] = [];

  constructor(private readonly most = 40) {}

  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > this.most) this.#lines.shift();
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return [...this.#lines];
  }
}
