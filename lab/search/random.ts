// SPDX-License-Identifier: MIT
/**
 * Random choices from a seed, the same on every machine. A search draws
 * hundreds of thousands of operations a second; fast-check's generators, which
 * can shrink what they made, cost more than QEMU does. Scripts are minimised by
 * other means.
 */

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Neighbouring seeds or streams give unrelated numbers. Both are whole numbers. */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = Math.floor(seed / 2 ** 32) | 0;
    for (let round = 0; round < 12; round++) this.#next();
  }

  /** 32 random bits: the generator "sfc32" of Chris Doty-Humphrey's PractRand. */
  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 up to, but not including, `end`, which is at most 2^32. */
  below(end: number): number {
    return Math.floor((this.#next() / 2 ** 32) * end);
  }

  /** From `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** Any 64-bit number. */
  word(): bigint {
    return (BigInt(this.#next()) << 32n) | BigInt(this.#next());
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError('Nothing to choose from');
    return choice;
  }
}

/** Repeats each choice by its weight, a whole number, for use with `pick`. */
export function weighted<T>(...choices: readonly (readonly [weight: number, choice: T])[]): readonly T[] {
  return choices.flatMap(([weight, choice]) => Array.from({ length: weight }, () => choice));
}
