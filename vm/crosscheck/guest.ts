// SPDX-License-Identifier: MIT
/**
 * The third party: what the guest's test printed on its console.
 *
 *   # observe text=12.34 seconds     a value that user space was given
 *   # caused commands=4 texts=2      what the test must have made happen, at the least,
 *                                    since the `# caused` line before
 *   # limited interrupts=3           what it can have made happen, at the most
 */
import type { Channel, InvalidReason, Observable } from './types.js';

const OBSERVE = /(?:^|\s)# observe (\w+)=([^]*)$/;
const CAUSED = /(?:^|\s)# caused((?: \w+=\d+)+)\s*$/;
const LIMITED = /(?:^|\s)# limited((?: \w+=\d+)+)\s*$/;
const MARK = /(?:^|\s)# (?:observe|caused|limited)\b/;

export interface GuestMismatch {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** Collects what the guest prints and what the model lets it see, and compares them at the end. */
export class Guest {
  private readonly printed: Observable[] = [];
  private readonly seen = new Map<string, string[]>();
  private readonly unreadable: string[] = [];
  private hasCaused = false;
  /** Sums over all `# caused` lines. */
  readonly caused = new Map<string, number>();
  /** Sums over all `# limited` lines. */
  private readonly limited = new Map<string, number>();
  /** Printed values that the model confirms; counted by `mismatch`. */
  observed = 0;

  constructor(
    private readonly channels: Readonly<Record<string, Channel>>,
    private readonly mayBeSilent = false,
  ) {}

  /** A line of the console. */
  line(text: string): void {
    if (!MARK.test(text)) return;
    const observe = OBSERVE.exec(text);
    const caused = CAUSED.exec(text);
    const limited = LIMITED.exec(text);
    if (observe) this.observe(text, observe[1] ?? '', (observe[2] ?? '').trimEnd());
    else if (caused) this.addCaused(caused[1] ?? '');
    else if (limited) add(this.limited, limited[1] ?? '');
    else this.unreadable.push(text);
  }

  private observe(text: string, channel: string, printed: string): void {
    const value = this.channels[channel]?.normalise(printed);
    if (value === undefined) this.unreadable.push(text);
    else this.printed.push({ channel, value });
  }

  private addCaused(list: string): void {
    this.hasCaused = true;
    add(this.caused, list);
  }

  /** The model says that the guest may see this from now on. */
  sees({ channel, value }: Observable): void {
    const values = this.seen.get(channel);
    if (values) values.push(value);
    else this.seen.set(channel, [value]);
  }

  /** What makes the console no evidence: never a `# caused` line, or lines that say nothing. */
  invalid(): InvalidReason[] {
    const reasons: InvalidReason[] = this.unreadable.map((line) => ({ reason: 'guest-unreadable', line }));
    if (!this.hasCaused && !this.mayBeSilent) reasons.push({ reason: 'guest-silent' });
    return reasons;
  }

  /** It has not said what it caused, and need not. */
  get unchecked(): boolean {
    return this.mayBeSilent && !this.hasCaused;
  }

  /**
   * The first printed value that the model does not have at its place, or undefined. `counts`: what happened, by name.
   * `whole`: the test came to its end; else its last values may be older than the model's, and its limits are not known.
   */
  mismatch(counts: Readonly<Record<string, number>>, whole: boolean): GuestMismatch | undefined {
    this.observed = 0;
    for (const [name, most] of whole ? this.limited : []) {
      const got = counts[name] ?? 0;
      if (got > most)
        return {
          field: `guest.${name}`,
          expected: `at most ${most}`,
          actual: `${got} in the device's stream`,
        };
    }
    for (const [channel, { kind }] of Object.entries(this.channels)) {
      const printed = this.printed.filter((one) => one.channel === channel).map(({ value }) => value);
      const found = compare(channel, kind, printed, { model: this.seen.get(channel) ?? [], whole });
      if (found.mismatch) return found.mismatch;
      this.observed += printed.length;
    }
    return undefined;
  }
}

function add(sums: Map<string, number>, list: string): void {
  for (const pair of list.trim().split(' ')) {
    const [name = '', count = '0'] = pair.split('=');
    sums.set(name, (sums.get(name) ?? 0) + Number(count));
  }
}

/** Looks each printed value up in the model's, never going back. */
function compare(
  channel: string,
  kind: Channel['kind'],
  printed: readonly string[],
  { model, whole }: { readonly model: readonly string[]; readonly whole: boolean },
): { readonly mismatch?: GuestMismatch } {
  let at = 0;
  for (const [index, value] of printed.entries()) {
    const found = model.indexOf(value, at);
    if (found < 0) {
      const field = `guest.${channel}`;
      const rest = model.slice(at, at + 5).join(', ') || 'nothing more';
      return {
        mismatch: { field, expected: `one of: ${rest}`, actual: `${value} (number ${index + 1} printed)` },
      };
    }
    at = kind === 'event' ? found + 1 : found;
  }
  const last = printed.at(-1);
  const final = model.at(-1);
  if (whole && kind === 'level' && last !== undefined && last !== final) {
    return {
      mismatch: { field: `guest.${channel}`, expected: `${final} at the end`, actual: `${last} at the end` },
    };
  }
  return {};
}
