// SPDX-License-Identifier: MIT
/** Formats the last events of a device: each stimulus with its effects, interleaved with the guest's console. */
import type { DeviceChecker, FailedTest, StreamEvent } from './types.js';

/** Number of stimuli to show. */
const SHOWN = 8;
/** Number of entries to keep: a test may fail long after the access that was refused. */
const KEPT = 64;
/** Maximum number of console lines between two events. */
const LINES = 3;
/** Name of a failed test in `failedTests` when KTAP bails out. */
export const BAIL_OUT = 'Bail out!';
/** Maximum number of refused accesses per failed test. */
const REFUSED = 4;
/** Characters of an event: a doorbell may answer 32 requests. `events.log` has all of it. */
const LONGEST = 160;
/** Maximum number of failed tests. */
const FAILED_TESTS = 10;

interface StimulusEntry<E> {
  readonly stimulus: E;
  readonly effects: E[];
}
type Entry<E> = StimulusEntry<E> | string;

type Words<E extends StreamEvent> = Pick<DeviceChecker<unknown, E>, 'words' | 'refused' | 'access'>;

export class EventHistory<E extends StreamEvent> {
  readonly #device: Words<E>;
  readonly #entries: Entry<E>[] = [];
  /** Refused accesses in the current test. */
  #refused: string[] = [];
  #sinceResult: StimulusEntry<E>[] = [];
  /** The last test whose result the guest has reported. */
  #reported: string | undefined;
  readonly failedTests: FailedTest[] = [];

  constructor(device: Words<E>) {
    this.#device = device;
  }

  event(event: E, role: 'stimulus' | 'effect' | 'end'): void {
    if (role === 'end') return;
    const last = this.#sinceResult.at(-1);
    if (role === 'effect' && last !== undefined) {
      last.effects.push(event);
      const why = this.#device.refused?.(event);
      if (why !== undefined && this.#refused.length < REFUSED)
        this.#refused.push(
          `seq ${last.stimulus.seq}: ${this.#device.words(last.stimulus).access}: refused (${why})`,
        );
      return;
    }
    const entry = { stimulus: event, effects: [] };
    push(this.#sinceResult, entry);
    push(this.#entries, entry);
  }

  /** Takes a line that the guest printed. */
  console(line: string): void {
    // Long console output must not push out the device's events.
    const before = this.#entries.slice(-LINES);
    if (before.length === LINES && before.every((entry) => typeof entry === 'string'))
      this.#entries.splice(-LINES, 1);
    push(this.#entries, line);
    const bailed = line.startsWith(BAIL_OUT);
    const result = /^(not )?ok \d+ (?:- )?(.*?)(?: #.*)?$/.exec(line);
    if (result === null && !bailed) return;
    const name = result?.[2] ?? BAIL_OUT;
    if ((bailed || result?.[1] !== undefined) && this.failedTests.length < FAILED_TESTS)
      this.failedTests.push({ name, refused: this.#refused, story: this.#format(this.#sinceResult) });
    this.#reported = name;
    this.#refused = [];
    this.#sinceResult = [];
  }

  /** Position in the guest's test. */
  get during(): string | undefined {
    return this.#reported === undefined ? undefined : `after '${this.#reported}'`;
  }

  lines(): readonly string[] {
    return this.#format(this.#entries);
  }

  #format(entries: readonly Entry<E>[]): readonly string[] {
    const from = entries.filter((entry) => typeof entry !== 'string').at(-SHOWN);
    const shown = from === undefined ? entries.slice(-3) : entries.slice(entries.indexOf(from));
    const end = shown.findLast((entry) => typeof entry !== 'string')?.stimulus.now ?? 0n;
    const rows = shown.map((entry) => {
      if (typeof entry === 'string') return ['', 'console', entry] as const;
      const { stimulus, effects } = entry;
      const access = this.#device.access(stimulus);
      const got = access?.direction === 'read' ? [String(access.value)] : [];
      const all = [...got, ...effects.map((effect) => this.#device.words(effect).access)].join('; ');
      const text = `${this.#device.words(stimulus).access}${all === '' ? '' : ` → ${all}`}`;
      const cut = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
      return [relative(stimulus.now - end), `seq ${stimulus.seq}`, cut] as const;
    });
    const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
    return rows.map(
      ([time, where, text]) => `${time.padStart(widths[0] ?? 0)}  ${where.padEnd(widths[1] ?? 0)}  ${text}`,
    );
  }
}

function push<T>(list: T[], entry: T): void {
  list.push(entry);
  if (list.length > KEPT) list.splice(0, KEPT / 2);
}

/** `-12.3 ms` */
function relative(ns: bigint): string {
  const size = Number(ns < 0n ? -ns : ns);
  const sign = ns < 0n ? '-' : '+';
  if (size >= 1e9) return `${sign}${(size / 1e9).toFixed(3)} s`;
  if (size >= 1e6) return `${sign}${(size / 1e6).toFixed(3)} ms`;
  return size >= 1e3 ? `${sign}${(size / 1e3).toFixed(3)} us` : `${sign}${size} ns`;
}
