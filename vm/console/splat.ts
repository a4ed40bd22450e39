// SPDX-License-Identifier: MIT
/** Collects the kernel's splats: the message, the location and the call trace. Wording: Linux 6.12, arch/arm64. */
import { type Finding, kernelMessage } from './console.js';

/** One splat. */
export interface Splat {
  /** Its first line, such as `BUG: scheduling while atomic: …`. */
  readonly text: string;
  /** Up to 40 lines of it, without timestamps. */
  readonly lines: readonly string[];
  /** The call trace, innermost function first, such as `led_interrupt+0x10/0xb0 [led]`. */
  readonly trace: readonly string[];
  /** Source location and line of driver functions, by entry of `trace`. */
  readonly sources?: Readonly<Record<string, string>> | undefined;
  /** The test that was running: its id, and the number of results it had reported. */
  readonly test: { readonly id: string; readonly results: number } | undefined;
}

const LINES = 40;
const FUNCTIONS = 40;
const SPLATS = 20;
/** An entry of the call trace, or the program counter. Linux marks a function that an exception interrupted with (P). */
const FUNCTION = /^(?:pc : |\s+)([\w.$]+\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[\w+\])?)(?: \([A-Z]+\))?\s*$/;
/** Lines after the call trace that still belong to the splat. */
const AFTER_TRACE = /^(?:Code: |handlers:|\[<|Disabling IRQ)/;
/** A waiting process in the kernel's list of blocked tasks. */
const BLOCKED = /^task:(\S+) +state:D /;
/** Ends the text of a splat that is no message of the kernel: a process that was asked where it is. */
const WAITS = ' waits in the kernel, and is not woken';
const END = /^---\[ end /;

interface Open {
  readonly text: string;
  readonly lines: string[];
  readonly trace: string[];
  readonly test: Splat['test'];
  phase: 'head' | 'trace' | 'rest';
}

/** Takes console lines. Lines from user space may come between those of a splat. */
export class SplatCollector {
  readonly splats: Splat[] = [];
  #open: Open | undefined;

  /** `text` has no escape sequences; `test` is the one that is running. */
  line(text: string, finding: Finding | undefined, test: Splat['test']): void {
    const { message: raw, timed } = kernelMessage(text);
    if (!timed) return;
    const message = raw.trimEnd();
    if (finding?.kind === 'splat' && this.#open?.phase !== 'head') this.#begin(message, test);
    else if (finding?.kind === 'panic') this.#open = undefined;
    const blocked = BLOCKED.exec(message)?.[1];
    if (blocked !== undefined) this.#begin(`The process ${blocked}${WAITS}`, test);
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

export const isBlocked = ({ text }: Pick<Splat, 'text'>): boolean => text.endsWith(WAITS);

/** The functions that belong to modules (the drivers), innermost first. */
export function driverFunctions({ trace }: Pick<Splat, 'trace'>): readonly string[] {
  return trace.filter((entry) => entry.endsWith(']'));
}

/** Whether the kernel is unreliable after this message, so that later results mean nothing. */
export function isFatal(text: string): boolean {
  return /^(?:BUG: |kernel BUG at |Internal error: |Oops\b|Unable to handle |Unhandled fault|Bad mode in |SError |Kernel panic )/.test(
    kernelMessage(text).message,
  );
}
