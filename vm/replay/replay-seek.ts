// SPDX-License-Identifier: MIT
/** Finds the instruction at which a recorded execution causes an event. */
import type { Replayed } from './replayed.js';

/** Number of stops per pass. A pass costs as much as the run up to the event, a stop about a millisecond. */
const STOPS = 2000n;

type Machine = Pick<Replayed, 'runTo' | 'lastSeq' | 'end'>;

/**
 * Returns the number of instructions before the one that causes the event. A replay is deterministic, so this replays
 * the recording a few times and narrows the distance between stops each time.
 *
 * `most`: upper bound for the search. Returns undefined if the event does not occur within it.
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
      // The event may precede the first instruction.
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

/** One pass: finds the last stop before the event and the first one after it. */
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
