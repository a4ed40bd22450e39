// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
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
});

test('an old time of modification does not hide a change', async ({ sandbox }) => {
  const index = indexOf(sandbox);
  const tree = sandbox.path('tree');
  const file = sandbox.write('tree/a', 'one');
  utimesSync(file, 5, 5);
  const before = await index.digest(tree);
  // Of an old time that was set on purpose, git sees the change by the inode's time, in whole seconds.
  await sleep(1100);
  expect(await index.digest(tree)).toBe(before);
  writeFileSync(file, 'two');
  utimesSync(file, 5, 5);
  expect(await index.digest(tree)).not.toBe(before);
});

test('names the paths that changed between two states, until they are forgotten', async ({ sandbox }) => {
  const tree = sandbox.path('tree');
  for (const name of ['same', 'changed', 'removed']) sandbox.write(`tree/${name}`, name);
  const was = await indexOf(sandbox).digest(tree);
  sandbox.write('tree/changed', 'CHANGED');
  sandbox.write('tree/added', '');
  rmSync(join(tree, 'removed'));
  utimesSync(join(tree, 'same'), 5, 5);
  const index = indexOf(sandbox);
  const is = await index.digest(tree);
  expect(await index.changes(tree, was, is)).toEqual(['added', 'changed', 'removed']);
  expect(await index.changes(tree, 'ab'.repeat(20), is)).toBeUndefined();
  await index.prune();
  expect(await index.changes(tree, was, is)).toHaveLength(3);
});

test('directories, links and files take each other’s places', async ({ sandbox }) => {
  const index = indexOf(sandbox);
  const tree = sandbox.path('tree');
  sandbox.write('tree/other/x', 'x');
  sandbox.write('tree/a/x', 'x');
  const directory = await index.digest(tree);
  rmSync(join(tree, 'a'), { recursive: true });
  symlinkSync('other', join(tree, 'a'));
  const link = await index.digest(tree);
  rmSync(join(tree, 'a'));
  sandbox.write('tree/a', 'x');
  const file = await index.digest(tree);
  rmSync(join(tree, 'a'));
  sandbox.write('tree/a/x', 'x');
  expect(await index.digest(tree)).toBe(directory);
  expect(new Set([directory, link, file]).size).toBe(3);
  expect(await index.changes(tree, directory, link)).toEqual(['a', 'a/x']);
});

test('files of repositories inside the tree count, and what git ignores', async ({ sandbox }) => {
  const index = indexOf(sandbox);
  const tree = sandbox.path('tree');
  sandbox.write('tree/.gitignore', '*.o\n');
  sandbox.write('tree/sub/one.c', 'one');
  execFileSync('git', ['init', '-q', join(tree, 'sub')]);
  let last = await index.digest(tree);
  for (const name of ['sub/one.c', 'sub/deep/two.c', 'sub/two.o', 'made.o']) {
    sandbox.write(`tree/${name}`, 'new');
    const now = await index.digest(tree);
    expect(now, name).not.toBe(last);
    expect(await index.changes(tree, last, now)).toEqual([name]);
    last = now;
  }
});

test('a damaged index, and what a killed run has left, do no harm', async ({ sandbox }) => {
  const tree = sandbox.path('tree');
  sandbox.write('tree/a', 'one');
  await settle();
  const good = await indexOf(sandbox).digest(tree);
  const [place = ''] = readdirSync(sandbox.path('index'));
  const file = sandbox.path('index', place, 'index');
  const whole = readFileSync(file);
  for (const damaged of [
    whole.subarray(0, 5),
    whole.subarray(0, whole.length - 1),
    Buffer.alloc(whole.length),
  ]) {
    writeFileSync(file, damaged);
    for (const name of ['index.999999999-1.tmp', 'index.999999999-1.tmp.lock', 'index.lock'])
      writeFileSync(sandbox.path('index', place, name), 'x');
    const index = indexOf(sandbox);
    expect(await index.digest(tree)).toBe(good);
    await index.prune();
    expect(readdirSync(sandbox.path('index', place)).filter((name) => /999/.test(name))).toEqual([]);
  }
});

test('several processes ask at once', async ({ sandbox }) => {
  const tree = sandbox.path('tree');
  for (let at = 0; at < 50; at++) sandbox.write(`tree/file-${at}`, String(at));
  const digests = await Promise.all(Array.from({ length: 5 }, async () => indexOf(sandbox).digest(tree)));
  expect(new Set(digests).size).toBe(1);
});

test('untouched files are not read again', async ({ sandbox }) => {
  const tree = sandbox.path('tree');
  const file = sandbox.write('tree/a', 'one');
  sandbox.write('tree/b', 'two');
  await settle();
  const first = await indexOf(sandbox).digest(tree);
  const { atimeNs } = statSync(file, { bigint: true });
  const [place = ''] = readdirSync(sandbox.path('index'));
  const index = () => statSync(sandbox.path('index', place, 'index'), { bigint: true });
  const { ino, mtimeNs } = index();
  expect(await indexOf(sandbox).digest(tree)).toBe(first);
  expect(index()).toMatchObject({ ino, mtimeNs });
  expect(readdirSync(sandbox.path('index', place)).sort()).toEqual([
    'HEAD',
    'index',
    'info',
    'objects',
    'refs',
  ]);
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
    { numRuns: 10 },
  );
});
