// SPDX-License-Identifier: MIT
/**
 * Counts what left the guest between the two marks of a row, from QEMU's own trace: under TCG each
 * `memory_region_ops_*` is an access that would be an exit to QEMU under KVM, and under KVM it was one.
 *
 * The marks come through the console, and so does the trace of the console's own accesses: the order is QEMU's.
 */
import type { TraceObserver } from '../qemu/trace-filter.js';
import { benchMark, type Work } from './marks.js';

export interface Exits {
  /** Accesses to devices. */
  readonly device: number;
  /** Accesses to the interrupt controller, which KVM handles itself. */
  readonly controller: number;
  /** Interrupts of devices that rose. */
  readonly interrupts: number;
}

/** One row in one round. */
export interface Counted {
  readonly row: string;
  readonly work: Work;
  readonly exits: Exits;
  /** Accesses by the name that QEMU has for the region. */
  readonly regions: Readonly<Record<string, number>>;
}

/** The console, through which the marks come. */
const CONSOLE = 'pl011';
const CONTROLLER = 'gic';
/** Interrupts below are a processor's own, such as its timer's; the first one above is the console's on `virt`. */
const [FIRST_SHARED, CONSOLE_INTERRUPT] = [32, 33];

export class ExitCounter implements TraceObserver {
  readonly #found: Counted[] = [];
  #row: string | undefined;
  #regions = new Map<string, number>();
  #interrupts = 0;

  get found(): readonly Counted[] {
    return this.#found;
  }

  access(region: string): void {
    if (this.#row !== undefined) this.#regions.set(region, (this.#regions.get(region) ?? 0) + 1);
  }

  interrupt(number: number, level: boolean): void {
    if (level && number >= FIRST_SHARED && number !== CONSOLE_INTERRUPT) this.#interrupts += 1;
  }

  line(text: string): void {
    const mark = benchMark(text);
    if (mark === undefined) return;
    if (mark.kind === 'end' && mark.row === this.#row) this.#found.push(this.#counted(mark.row, mark.work));
    this.#row = mark.kind === 'begin' ? mark.row : undefined;
    this.#regions = new Map();
    this.#interrupts = 0;
  }

  #counted(row: string, work: Work): Counted {
    const regions = [...this.#regions].filter(([name]) => name !== CONSOLE);
    const sum = (wanted: (name: string) => boolean): number =>
      regions.reduce((all, [name, count]) => (wanted(name) ? all + count : all), 0);
    return {
      row,
      work,
      exits: {
        device: sum((name) => !isController(name)),
        controller: sum(isController),
        interrupts: this.#interrupts,
      },
      regions: Object.fromEntries(regions),
    };
  }
}

function isController(region: string): boolean {
  return region.startsWith(CONTROLLER);
}
