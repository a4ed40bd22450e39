// SPDX-License-Identifier: MIT
/**
 * Finds the shortest script that still fails. It works on the script itself and
 * not on the choices of a generator, so it can minimise a script from a file too.
 */

/** Limits of minimising one script. */
export interface ShrinkBudget {
  readonly tries: number;
  /** A script that makes QEMU hang takes long to try. */
  readonly seconds: number;
  /** Seconds after the last operation that could be left out; without it, there is no such limit. */
  readonly idleSeconds?: number | undefined;
}

export interface MinimiseOptions<O> extends ShrinkBudget {
  /** Simpler forms of one operation, the simplest first. */
  readonly simpler: (operation: O, before: O | undefined) => readonly O[];
  /** Runs the operations. Returns the index of the operation that fails, or undefined if none does. */
  readonly failing: (operations: readonly O[]) => Promise<number | undefined>;
  readonly signal: AbortSignal;
}

export interface Minimised<O> {
  readonly operations: readonly O[];
  readonly tries: number;
  /** No operation can be left out or made simpler. False if the budget ran out. */
  readonly minimal: boolean;
}

/** `at`: the operation of `failed` that fails. */
export async function minimise<O>(
  failed: readonly O[],
  at: number,
  { simpler, failing, tries: maxTries, seconds, idleSeconds = seconds, signal }: MinimiseOptions<O>,
): Promise<Minimised<O>> {
  const started = performance.now();
  let operations = failed.slice(0, at + 1);
  let tries = 0;
  let gained = started;
  const spent = (): boolean => {
    const now = performance.now();
    const late = now - started >= seconds * 1000 || now - gained >= idleSeconds * 1000;
    return tries >= maxTries || late || signal.aborted;
  };

  /** Keeps the candidate if it fails. */
  async function attempt(candidate: readonly O[]): Promise<boolean> {
    if (spent()) return false;
    tries += 1;
    const index = await failing(candidate);
    if (index === undefined) return false;
    if (index + 1 < operations.length) gained = performance.now();
    operations = candidate.slice(0, index + 1);
    return true;
  }

  /** Removes halves, quarters, … and single operations, from the end. */
  async function remove(): Promise<boolean> {
    const before = operations.length;
    for (let size = Math.ceil(before / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = operations.length - size; from > -size; from -= size) {
        const start = Math.max(0, from);
        if (start < operations.length) await attempt(operations.toSpliced(start, from + size - start));
      }
    }
    return operations.length < before;
  }

  async function simplifyAt(index: number): Promise<boolean> {
    const operation = operations[index];
    if (operation === undefined) return false;
    for (const form of simpler(operation, operations[index - 1])) {
      if (await attempt(operations.with(index, form))) return true;
    }
    return false;
  }

  async function simplify(): Promise<boolean> {
    let any = false;
    for (let index = 0; index < operations.length; index++) while (await simplifyAt(index)) any = true;
    return any;
  }

  // Simplifying one operation can make another one unnecessary.
  let smaller = true;
  while (smaller && !spent()) {
    const removed = await remove();
    smaller = (await simplify()) || removed;
  }
  return { operations, tries, minimal: !spent() };
}
