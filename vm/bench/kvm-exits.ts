// SPDX-License-Identifier: MIT
/**
 * KVM's own counters of exits, by row: what QEMU's trace cannot have, because the kernel handles it.
 *
 * KVM does not know the marks. So under KVM a bench pauses after the first one and before the second one (bench.h), and
 * the counters are read during these pauses: at once when the first mark comes, and again and again until the second one.
 */
import type { QmpAnswer } from '../qemu/qmp.js';
import { benchMark } from './marks.js';

/** Names of KVM on arm64: all exits, those that went to QEMU, and accesses that the kernel handled. */
export const KVM_COUNTERS = ['exits', 'mmio_exit_user', 'mmio_exit_kernel'] as const;
export type KvmExits = Readonly<Record<string, number>>;

/** Arguments of QMP's `query-stats`. */
export const QUERY_STATS = { target: 'vcpu', providers: [{ provider: 'kvm', names: [...KVM_COUNTERS] }] };

/** Between two looks, host milliseconds: some of them fall into a pause. */
const INTERVAL = 20;

/** The sums over all processors of an answer to `query-stats`; undefined where KVM does not count. */
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
  /** Of all operations of a row together, in the order of the rows. */
  readonly found: { readonly row: string; readonly operations: number; readonly exits: KvmExits }[] = [];

  constructor(ask: () => Promise<KvmExits | undefined>) {
    this.#ask = ask;
  }

  /** A line of the console. */
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
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      const exits = await this.#ask();
      if (exits === undefined || this.#row !== row) return;
      this.#first ??= exits;
      this.#latest = exits;
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }
}
