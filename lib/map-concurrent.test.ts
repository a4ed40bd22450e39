// SPDX-License-Identifier: MIT
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mapConcurrent } from './map-concurrent.js';

test('all work is done, so much of it at once, and the results are in order', async () => {
  let now = 0;
  let most = 0;
  const lanes = new Set<number>();
  const doubled = await mapConcurrent([5, 1, 4, 2, 3], 2, async (item, index, lane) => {
    lanes.add(lane);
    most = Math.max(most, ++now);
    await sleep(item);
    now -= 1;
    return [index, item * 2];
  });
  expect(doubled).toEqual([
    [0, 10],
    [1, 2],
    [2, 8],
    [3, 4],
    [4, 6],
  ]);
  expect(most).toBe(2);
  expect([...lanes]).toEqual([0, 1]);
});

test('after a failure nothing is begun, and what was begun has ended', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = mapConcurrent([0, 1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    await sleep(item === 0 ? 1 : 20);
    if (item === 0) throw new Error('no');
    ended.push(item);
  });
  await expect(work).rejects.toThrow('no');
  expect(begun).toEqual([0, 1]);
  expect(ended).toEqual([1]);
});

test('nothing to do is done at once', async () => {
  await expect(mapConcurrent([], 3, async () => 1)).resolves.toEqual([]);
});
