// SPDX-License-Identifier: MIT
/** Cross-checks a single device that has the stream to itself. */
import { MARK } from './sections.js';
import type { CheckOptions } from './checker.js';
import { MachineCrosscheck } from './machine.js';
import type { AnyChecker, Verdict } from './types.js';

interface CrosscheckOptions extends CheckOptions {
  /** Id of the instance; by default the device's name. */
  readonly id?: string | undefined;
}

/** A MachineCrosscheck for one device: every console line belongs to it. */
export class Crosscheck {
  readonly #machine: MachineCrosscheck;
  readonly #id: string;

  constructor(checker: AnyChecker, { id = checker.name, ...options }: CrosscheckOptions = {}) {
    this.#machine = new MachineCrosscheck([{ id, checker, options }]);
    this.#id = id;
    this.#machine.consoleLine(`${MARK}test: ${id}`);
  }

  /** Takes the next bytes of the trace stream, split anywhere. */
  feed(chunk: Uint8Array | string): void {
    this.#machine.feed(chunk);
  }

  /** Takes a line of the guest's console, without its newline. */
  consoleLine(line: string): void {
    this.#machine.consoleLine(line);
  }

  /** Whether the verdict can no longer be `agree`. */
  get failed(): boolean {
    return this.#machine.failed;
  }

  /** Ends the stream and returns the verdict. Call it once. */
  end(): Verdict {
    this.#machine.consoleLine(`${MARK}result: ${this.#id} pass`);
    const [only] = this.#machine.end();
    if (only === undefined) throw new Error('Internal error: a cross-check of nothing');
    return only.verdict;
  }
}
