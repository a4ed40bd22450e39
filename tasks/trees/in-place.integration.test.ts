// SPDX-License-Identifier: MIT
/** With the real git: what `clean --all` may remove of the state directory. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRepository } from './git.js';
import { stateParts } from './in-place.js';
import { applyPatches } from './patch.js';
import { edited, run, type Small, smallTree } from './repository.test.support.js';

let small: Small;
beforeEach(async () => {
  small = await smallTree({ 'two.c': edited({}) });
});
afterEach(async () => small.remove());

test('the repository of a tree that is patched in place is kept until its patches are out', async () => {
  const state = join(small.root, 'state');
  const own = join(small.root, 'own');
  await run('cp', ['-a', small.tree, own]);
  await rm(join(own, '.git'), { recursive: true });
  await mkdir(join(state, 'in-place'), { recursive: true });
  await writeFile(join(state, 'tasks.json'), '');
  await writeFile(join(state, 'in-place/other'), '');
  expect(await stateParts(state, small.deps)).toEqual({ removable: [state], kept: [] });

  const gitDir = join(state, 'in-place/thing-own.git');
  const repository = { what: `Thing in ${own}`, tree: own, gitDir };
  await createRepository(repository, small.deps, { message: repository.what });
  expect(await stateParts(state, small.deps)).toEqual({ removable: [state], kept: [] });
  await applyPatches(
    repository,
    [await small.patch('0001-first.patch', { 'two.c': edited({ 5: 'FIVE' }) })],
    small.deps,
  );
  expect(await stateParts(state, small.deps)).toEqual({
    removable: [join(state, 'tasks.json'), join(state, 'in-place/other')],
    kept: [{ gitDir, what: `Thing in ${own}` }],
  });
  await mkdir(join(state, 'in-place/damaged.git'));
  expect((await stateParts(state, small.deps)).removable).toContain(join(state, 'in-place/damaged.git'));
  await applyPatches(repository, [], small.deps);
  expect(await stateParts(state, small.deps)).toEqual({ removable: [state], kept: [] });
});
