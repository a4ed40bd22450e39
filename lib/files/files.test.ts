// SPDX-License-Identifier: MIT
/** Small file helpers: which, file index, pair cache, atomic writes. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { describe, expect } from 'vitest';
import { test } from '../../test/support/sandbox.js';
import { removeTemporaries, writeFileAtomic } from './atomic.js';
import { createFileIndex } from './file-index.js';
import { createPairCache } from './pair-cache.js';
import { which } from '../which.js';

describe('which', () => {
  test('finds in PATH order, skips directories, tells missing from not executable', ({ sandbox }) => {
    mkdirSync(sandbox.path('one/tool'), { recursive: true });
    chmodSync(sandbox.write('two/tool', ''), 0o755);
    const path = `${sandbox.path('none')}:${sandbox.path('one')}:${sandbox.path('two')}`;
    expect(which('tool', path)).toEqual({ found: true, path: sandbox.path('two/tool') });
    expect(which('other', path)).toEqual({ found: false, why: 'missing' });
    expect(which('./tool', path, sandbox.path('two'))).toEqual({
      found: true,
      path: sandbox.path('two/tool'),
    });
    sandbox.write('one/plain', '');
    expect(which('plain', path)).toEqual({ found: false, why: 'not-executable' });
  });
});

describe('file index', () => {
  test('tells content, mode and link target, not times', async ({ sandbox }) => {
    const index = createFileIndex(sandbox.path('cache.json'));
    const file = sandbox.write('a', 'one');
    const digest = () => index.digests(file).get(file);
    const first = digest();
    utimesSync(file, 1, 1);
    expect(digest()).toBe(first);
    chmodSync(file, 0o755);
    expect(digest()).not.toBe(first);
    chmodSync(file, statSync(sandbox.write('b', 'one')).mode);
    expect(digest()).toBe(first);
    // The same length, at once: no time stamp need tell.
    sandbox.write('a', 'two');
    expect(digest()).not.toBe(first);
    symlinkSync('a', sandbox.path('link'));
    const linked = index.digests(sandbox.path('link')).get(sandbox.path('link'));
    sandbox.write('a', 'six');
    expect(index.digests(sandbox.path('link')).get(sandbox.path('link'))).not.toBe(linked);
  });

  test('lists a directory entry by entry, without droppings, and follows no link in circles', ({
    sandbox,
  }) => {
    const index = createFileIndex(sandbox.path('cache.json'));
    for (const name of ['d/x', 'd/sub/y', 'd/x~', 'd/.#x', 'd/.x.swp', 'd/.git/HEAD'])
      sandbox.write(name, name);
    symlinkSync('..', sandbox.path('d/sub/up'));
    symlinkSync('nowhere', sandbox.path('d/dangling'));
    const names = [...index.digests(sandbox.path('d')).keys()]
      .map((path) => path.slice(sandbox.dir.length + 1))
      .sort();
    expect(names).toEqual(['d', 'd/dangling', 'd/sub', 'd/sub/up', 'd/sub/y', 'd/x']);
    expect(index.digests(sandbox.path('missing')).size).toBe(0);
    expect(index.digests(sandbox.path('d/x/below')).size).toBe(0);
  });

  test('takes a damaged cache for an empty one', async ({ sandbox }) => {
    const file = sandbox.write('a', 'one');
    const good = createFileIndex(sandbox.path('none.json')).digests(file);
    for (const damage of ['', '{', '[1]', `{"${file}": 5}`]) {
      sandbox.write('cache.json', damage);
      expect(createFileIndex(sandbox.path('cache.json')).digests(file)).toEqual(good);
    }
  });
});

test('pair cache: an answer holds under its key only, and survives', async ({ sandbox }) => {
  const cache = createPairCache(sandbox.path('c.json'));
  cache.set('n', 'k', 'answer');
  await cache.save();
  const again = createPairCache(sandbox.path('c.json'));
  expect(again.get('n', 'k')).toBe('answer');
  expect(again.get('n', 'other')).toBeUndefined();
});

test('atomic write: replaces whole files and leaves nothing beside them', async ({ sandbox }) => {
  await writeFileAtomic(sandbox.path('d/f'), 'one');
  await writeFileAtomic(sandbox.path('d/f'), [Buffer.from('t'), Buffer.from('wo')]);
  expect(sandbox.read('d/f')).toBe('two');
  expect(readdirSync(sandbox.path('d'))).toEqual(['f']);
  mkdirSync(sandbox.path('d/g'));
  await expect(writeFileAtomic(sandbox.path('d/g'), 'x')).rejects.toThrow();
  expect(readdirSync(sandbox.path('d')).sort()).toEqual(['f', 'g']);
});

test('what a killed writer left is removed, what a living one writes is not', async ({ sandbox }) => {
  // Process 1 lives as long as the machine; no process has the largest number.
  sandbox.write('d/f.1-1.tmp', '');
  sandbox.write('d/f.4194304-1.tmp', '');
  await removeTemporaries(sandbox.path('d'));
  expect(existsSync(sandbox.path('d/f.1-1.tmp'))).toBe(true);
  expect(existsSync(sandbox.path('d/f.4194304-1.tmp'))).toBe(false);
  rmSync(sandbox.path('d'), { recursive: true });
  await removeTemporaries(sandbox.path('d'));
});
