// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { expect } from 'vitest';
import { test, until, type Rig } from '../../test/rig.js';
import { watchFiles } from './watch.js';

/** What was saved, one list per call. */
function watching(rig: Rig, paths: readonly string[], quietMs = 50) {
  const calls: string[][] = [];
  const watch = watchFiles({
    paths: paths.map((path) => rig.path(path)),
    quietMs,
    onSave: (saved) => calls.push(saved.map((path) => path.slice(rig.dir.length + 1))),
    onError: (error) => {
      throw error;
    },
  });
  return { calls, close: () => watch.close() };
}

/** The next call, and no other. */
async function next(calls: string[][]): Promise<string[]> {
  return until(() => calls.shift());
}

test('files that are changed, made, replaced, renamed and removed', async ({ rig }) => {
  rig.write('room/a.c', 'one');
  const { calls, close } = watching(rig, ['room']);
  rig.write('room/a.c', 'two');
  expect(await next(calls)).toEqual(['room/a.c']);
  rig.write('room/b.c', 'new');
  expect(await next(calls)).toEqual(['room/b.c']);
  // As editors save.
  rig.write('room/a.c.new', 'three');
  renameSync(rig.path('room/a.c.new'), rig.path('room/a.c'));
  expect(await next(calls)).toContain('room/a.c');
  chmodSync(rig.path('room/b.c'), 0o755);
  expect(await next(calls)).toEqual(['room/b.c']);
  renameSync(rig.path('room/b.c'), rig.path('room/c.c'));
  expect(await next(calls)).toEqual(['room/b.c', 'room/c.c']);
  rmSync(rig.path('room/c.c'));
  expect(await next(calls)).toEqual(['room/c.c']);
  close();
  expect(calls).toEqual([]);
});

test('directories that come and go', async ({ rig }) => {
  mkdirSync(rig.path('room'));
  const { calls, close } = watching(rig, ['room']);
  rig.write('room/new/deep/a.c', 'one');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  rig.write('room/new/deep/a.c', 'two');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  rmSync(rig.path('room/new'), { recursive: true });
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  rig.write('room/new/deep/a.c', 'three');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  // Another directory of the same name is another directory.
  renameSync(rig.path('room/new'), rig.path('old'));
  rig.write('room/new/deep/a.c', 'four');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  rig.write('room/new/deep/a.c', 'five');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  close();
});

test('a file that is not there yet, and not its neighbours', async ({ rig }) => {
  const { calls, close } = watching(rig, ['settings.ts']);
  rig.write('other.ts', 'x');
  rig.write('settings.ts', 'x');
  expect(await next(calls)).toEqual(['settings.ts']);
  close();
});

test('a burst of saves is one; the same content, and what editors drop, is none', async ({ rig }) => {
  rig.write('room/a.c', 'one');
  rig.write('room/b.c', 'one');
  const { calls, close } = watching(rig, ['room'], 300);
  for (let count = 0; count < 20; count++) rig.write(`room/${count % 2 === 0 ? 'a' : 'b'}.c`, `${count}`);
  expect(await next(calls)).toEqual(['room/a.c', 'room/b.c']);
  rig.write('room/a.c', '18');
  utimesSync(rig.path('room/b.c'), 1, 1);
  for (const name of ['a.c~', '.#a.c', '.a.c.swp']) rig.write(`room/${name}`, 'x');
  rig.write('room/last.c', 'x');
  expect(await next(calls)).toEqual(['room/last.c']);
  close();
});

test('what was saved between two watches is told by the second', async ({ rig }) => {
  rig.write('room/a.c', 'one');
  rig.write('room/b.c', 'one');
  const options = {
    paths: [rig.path('room')],
    quietMs: 50,
    onError: (error: unknown) => {
      throw error;
    },
  };
  const first = watchFiles({ ...options, onSave: () => {} });
  const since = first.known();
  first.close();
  rig.write('room/b.c', 'two');
  const calls: string[][] = [];
  const second = watchFiles({ ...options, since, onSave: (saved) => calls.push([...saved]) });
  expect(await next(calls)).toEqual([rig.path('room/b.c')]);
  second.close();
});
