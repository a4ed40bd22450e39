// SPDX-License-Identifier: MIT
/** What is to be done next, as saves and keys ask for it. */

export type Wish =
  /** Empty: run again although nothing was saved. `at`: when the first of these files was saved, milliseconds. */
  | { readonly kind: 'run'; readonly saved: readonly string[]; readonly at: number }
  | { readonly kind: 'shell' }
  | { readonly kind: 'quit'; readonly interrupted: boolean };

/** Runs that wait are one run; to quit comes before everything else. */
export class Wishes {
  readonly #waiting: Wish[] = [];
  #wake: (() => void)[] = [];

  add(wish: Wish): void {
    const run = this.#waiting.findIndex(({ kind }) => kind === 'run');
    const before = this.#waiting[run];
    if (wish.kind === 'quit') this.#waiting.unshift(wish);
    else if (wish.kind === 'run' && before?.kind === 'run') {
      const saved = [...new Set([...before.saved, ...wish.saved])].sort();
      this.#waiting[run] = { kind: 'run', saved, at: Math.min(before.at, wish.at) };
    } else this.#waiting.push(wish);
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** The next one, as soon as there is one. */
  async take(): Promise<Wish> {
    for (;;) {
      await this.some(() => true);
      const wish = this.#waiting.shift();
      if (wish !== undefined) return wish;
    }
  }

  /** Resolves as soon as there is one of that kind. */
  async some(isMeant: (wish: Wish) => boolean): Promise<void> {
    while (!this.#waiting.some(isMeant)) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }
}
