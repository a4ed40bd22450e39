// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { KEPT_IMAGES, outdated } from './prune.js';

const tag = (digit: number) => `stopwatch:${String(digit).repeat(16)}`;
const image = (digit: number, tags = [tag(digit)]) => ({ tags, createdS: digit, sizeBytes: 1 });

test('the newest stay, and the current one however old', () => {
  const images = [1, 5, 3, 4, 2].map((digit) => image(digit));
  const names = (current: number) => outdated(images, 'stopwatch', tag(current)).map((one) => one.tag);
  expect(KEPT_IMAGES).toBe(3);
  expect(names(5)).toEqual([tag(2), tag(1)]);
  expect(names(1)).toEqual([tag(3), tag(2)]);
  expect(outdated(images.slice(0, 3), 'stopwatch', tag(5))).toEqual([]);
});

test('only what this program named: podman’s names are the same, others are not ours', () => {
  const images = [
    image(1, [`localhost/${tag(1)}`]),
    image(0, ['docker.io/library/stopwatch:0000000000000000']),
    image(2, ['stopwatch:mine', 'other:1111111111111111', 'reg.example/stopwatch:1111111111111111']),
    image(3, []),
    ...[4, 5, 6].map((digit) => image(digit)),
  ];
  expect(outdated(images, 'stopwatch', tag(6)).map((one) => one.tag)).toEqual([
    `localhost/${tag(1)}`,
    `docker.io/library/${tag(0)}`,
  ]);
  expect(outdated([image(1), ...images.slice(4)], 'stopwatch', tag(1)).map((one) => one.tag)).toEqual([
    tag(4),
  ]);
});
