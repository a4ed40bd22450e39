// SPDX-License-Identifier: MIT
/** The cross-check of one device that is alone in its stream. */
import { MARK } from './sections.js';
import type { CheckOptions } from './checker.js';
import { checkFileWith, type ConsoleOptions, MachineCrosscheck } from './machine.js';
import type { AnyChecker, Verdict } from './types.js';

export interface CrosscheckOptions extends CheckOptions {
  /** Of the instance; the device's name if absent. */
  readonly id?: string | undefined;
}

/** Like MachineCrosscheck; all lines of the console are about this device. */
export class Crosscheck {
  readonly #machine: MachineCrosscheck;
  readonly #id: string;

  constructor(checker: AnyChecker, { id = checker.name, ...options }: CrosscheckOptions = {}) {
    this.#machine = new MachineCrosscheck([{ id, checker, options }]);
    this.#id = id;
    this.#machine.consoleLine(`${MARK}test: ${id}`);
  }

  /** The next bytes of the trace stream, cut anywhere. */
  feed(chunk: Uint8Array | string): void {
    this.#machine.feed(chunk);
  }

  /** A line of the guest's console, without its end. */
  consoleLine(line: string): void {
    this.#machine.consoleLine(line);
  }

  /** Whether the verdict can no longer be `agree`. */
  get failed(): boolean {
    return this.#machine.failed;
  }

  /** The stream is over. Call it once. */
  end(): Verdict {
    this.#machine.consoleLine(`${MARK}result: ${this.#id} pass`);
    const [only] = this.#machine.end();
    if (only === undefined) throw new Error('Internal error: a cross-check of nothing');
    return only.verdict;
  }
}

export interface CheckFileOptions extends CrosscheckOptions, ConsoleOptions {}

/** Checks a saved stream, as `checkMachineFile` does. */
export async function checkFile(
  path: string,
  checker: AnyChecker,
  { console, signal, ...options }: CheckFileOptions = {},
): Promise<Verdict> {
  const guest = options.guest ?? console !== undefined;
  return checkFileWith(path, new Crosscheck(checker, { ...options, guest }), { console, signal });
}
