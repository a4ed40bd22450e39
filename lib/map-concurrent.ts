// SPDX-License-Identifier: MIT

/**
 * Calls `work` for every item with bounded concurrency, in order; `worker` numbers the concurrent workers from 0.
 * After a failure nothing further is started; rejects with the first failure when all that was started has ended.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number, worker: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  // The workers share one iterator, so each item is taken once.
  const waiting = items.entries();
  const run = async (_: unknown, worker: number): Promise<void> => {
    for (const [index, item] of waiting) {
      try {
        results[index] = await work(item, index, worker);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, run));
  if (failures.length > 0) throw failures[0];
  return results;
}
