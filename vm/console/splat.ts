// SPDX-License-Identifier: MIT
/** Collects what the kernel prints when it goes wrong: the message, where it happened, and the call trace. Wording: Linux 6.12, arch/arm64. */
import { type Finding, kernelMessage } from './console.js';

/** One complaint of the kernel. */
export interface Splat {
  /** The line that says what happened, such as `BUG: scheduling while atomic: …`. */
  readonly text: string;
  /** All of its lines, without their times. At most 40. */
  readonly lines: readonly string[];
  /** The functions that were active, innermost first, such as `led_interrupt+0x10/0xb0 [led]`. */
  readonly trace: readonly string[];
  /** By entries of `trace`: the place in the driver's source, and what stands there. */
  readonly sources?: Readonly<Record<string, string>> | undefined;
  /** The guest's test in which it happened: that of this device, after so many results. */
  readonly test: { readonly id: string; readonly results: number } | undefined;
}

const LINES = 40;
const FUNCTIONS = 40;
const SPLATS = 20;
/** A function of the call trace, or the program counter. Linux marks one that an exception interrupted with (P). */
const FUNCTION = /^(?:pc : |\s+)([\w.$]+\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[\w+\])?)(?: \([A-Z]+\))?\s*$/;
/** What may come after the functions and belongs to them. */
const AFTER_TRACE = /^(?:Code: |handlers:|\[<|Disabling IRQ)/;
const END = /^---\[ end /;

interface Open {
  readonly text: string;
  readonly lines: string[];
  readonly trace: string[];
  readonly test: Splat['test'];
  phase: 'head' | 'trace' | 'rest';
}

/** Takes the lines of the console. Others than the kernel's may come between them. */
export class SplatCollector {
  readonly splats: Splat[] = [];
  #open: Open | undefined;

  /** A line without escapes, what it says, and the test that runs. */
  line(text: string, finding: Finding | undefined, test: Splat['test']): void {
    const { message: raw, timed } = kernelMessage(text);
    if (!timed) return;
    const message = raw.trimEnd();
    if (finding?.kind === 'splat' && this.#open?.phase !== 'head') this.#begin(message, test);
    else if (finding?.kind === 'panic') this.#open = undefined;
    const open = this.#open;
    if (open === undefined) return;
    if (END.test(message)) {
      this.#open = undefined;
      return;
    }
    const entry = FUNCTION.exec(message)?.[1];
    if (open.phase === 'trace' && entry === undefined) {
      if (!AFTER_TRACE.test(message)) {
        this.#open = undefined;
        return;
      }
      open.phase = 'rest';
    } else if (open.phase === 'rest' && !AFTER_TRACE.test(message)) {
      this.#open = undefined;
      return;
    }
    if (message === 'Call trace:') open.phase = 'trace';
    if (entry !== undefined && open.trace.length < FUNCTIONS && open.trace.at(-1) !== entry)
      open.trace.push(entry);
    if (open.lines.length < LINES && message !== '') open.lines.push(message);
  }

  #begin(text: string, test: Splat['test']): void {
    this.#open = undefined;
    if (this.splats.length >= SPLATS) return;
    this.#open = { text, lines: [], trace: [], test, phase: 'head' };
    this.splats.push(this.#open);
  }
}

/** The functions of modules, which are the drivers', innermost first. */
export function driverFunctions({ trace }: Pick<Splat, 'trace'>): readonly string[] {
  return trace.filter((entry) => entry.endsWith(']'));
}

/** It will not get better by itself: what runs after it need not mean anything. */
export function isFatal(text: string): boolean {
  return /^(?:BUG: |kernel BUG at |Internal error: |Oops\b|Unable to handle |Unhandled fault|Bad mode in |SError |Kernel panic )/.test(
    kernelMessage(text).message,
  );
}
