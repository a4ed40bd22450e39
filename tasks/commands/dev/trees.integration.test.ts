// SPDX-License-Identifier: MIT
/** Saves in a tree, on the real file system. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event } from '../../engine/events.js';
import { Trees, watchText } from './trees.js';

let directory: string;
let root: string;
let trees: Trees;
let saves: (readonly string[])[];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trees-'));
  root = join(directory, 'linux-1.0');
  mkdirSync(join(root, 'a'), { recursive: true });
  writeFileSync(join(root, 'a', 'b.c'), 'one\n');
  saves = [];
  trees = new Trees({ roots: [root], quietMs: 20, onSave: (saved) => saves.push(saved) });
  await trees.watch.ready;
});
afterEach(() => {
  trees.close();
  rmSync(directory, { recursive: true, force: true });
});

/** All that is heard of until a file that is written last is heard of, without that. */
let marks = 0;
async function heard(): Promise<readonly string[]> {
  const mark = `mark${++marks}`;
  writeFileSync(join(root, mark), '');
  const shown = `linux-1.0/${mark}`;
  for (let tries = 0; tries < 1000 && !saves.flat().includes(shown); tries++) await sleep(10);
  return saves
    .splice(0)
    .flat()
    .filter((each) => each !== shown);
}

test('a burst is one save, named as people name it', async () => {
  appendFileSync(join(root, 'a', 'b.c'), 'two\n');
  writeFileSync(join(root, 'c.c'), '');
  for (let tries = 0; tries < 1000 && saves.length === 0; tries++) await sleep(10);
  expect(saves).toEqual([['linux-1.0/a/b.c', 'linux-1.0/c.c']]);
});

test('an editor that writes beside the file and renames has saved the file', async () => {
  writeFileSync(join(root, 'a', 'tmp123'), 'other\n');
  renameSync(join(root, 'a', 'tmp123'), join(root, 'a', 'b.c'));
  expect(await heard()).toEqual(['linux-1.0/a/b.c']);
  rmSync(join(root, 'a', 'b.c'));
  for (let tries = 0; tries < 1000 && saves.length === 0; tries++) await sleep(10);
  expect(saves).toEqual([['linux-1.0/a/b.c']]);
});

test('another time, which a build gives to what was saved, is no save', async () => {
  appendFileSync(join(root, 'a', 'b.c'), 'two\n');
  expect(await heard()).toHaveLength(1);
  utimesSync(join(root, 'a', 'b.c'), 1_000_000_000, 1_000_000_000);
  expect(await heard()).toEqual([]);
});

test('what a task writes into its tree is no save; what is written afterwards is', async () => {
  const passed: Event[] = [];
  const emit = trees.heeding((event) => passed.push(event));
  emit({ type: 'task-start', task: 'linux:patch', logFile: '' });
  appendFileSync(join(root, 'a', 'b.c'), 'patched\n');
  emit({ type: 'task-done', task: 'linux:patch', durationMs: 1 });
  await trees.watch.generation(root);
  expect(await heard()).toEqual([]);
  expect(passed).toHaveLength(2);
  appendFileSync(join(root, 'a', 'b.c'), 'by hand\n');
  expect(await heard()).toEqual(['linux-1.0/a/b.c']);
});

test('what is said of it', () => {
  expect(watchText({ watching: true, directories: 4417 })).toContain('4,417 directories');
  expect(watchText({ watching: false, directories: 10, limit: 8192 })).toMatch(/8,192.*Press r .*sysctl/);
});
