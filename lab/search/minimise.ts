// SPDX-License-Identifier: MIT
/**
 * The shortest script that still fails. Works on the script as it stands, not
 * on the choices of a generator, so it does for a script from a file too.
 */

export interface Shrinkable<O> {
  readonly operations: readonly O[];
}

export interface MinimiseOptions<O> {
  /** Simpler forms of one operation, the simplest first. */
  readonly simpler: (operation: O, before: O | undefined) => readonly O[];
  /** Does this list fail? Index of the operation that shows it, or undefined. */
  readonly failing: (operations: readonly O[]) => Promise<number | undefined>;
  /** Tries at the most; what has been found by then is given. */
  readonly tries: number;
  /** Seconds at the most: a script that hangs takes long to be seen hanging. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

export interface Minimised<O> {
  readonly operations: readonly O[];
  readonly tries: number;
  /** No operation can be left out and none made simpler: not said when the tries ran out. */
  readonly minimal: boolean;
}

/** `operations` fails; `at` is the operation that showed it. */
export async function minimise<O>(
  operations: readonly O[],
  at: number,
  options: MinimiseOptions<O>,
): Promise<Minimised<O>> {
  return new Minimiser(operations.slice(0, at + 1), options).run();
}

class Minimiser<O> {
  #tries = 0;
  readonly #started = performance.now();

  constructor(
    private operations: readonly O[],
    private readonly options: MinimiseOptions<O>,
  ) {}

  async run(): Promise<Minimised<O>> {
    let smaller = true;
    // Making one simpler can make another superfluous.
    while (smaller && !this.#spent()) {
      smaller = false;
      if (await this.#leaveOut()) smaller = true;
      if (await this.#simplify()) smaller = true;
    }
    return { operations: this.operations, tries: this.#tries, minimal: !this.#spent() };
  }

  #spent(): boolean {
    const { tries, seconds, signal } = this.options;
    return this.#tries >= tries || performance.now() - this.#started >= seconds * 1000 || signal.aborted;
  }

  async #try(operations: readonly O[]): Promise<boolean> {
    if (this.#spent()) return false;
    this.#tries += 1;
    const at = await this.options.failing(operations);
    if (at === undefined) return false;
    this.operations = operations.slice(0, at + 1);
    return true;
  }

  /** Leaves out halves, quarters, … and single operations, from the end, until none can be missed. */
  async #leaveOut(): Promise<boolean> {
    const before = this.operations.length;
    for (let size = Math.ceil(before / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = this.operations.length - size; from > -size; from -= size) {
        const start = Math.max(0, from);
        if (start >= this.operations.length) continue;
        await this.#try(this.operations.toSpliced(start, from + size - start));
      }
    }
    return this.operations.length < before;
  }

  async #simplify(): Promise<boolean> {
    let any = false;
    for (let index = 0; index < this.operations.length; index++) {
      let found = true;
      while (found) {
        found = false;
        const operation = this.operations[index];
        if (operation === undefined) break;
        for (const one of this.options.simpler(operation, this.operations[index - 1])) {
          if (await this.#try(this.operations.with(index, one))) {
            found = true;
            any = true;
            break;
          }
        }
      }
    }
    return any;
  }
}
