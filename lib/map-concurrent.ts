// SPDX-License-Identifier: MIT
/** Many pieces of work, some of them at once. */

/**
 * Does `work` for every item, at most `lanes` at once, and begins them in their order. Resolves with
 * the results in the items' order. After a failure none is begun any more; rejects with the first
 * one as soon as all that were begun have ended.
 */
export async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T, index: number, lane: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const waiting = items.entries();
  const run = async (_: unknown, lane: number): Promise<void> => {
    // An iterator that is shared: what one lane has taken, no other one gets.
    for (const [index, item] of waiting) {
      try {
        results[index] = await work(item, index, lane);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: lanes }, run));
  if (failures.length > 0) throw failures[0];
  return results;
}
