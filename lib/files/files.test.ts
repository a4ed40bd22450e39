// SPDX-License-Identifier: MIT
/** Small file helpers: which, file index, pair cache, atomic writes, versions. */
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
import { test } from '../../test/rig.js';
import { removeTemporaries, writeFileAtomic } from './atomic.js';
import { createFileIndex } from './file-index.js';
import { createPairCache } from './pair-cache.js';
import { versionAtLeast } from '../../tasks/engine/tools.js';
import { which } from '../which.js';

describe('which', () => {
  test('finds in PATH order, skips directories, tells missing from not executable', ({ rig }) => {
    mkdirSync(rig.path('one/tool'), { recursive: true });
    chmodSync(rig.write('two/tool', ''), 0o755);
    const path = `${rig.path('none')}:${rig.path('one')}:${rig.path('two')}`;
    expect(which('tool', path)).toEqual({ found: true, path: rig.path('two/tool') });
    expect(which('other', path)).toEqual({ found: false, why: 'missing' });
    expect(which('./tool', path, rig.path('two'))).toEqual({ found: true, path: rig.path('two/tool') });
    rig.write('one/plain', '');
    expect(which('plain', path)).toEqual({ found: false, why: 'not-executable' });
  });
});

describe('file index', () => {
  test('tells content, mode and link target, not times', async ({ rig }) => {
    const index = createFileIndex(rig.path('cache.json'));
    const file = rig.write('a', 'one');
    const digest = () => index.digests(file).get(file);
    const first = digest();
    utimesSync(file, 1, 1);
    expect(digest()).toBe(first);
    chmodSync(file, 0o755);
    expect(digest()).not.toBe(first);
    chmodSync(file, statSync(rig.write('b', 'one')).mode);
    expect(digest()).toBe(first);
    // The same length, at once: no time stamp need tell.
    rig.write('a', 'two');
    expect(digest()).not.toBe(first);
    symlinkSync('a', rig.path('link'));
    const linked = index.digests(rig.path('link')).get(rig.path('link'));
    rig.write('a', 'six');
    expect(index.digests(rig.path('link')).get(rig.path('link'))).not.toBe(linked);
  });

  test('lists a directory entry by entry, without droppings, and follows no link in circles', ({ rig }) => {
    const index = createFileIndex(rig.path('cache.json'));
    for (const name of ['d/x', 'd/sub/y', 'd/x~', 'd/.#x', 'd/.x.swp', 'd/.git/HEAD']) rig.write(name, name);
    symlinkSync('..', rig.path('d/sub/up'));
    symlinkSync('nowhere', rig.path('d/dangling'));
    const names = [...index.digests(rig.path('d')).keys()]
      .map((path) => path.slice(rig.dir.length + 1))
      .sort();
    expect(names).toEqual(['d', 'd/dangling', 'd/sub', 'd/sub/up', 'd/sub/y', 'd/x']);
    expect(index.digests(rig.path('missing')).size).toBe(0);
    expect(index.digests(rig.path('d/x/below')).size).toBe(0);
  });

  test('takes a damaged cache for an empty one', async ({ rig }) => {
    const file = rig.write('a', 'one');
    const good = createFileIndex(rig.path('none.json')).digests(file);
    for (const damage of ['', '{', '[1]', `{"${file}": 5}`]) {
      rig.write('cache.json', damage);
      expect(createFileIndex(rig.path('cache.json')).digests(file)).toEqual(good);
    }
  });
});

test('pair cache: an answer holds under its key only, and survives', async ({ rig }) => {
  const cache = createPairCache(rig.path('c.json'));
  cache.set('n', 'k', 'answer');
  await cache.save();
  const again = createPairCache(rig.path('c.json'));
  expect(again.get('n', 'k')).toBe('answer');
  expect(again.get('n', 'other')).toBeUndefined();
});

test('atomic write: replaces whole files and leaves nothing beside them', async ({ rig }) => {
  await writeFileAtomic(rig.path('d/f'), 'one');
  await writeFileAtomic(rig.path('d/f'), [Buffer.from('t'), Buffer.from('wo')]);
  expect(rig.read('d/f')).toBe('two');
  expect(readdirSync(rig.path('d'))).toEqual(['f']);
  mkdirSync(rig.path('d/g'));
  await expect(writeFileAtomic(rig.path('d/g'), 'x')).rejects.toThrow();
  expect(readdirSync(rig.path('d')).sort()).toEqual(['f', 'g']);
});

test('what a killed writer left is removed, what a living one writes is not', async ({ rig }) => {
  // Process 1 lives as long as the machine; no process has the largest number.
  rig.write('d/f.1-1.tmp', '');
  rig.write('d/f.4194304-1.tmp', '');
  await removeTemporaries(rig.path('d'));
  expect(existsSync(rig.path('d/f.1-1.tmp'))).toBe(true);
  expect(existsSync(rig.path('d/f.4194304-1.tmp'))).toBe(false);
  rmSync(rig.path('d'), { recursive: true });
  await removeTemporaries(rig.path('d'));
});

test('versions are compared number by number', () => {
  expect(versionAtLeast('GNU Make 4.3', '4.4')).toBe(false);
  expect(versionAtLeast('GNU Make 4.4', '4.4')).toBe(true);
  expect(versionAtLeast('GNU Make 4.4.1', '4.4')).toBe(true);
  expect(versionAtLeast('1.9.0', '1.13')).toBe(false);
  expect(versionAtLeast('1.13', '1.13')).toBe(true);
  expect(versionAtLeast('2', '1.13')).toBe(true);
  expect(versionAtLeast('absent', '1.13')).toBe(false);
});
