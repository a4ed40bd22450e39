// SPDX-License-Identifier: MIT
/** Whole trees on the real file system, and the index that goes by what the watch says. */
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProcesses, type Processes } from '../process/process.js';
import { createTreeIndex } from './tree-index.js';
import { type TreeWatch, watchTrees } from './tree-watch.js';

let directory: string;
let root: string;
let watch: TreeWatch | undefined;
let changes: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tree-watch-'));
  root = join(directory, 'tree');
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  writeFileSync(join(root, 'a', 'b', 'c.c'), 'one\n');
  changes = [];
});
afterEach(() => {
  watch?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function watched(limit?: number): Promise<TreeWatch> {
  const started = watchTrees({ roots: [root], onChange: (path) => changes.push(path), limit });
  watch = started;
  await started.ready;
  return started;
}

/** The index, and how often it had to list the tree. */
function index(watching: TreeWatch) {
  const real = createProcesses();
  let listings = 0;
  const processes: Processes = {
    ...real,
    run: async (command, options) => {
      listings++;
      return real.run(command, options);
    },
  };
  const { signal } = new AbortController();
  const trees = createTreeIndex({ directory: join(directory, 'index'), processes, signal, watch: watching });
  return { digest: () => trees.digest(root), listings: () => listings };
}

test('a change anywhere is one, whatever it is, and none is missed by who asks at once', async () => {
  const tree = await watched();
  let last = await tree.generation(root);
  expect(last).toBeDefined();
  const steps: (() => void)[] = [
    () => appendFileSync(join(root, 'a', 'b', 'c.c'), 'two\n'),
    () => mkdirSync(join(root, 'new')),
    () => writeFileSync(join(root, 'new', 'd.c'), ''),
    () => appendFileSync(join(root, 'new', 'd.c'), 'more\n'),
    () => renameSync(join(root, 'new'), join(root, 'a', 'moved')),
    () => appendFileSync(join(root, 'a', 'moved', 'd.c'), 'more\n'),
    () => rmSync(join(root, 'a', 'b'), { recursive: true }),
  ];
  for (const step of steps) {
    step();
    const now = await tree.generation(root);
    expect(now, String(step)).not.toBe(last);
    // A new directory is gone into in its own time.
    await sleep(30);
    last = await tree.generation(root);
  }
  expect(changes).toContain(join(root, 'a', 'moved', 'd.c'));
});

test('nothing happens: nothing is listed; something does: the digest is another one', async () => {
  const tree = await watched();
  const { digest, listings } = index(tree);
  const first = await digest();
  const once = listings();
  expect(await digest()).toBe(first);
  expect(listings()).toBe(once);
  appendFileSync(join(root, 'a', 'b', 'c.c'), 'two\n');
  const second = await digest();
  expect(second).not.toBe(first);
  writeFileSync(join(root, 'a', 'b', 'c.c'), 'one\n');
  expect(await digest()).toBe(first);
});

test('what editors drop does not count', async () => {
  const tree = await watched();
  const before = await tree.generation(root);
  writeFileSync(join(root, 'a', '.c.c.swp'), '');
  writeFileSync(join(root, 'a', 'c.c~'), '');
  expect(await tree.generation(root)).toBe(before);
  expect(changes).toEqual([]);
});

test('a tree that is made anew in the same place is looked at anew, and watched again', async () => {
  const tree = await watched();
  const { digest } = index(tree);
  const first = await digest();
  rmSync(root, { recursive: true });
  expect(await tree.generation(root)).toBeUndefined();
  mkdirSync(root);
  writeFileSync(join(root, 'other.c'), '');
  expect(await digest()).not.toBe(first);
  for (let tries = 0; tries < 100 && (await tree.generation(root)) === undefined; tries++) await sleep(20);
  const again = await tree.generation(root);
  appendFileSync(join(root, 'other.c'), 'more\n');
  expect(await tree.generation(root)).not.toBe(again);
});

test('a system that watches too few directories: said so, and nothing is taken for unchanged', async () => {
  const tree = await watched(2);
  expect(await tree.ready).toEqual({ watching: false, directories: 2, limit: 2 });
  expect(await tree.generation(root)).toBeUndefined();
  const { digest } = index(tree);
  const first = await digest();
  appendFileSync(join(root, 'a', 'b', 'c.c'), 'two\n');
  expect(await digest()).not.toBe(first);
});
