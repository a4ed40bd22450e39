// SPDX-License-Identifier: MIT
/** Single keys from a terminal. */

export const KEYS = 'Keys: r run again, d last divergence, s shell in the VM, q quit.';

const CTRL_C = '\u0003';

export type Key = 'again' | 'divergence' | 'shell' | 'quit' | 'interrupt';
const MEANING: Readonly<Record<string, Key>> = {
  r: 'again',
  d: 'divergence',
  s: 'shell',
  q: 'quit',
  [CTRL_C]: 'interrupt',
};

/** Holds the terminal raw while it is taken. */
export class Keys {
  readonly #stdin: NodeJS.ReadStream;
  readonly #onData: (chunk: Buffer | string) => void;
  readonly #onEnd: () => void;

  /** The end of the input is like Ctrl-C: the terminal has gone. */
  constructor(stdin: NodeJS.ReadStream, onKey: (key: Key) => void) {
    this.#stdin = stdin;
    this.#onData = (chunk) => {
      for (const character of chunk.toString()) {
        const key = MEANING[character.toLowerCase()];
        if (key !== undefined) onKey(key);
      }
    };
    this.#onEnd = () => onKey('interrupt');
  }

  take(): void {
    this.#stdin.setRawMode(true);
    this.#stdin.on('data', this.#onData);
    this.#stdin.on('end', this.#onEnd);
    this.#stdin.resume();
  }

  release(): void {
    this.#stdin.removeListener('data', this.#onData);
    this.#stdin.removeListener('end', this.#onEnd);
    this.#stdin.pause();
    this.#stdin.setRawMode(false);
  }
}
