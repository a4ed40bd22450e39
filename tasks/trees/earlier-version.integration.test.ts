// SPDX-License-Identifier: MIT
/** A tree of version 0.1, patched and changed by hand, gets a repository. */
import { existsSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adoptTree } from './earlier-version.js';
import { failureOf } from './failure.test.support.js';
import { createRepository, repositoryIn } from './git.js';
import { applyPatches, handEdits } from './patch.js';
import { edited, run, type Small, smallTree } from './repository.test.support.js';

const body = edited({});
const file = (content: string) => ({ base64: Buffer.from(content).toString('base64'), mode: 0o644 });
let small: Small;
let state: string;
beforeEach(async () => {
  small = await smallTree({ 'one.c': body, 'two.c': body, 'run.sh': '#!/bin/sh\n' });
  await run('cp', ['-a', small.tree, join(small.root, 'release')]);
  for (const directory of ['tree', 'release'])
    await rm(join(small.root, directory, '.git'), { recursive: true });
  state = join(small.root, 'state');
  await mkdir(state);
  const files = [
    { path: 'one.c', before: file(body), after: file(edited({ 5: 'FIVE' })) },
    { path: 'made by.c', before: null, after: file('made\n') },
    { path: 'run.sh', before: file('#!/bin/sh\n'), after: null },
  ];
  await writeFile(join(state, 'applied.json'), JSON.stringify({ id: 'x', patches: [], files }));
  await small.put('one.c', edited({ 5: 'FIVE', 25: 'MINE' }));
  await small.put('made by.c', 'made\n');
  await small.put('two.c', edited({ 10: 'MINE' }));
  await rm(join(small.tree, 'run.sh'));
  await writeFile(`${small.tree}.pristine`, 'x');
});
afterEach(async () => small.remove());

const adopt = () =>
  adoptTree(
    small.repository,
    state,
    async (directory) => {
      await run('cp', ['-a', join(small.root, 'release'), directory]);
      await createRepository(repositoryIn('Thing 1.0', directory), small.deps, { message: 'Thing 1.0' });
    },
    small.deps,
  );

test('what is in no patch of it is a change by hand; other patches take the place of its own', async () => {
  await utimes(join(small.tree, 'two.c'), 1, 1);
  await adopt();
  expect(await handEdits(small.repository, small.deps)).toEqual(['one.c', 'two.c']);
  expect(await small.git('status', '--porcelain')).toBe(' M one.c\n M two.c');
  expect(
    [state, `${small.tree}.pristine`, `${small.tree}.original`].filter((path) => existsSync(path)),
  ).toEqual([]);
  const patch = await small.patch('0001-other.patch', { 'one.c': edited({ 5: 'CINQ' }) });
  expect((await applyPatches(small.repository, [patch], small.deps)).toSorted()).toEqual([
    'made by.c',
    'one.c',
    'run.sh',
  ]);
  expect(await small.read('one.c')).toBe(edited({ 5: 'CINQ', 25: 'MINE' }));
  expect(await small.read('two.c')).toBe(edited({ 10: 'MINE' }));
  expect(await small.git('log', '-1', '--format=%at %s', '--', 'two.c')).toContain('Changes by hand');
  expect(existsSync(join(small.tree, 'made by.c'))).toBe(false);
  expect(await small.read('run.sh')).toBe('#!/bin/sh\n');
});

test('one that was being patched, or whose record is damaged, is refused with what to do', async () => {
  await writeFile(join(state, 'journal.json'), '{}');
  const killed = await failureOf(adopt());
  expect(killed).toMatchObject({ code: 'bad-source-tree' });
  expect(killed.hint).toContain('move');
  await rm(join(state, 'journal.json'));
  await writeFile(join(state, 'applied.json'), '{"half":');
  expect((await failureOf(adopt())).message).toContain('applied.json is damaged');
  expect(existsSync(join(small.tree, '.git'))).toBe(false);
  expect(await small.read('two.c')).toBe(edited({ 10: 'MINE' }));
});

test('one in which the user made a repository is refused, and the repository stays as it is', async () => {
  await run('git', ['init', '-q', small.tree]);
  await writeFile(join(small.tree, '.git/info/exclude'), 'mine\n');
  const error = await failureOf(adopt());
  expect(error).toMatchObject({ code: 'bad-source-tree' });
  expect(error.hint).toContain('Move it away');
  expect(await small.read('.git/info/exclude')).toBe('mine\n');
  await rm(join(small.tree, '.git'), { recursive: true });
  await adopt();
  expect(await handEdits(small.repository, small.deps)).toEqual(['one.c', 'two.c']);
});
