// SPDX-License-Identifier: MIT
/** Classifies lines of the guest's serial console. Wording: Linux 6.12, kernel/panic.c, init/main.c, mm/oom_kill.c, arch/arm64. */
import { printable } from '../../lib/printable.js';
import { MARK } from '../crosscheck/sections.js';

export type Finding =
  /** Kernel panic; `text` is its reason. */
  | { readonly kind: 'panic'; readonly text: string }
  /** The kernel reported an error and may continue: Oops, BUG, WARNING, a stall. */
  | { readonly kind: 'splat'; readonly text: string }
  /** The init process could not be started, or it exited. */
  | { readonly kind: 'init-failure'; readonly text: string }
  | { readonly kind: 'out-of-memory'; readonly text: string }
  /** The guest is about to power off or restart cleanly. */
  | { readonly kind: 'power-off'; readonly text: string }
  | { readonly kind: 'restart'; readonly text: string };

/** printk's timestamp, and the caller's id where CONFIG_PRINTK_CALLER is set. */
const PRINTK_PREFIX = /^(?:<\d+>)?\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? ?/;
/** The same inside a line: a kernel message interrupted a line from user space. */
const PRINTK_INSIDE = /\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? /;

/** The message without printk's timestamp, and whether it had one. */
export function kernelMessage(text: string): { readonly message: string; readonly timed: boolean } {
  const message = text.replace(PRINTK_PREFIX, '');
  return { message, timed: message.length !== text.length };
}

const RULES: readonly (readonly [RegExp, Finding['kind']])[] = [
  [/^Kernel panic - not syncing\b/, 'panic'],
  [
    /^(?:No working init found|Requested init .* failed|Failed to execute \/|Attempted to kill init)/,
    'init-failure',
  ],
  [/^VFS: (?:Unable to mount root|Cannot open root device)/, 'init-failure'],
  [/^(?:Out of memory: |.* invoked oom-killer: |oom-kill:|.*page allocation failure: )/, 'out-of-memory'],
  [/^(?:Internal error: |Oops\b|kernel BUG at |BUG: |WARNING: |Bad mode in )/, 'splat'],
  [/^(?:Unable to handle kernel |Unhandled fault|SError Interrupt on CPU)/, 'splat'],
  [/^(?:UBSAN: |kmemleak: \d+ new suspected memory leaks)/, 'splat'],
  [/^(?:rcu: INFO: .*(?:detected|stall)|watchdog: BUG: |INFO: task .* blocked for more than)/, 'splat'],
  // Lock debugging, unhandled interrupts, UBSAN, sysfs.
  [
    /^(?:INFO: (?:possible |inconsistent |suspicious )|DEBUG_LOCKS_WARN_ON\b|irq \d+: nobody cared\b)/,
    'splat',
  ],
  [/^(?:UBSAN: |sysfs: cannot create duplicate filename )/, 'splat'],
  [/^reboot: (?:Power down|System halted)/, 'power-off'],
  [/^reboot: Restarting system/, 'restart'],
];

/** Classifies one line from LineSplitter; undefined for ordinary text. */
export function findingOf(line: string): Finding | undefined {
  const { message } = kernelMessage(printable(line));
  for (const [pattern, kind] of RULES) {
    if (pattern.test(message)) return { kind, text: message.trimEnd() };
  }
  return undefined;
}

/** Matches the beginning of a KTAP result, plan or version line, however short. */
const KTAP_HEAD = /^ *(?:$|o$|n$|no$|not ?$|not o$|K$|KT$|KTA$|(?:not )?ok\b|KTAP\b|1\.\.)/;

/** The same, and also for init's marks around a test. */
function isHead(text: string): boolean {
  return KTAP_HEAD.test(text) || text.startsWith(MARK) || MARK.startsWith(text);
}

/** Longest interrupted line to keep, in characters. This bounds memory for a guest that never completes one. */
const LONGEST_HEAD = 4096;

/**
 * Rejoins KTAP lines and init's marks that a kernel message interrupted. The
 * message is emitted first, as a line of its own. Other text that contains a
 * kernel timestamp, such as a quoted log, is left alone.
 */
export class Deinterleaver {
  readonly #onLine: (line: string) => void;
  #head = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(raw: string): void {
    const line = printable(raw);
    if (kernelMessage(line).timed) {
      this.#onLine(line);
      return;
    }
    const cut = PRINTK_INSIDE.exec(line);
    const head = this.#head + line.slice(0, cut?.index ?? 0);
    if (cut !== null && head.length <= LONGEST_HEAD && isHead(head)) {
      this.#head = head;
      this.#onLine(line.slice(cut.index));
      return;
    }
    const whole = this.#head + line;
    this.#head = '';
    this.#onLine(whole);
  }

  end(): void {
    if (this.#head !== '') this.#onLine(this.#head);
    this.#head = '';
  }
}
