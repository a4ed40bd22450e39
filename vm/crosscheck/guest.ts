// SPDX-License-Identifier: MIT
/**
 * Checks what the guest's test printed on its console against the model.
 *
 *   # observe text=12.34 seconds     a value that user space read
 *   # caused commands=4 texts=2      the minimum that the test caused since the
 *                                    previous `# caused` line
 *   # limited interrupts=3           the maximum that the test can have caused
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

/** Collects the values that the guest prints and those that the model allows, and compares them at the end. */
export class Guest {
  private readonly printed: Observable[] = [];
  private readonly seen = new Map<string, string[]>();
  private readonly unreadable: string[] = [];
  private hasCaused = false;
  /** Sums over all `# caused` lines. */
  readonly caused = new Map<string, number>();
  /** Sums over all `# limited` lines. */
  private readonly limited = new Map<string, number>();
  /** Number of printed values that agree with the model; set by `mismatch`. */
  observed = 0;

  constructor(
    private readonly channels: Readonly<Record<string, Channel>>,
    private readonly mayBeSilent = false,
  ) {}

  /** Takes a console line. */
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
    const known = this.channels[channel];
    const value = known?.normalise ? known.normalise(printed) : known && printed;
    if (value === undefined) this.unreadable.push(text);
    else this.printed.push({ channel, value });
  }

  private addCaused(list: string): void {
    this.hasCaused = true;
    add(this.caused, list);
  }

  /** The model allows the guest to see this value from now on. */
  sees({ channel, value }: Observable): void {
    const values = this.seen.get(channel);
    if (values) values.push(value);
    else this.seen.set(channel, [value]);
  }

  /** Why the console is not valid evidence: no `# caused` line, or unreadable lines. */
  invalid(): InvalidReason[] {
    const reasons: InvalidReason[] = this.unreadable.map((line) => ({ reason: 'guest-unreadable', line }));
    if (!this.hasCaused && !this.mayBeSilent) reasons.push({ reason: 'guest-silent' });
    return reasons;
  }

  /** The test printed no `# caused` line, and need not. */
  get unchecked(): boolean {
    return this.mayBeSilent && !this.hasCaused;
  }

  /**
   * The first printed value that the model does not allow at its position, or undefined. `counts`: events by name.
   * `whole`: the test finished. Otherwise its last values may be older than the model's, and its limits are unknown.
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

/** Finds the printed values in the model's, in order. */
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
