// SPDX-License-Identifier: MIT
/**
 * Reads KVM's exit counters for each row. They include exits that the kernel handles, which QEMU's trace cannot show.
 *
 * KVM does not know the marks. Under KVM, a benchmark therefore pauses after the first mark and before the second
 * (bench.h). The counters are read when the first mark arrives, and then repeatedly until the second.
 */
import type { QmpAnswer } from '../qemu/qmp.js';
import { benchMark } from './marks.js';

/** KVM's names on arm64: all exits, accesses handled by QEMU, and accesses handled by the kernel. */
export const KVM_COUNTERS = ['exits', 'mmio_exit_user', 'mmio_exit_kernel'] as const;
export type KvmExits = Readonly<Record<string, number>>;

/** Arguments of QMP's `query-stats`. */
export const QUERY_STATS = { target: 'vcpu', providers: [{ provider: 'kvm', names: [...KVM_COUNTERS] }] };

/** Time between two readings, host milliseconds; short enough to fall into a pause. */
const INTERVAL = 20;

/** Sums an answer to `query-stats` over all processors; undefined if KVM has no counters. */
export function kvmExits(answer: QmpAnswer | undefined): KvmExits | undefined {
  if (answer?.ok !== true || !Array.isArray(answer.value) || answer.value.length === 0) return undefined;
  const sums: Record<string, number> = {};
  for (const { stats } of answer.value as readonly { stats: readonly { name: string; value: unknown }[] }[])
    for (const { name, value } of stats)
      if (typeof value === 'number') sums[name] = (sums[name] ?? 0) + value;
  return sums;
}

export class KvmCounter {
  readonly #ask: () => Promise<KvmExits | undefined>;
  #row: string | undefined;
  #first: KvmExits | undefined;
  #latest: KvmExits | undefined;
  /** Totals of all operations of each row, in order. */
  readonly found: { readonly row: string; readonly operations: number; readonly exits: KvmExits }[] = [];

  constructor(ask: () => Promise<KvmExits | undefined>) {
    this.#ask = ask;
  }

  /** Takes a console line. */
  line(text: string): void {
    const mark = benchMark(text);
    if (mark === undefined) return;
    const [first, latest] = [this.#first, this.#latest];
    if (mark.kind === 'end' && mark.row === this.#row && first !== undefined && latest !== undefined) {
      const exits = Object.fromEntries(
        Object.entries(latest).map(([name, count]) => [name, count - (first[name] ?? 0)]),
      );
      this.found.push({ row: mark.row, operations: mark.work.operations, exits });
    }
    this.#row = mark.kind === 'begin' ? mark.row : undefined;
    [this.#first, this.#latest] = [undefined, undefined];
    if (mark.kind === 'begin') void this.#follow(mark.row);
  }

  async #follow(row: string): Promise<void> {
    while (this.#row === row) {
      // oxlint-disable-next-line no-await-in-loop -- readings are sequential
      const exits = await this.#ask();
      if (exits === undefined || this.#row !== row) return;
      this.#first ??= exits;
      this.#latest = exits;
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }
}
