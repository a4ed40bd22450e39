// SPDX-License-Identifier: MIT
import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { type Sandbox, test } from '../../test/support/sandbox.js';
import { ABSENT, createTreeIndex, type TreeIndex } from './tree-index.js';

function indexOf(sandbox: Sandbox): TreeIndex {
  return createTreeIndex({
    directory: sandbox.path('index'),
    processes: sandbox.processes,
    signal: sandbox.signal,
  });
}

/** Long enough for stat data to be trusted. */
const settle = () => sleep(120);

test('content, permissions, links and names count; times and droppings do not', async ({ sandbox }) => {
  const index = indexOf(sandbox);
  const tree = sandbox.path('tree');
  expect(await index.digest(tree)).toBe(ABSENT);
  for (const name of ['a', 'b/c', 'b/d e\nf']) sandbox.write(`tree/${name}`, name);
  symlinkSync('b/c', join(tree, 'link'));
  const seen = new Set<string>();
  const isNew = async () => {
    const digest = await index.digest(tree);
    const fresh = !seen.has(digest);
    seen.add(digest);
    return fresh;
  };
  expect(await isNew()).toBe(true);
  utimesSync(join(tree, 'a'), 5, 5);
  for (const name of ['a~', '.#a', '.a.swp', '.git/index', 'b/.git/x']) sandbox.write(`tree/${name}`, 'x');
  expect(await isNew()).toBe(false);
  // A change of the same length at once after the last look.
  sandbox.write('tree/a', 'A');
  expect(await isNew()).toBe(true);
  sandbox.write('tree/a', 'B');
  expect(await isNew()).toBe(true);
  chmodSync(join(tree, 'a'), 0o755);
  expect(await isNew()).toBe(true);
  rmSync(join(tree, 'link'));
  symlinkSync('b/d', join(tree, 'link'));
  expect(await isNew()).toBe(true);
  renameSync(join(tree, 'b/c'), join(tree, 'b/g'));
  expect(await isNew()).toBe(true);
  sandbox.write('tree/empty/x', '');
  rmSync(join(tree, 'empty/x'));
  expect(await isNew()).toBe(true);
});

test('an old time of modification does not hide a change', async ({ sandbox }) => {
  const index = indexOf(sandbox);
  const tree = sandbox.path('tree');
  const file = sandbox.write('tree/a', 'one');
  utimesSync(file, 5, 5);
  const before = await index.digest(tree);
  await settle();
  expect(await index.digest(tree)).toBe(before);
  writeFileSync(file, 'two');
  utimesSync(file, 5, 5);
  expect(await index.digest(tree)).not.toBe(before);
});

test('names the paths that changed since a kept state, until it is forgotten', async ({ sandbox }) => {
  const tree = sandbox.path('tree');
  for (const name of ['same', 'changed', 'removed']) sandbox.write(`tree/${name}`, name);
  const was = await indexOf(sandbox).digest(tree);
  indexOf(sandbox).keep(tree, was);
  sandbox.write('tree/changed', 'CHANGED');
  sandbox.write('tree/added', '');
  rmSync(join(tree, 'removed'));
  utimesSync(join(tree, 'same'), 5, 5);
  const index = indexOf(sandbox);
  await index.digest(tree);
  expect(index.changes(tree, was)).toEqual(['added', 'changed', 'removed']);
  index.prune([{ root: tree, digest: was }]);
  expect(index.changes(tree, was)).toHaveLength(3);
  index.prune([]);
  expect(index.changes(tree, was)).toBeUndefined();
});

test('a damaged index is made again', async ({ sandbox }) => {
  const tree = sandbox.path('tree');
  sandbox.write('tree/a', 'one');
  await settle();
  const good = await indexOf(sandbox).digest(tree);
  const [place = ''] = readdirSync(sandbox.path('index'));
  const file = sandbox.path('index', place, 'current');
  const whole = readFileSync(file);
  for (const damaged of [
    whole.subarray(0, 5),
    whole.subarray(0, whole.length - 1),
    Buffer.alloc(whole.length),
  ]) {
    writeFileSync(file, damaged);
    expect(await indexOf(sandbox).digest(tree)).toBe(good);
    expect(readFileSync(file).length).toBe(whole.length);
  }
});

test('untouched files are not read again', async ({ sandbox }) => {
  const tree = sandbox.path('tree');
  const file = sandbox.write('tree/a', 'one');
  sandbox.write('tree/b', 'two');
  await settle();
  const first = await indexOf(sandbox).digest(tree);
  const { atimeNs } = statSync(file, { bigint: true });
  sandbox.write('tree/b', 'new');
  expect(await indexOf(sandbox).digest(tree)).not.toBe(first);
  sandbox.write('tree/b', 'two');
  expect(await indexOf(sandbox).digest(tree)).toBe(first);
  expect(statSync(file, { bigint: true }).atimeNs).toBe(atimeNs);
});

test('equal trees, equal digests, and the other way round, after any edits', async ({ sandbox }) => {
  const edit = fc.record({
    name: fc.constantFrom('a', 'b', 'sub/a', 'sub/b', 'sub/deep/c'),
    content: fc.constantFrom(undefined, 'x', 'y'),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 6 }),
      async (steps) => {
        const tree = `tree${++run}`;
        sandbox.write(`${tree}/sub/deep/always`, '');
        const index = indexOf(sandbox);
        const content = new Map<string, string>();
        const byContent = new Map<string, string>();
        for (const edits of steps) {
          for (const { name, content: text } of edits) {
            if (text === undefined) {
              content.delete(name);
              rmSync(sandbox.path(tree, name), { force: true });
            } else {
              content.set(name, text);
              sandbox.write(`${tree}/${name}`, text);
            }
          }
          const state = JSON.stringify([...content].sort(([a], [b]) => (a < b ? -1 : 1)));
          const digest = await index.digest(sandbox.path(tree));
          expect(byContent.get(state) ?? digest).toBe(digest);
          byContent.set(state, digest);
        }
        expect(new Set(byContent.values()).size).toBe(byContent.size);
      },
    ),
    { numRuns: 30 },
  );
});
