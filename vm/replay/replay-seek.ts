// SPDX-License-Identifier: MIT
/** At which instruction a recorded execution makes an event. */
import type { Replayed } from './replayed.js';

/** Of one pass. A pass costs as much as the run up to the event, a stop about a millisecond. */
const STOPS = 2000n;

type Machine = Pick<Replayed, 'runTo' | 'lastSeq' | 'end'>;

/**
 * The number of instructions done before the one that makes the event: the same each time, as all of a replay is. Runs
 * the recording a few times with stops, each time with a fraction of the distance between them.
 *
 * `most`: as many instructions are enough. Undefined: after all those there is still no such event.
 */
export async function instructionBefore(
  seq: bigint,
  most: bigint,
  start: () => Promise<Machine>,
): Promise<bigint | undefined> {
  let [low, high] = [0n, most];
  for (;;) {
    const machine = await start();
    try {
      // It may have happened before the first instruction.
      if (low === 0n && machine.lastSeq() >= seq) return 0n;
      const between = await narrow(machine, seq, low, high);
      if (between === undefined) return undefined;
      [low, high] = between;
    } finally {
      await machine.end();
    }
    if (high - low <= 1n) return low;
  }
}

/** One pass: the last stop before the event, and the first one after it. */
async function narrow(
  machine: Machine,
  seq: bigint,
  low: bigint,
  high: bigint,
): Promise<[bigint, bigint] | undefined> {
  const step = (high - low + STOPS - 1n) / STOPS;
  let before = low;
  while (before < high) {
    const next = before + step < high ? before + step : high;
    const how = await machine.runTo(next);
    if (machine.lastSeq() >= seq) return [before, next];
    if (how === 'ended') return undefined;
    before = next;
  }
  return undefined;
}
