// SPDX-License-Identifier: MIT
/**
 * Counts the guest's exits between the two marks of a row, from QEMU's own trace. Each `memory_region_ops_*` is an access
 * that exits to QEMU under KVM, or would under TCG.
 *
 * The marks are printed on the console, whose accesses are in the same trace, so their order is exact.
 */
import type { TraceObserver } from '../qemu/trace-filter.js';
import { benchMark, type Work } from './marks.js';

export interface Exits {
  /** Number of accesses to devices. */
  readonly device: number;
  /** Number of accesses to the interrupt controller, which KVM handles itself. */
  readonly controller: number;
  /** Number of interrupts that devices raised. */
  readonly interrupts: number;
}

/** Counts for one row in one round. */
export interface Counted {
  readonly row: string;
  readonly work: Work;
  readonly exits: Exits;
  /** Accesses by QEMU's name of the region. */
  readonly regions: Readonly<Record<string, number>>;
}

/** Region of the console's UART, which prints the marks. */
const CONSOLE = 'pl011';
const CONTROLLER = 'gic';
/** GIC ids: lower ones are private to a processor, such as its timer's; the second is the console's on `virt`. */
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
