// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { instructionBefore } from './replay-seek.js';

/** A fake recording with events at these instructions (0 is the first one, -1 is before it). */
function recording(made: readonly bigint[], end: bigint) {
  let passes = 0;
  let open = 0;
  const start = async () => {
    passes += 1;
    open += 1;
    let done = 0n;
    return {
      runTo: async (instructions: bigint) => {
        // Like QEMU, it cannot go backwards.
        if (instructions < done) throw new Error(`${instructions} is in the past`);
        done = instructions < end ? instructions : end;
        return instructions < end ? ('stopped' as const) : ('ended' as const);
      },
      lastSeq: () => BigInt(made.filter((at) => at < done).length) - 1n,
      end: async () => {
        open -= 1;
      },
    };
  };
  return { start, counts: () => ({ passes, open }) };
}

describe('instructionBefore', () => {
  const made = [-1n, 0n, 1n, 82_437_790n, 82_437_790n, 99_999_998n];

  it.each([
    [0n, 0n],
    [1n, 0n],
    [2n, 1n],
    [3n, 82_437_790n],
    [4n, 82_437_790n],
    [5n, 99_999_998n],
  ])('finds what makes event %s', async (seq, expected) => {
    const { start, counts } = recording(made, 100_000_000n);
    expect(await instructionBefore(seq, 4_000_000_000n, start)).toBe(expected);
    expect(counts().open).toBe(0);
    expect(counts().passes).toBeLessThanOrEqual(3);
  });

  it('says so when there is no such event', async () => {
    const { start, counts } = recording(made, 100_000_000n);
    expect(await instructionBefore(6n, 4_000_000_000n, start)).toBeUndefined();
    expect(counts().open).toBe(0);
  });

  it('leaves no machine behind when one fails', async () => {
    const { start, counts } = recording(made, 100_000_000n);
    const failing = async () => ({
      ...(await start()),
      runTo: async () => Promise.reject(new Error('QEMU died')),
    });
    await expect(instructionBefore(3n, 1000n, failing)).rejects.toThrow('QEMU died');
    expect(counts().open).toBe(0);
  });
});
