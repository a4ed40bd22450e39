// SPDX-License-Identifier: MIT
/** Measures benchmark rows on the host itself. */
import type { HostRow } from '../device.js';
import type { Timed } from './summary.js';

/** Minimum duration of one row in one round, as in the guest (guest_fs/base/bench.h). */
const ENOUGH_NS = 50e6;

/** Measures one round of one row for each of its sizes. */
export function measureOnHost({ row, sizes, operate }: HostRow): readonly Timed[] {
  return sizes.map((bytes) => {
    for (let operations = 1; ; operations *= 2) {
      const start = process.hrtime.bigint();
      for (let made = 0; made < operations; made++) operate(bytes);
      const ns = Number(process.hrtime.bigint() - start);
      if (ns >= ENOUGH_NS)
        return { row: `${row}/${bytes}`, work: { operations, ns, bytes, expected: undefined } };
    }
  });
}
