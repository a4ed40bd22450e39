// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { expect } from 'vitest';
import { test, until, type Sandbox } from '../../test/support/sandbox.js';
import { watchFiles } from './watch.js';

/** What was saved, one list per call. */
function watching(sandbox: Sandbox, paths: readonly string[], quietMs = 50) {
  const calls: string[][] = [];
  const watch = watchFiles({
    paths: paths.map((path) => sandbox.path(path)),
    quietMs,
    onSave: (saved) => calls.push(saved.map((path) => path.slice(sandbox.dir.length + 1))),
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

test('files that are changed, made, replaced, renamed and removed', async ({ sandbox }) => {
  sandbox.write('room/a.c', 'one');
  const { calls, close } = watching(sandbox, ['room']);
  sandbox.write('room/a.c', 'two');
  expect(await next(calls)).toEqual(['room/a.c']);
  sandbox.write('room/b.c', 'new');
  expect(await next(calls)).toEqual(['room/b.c']);
  // As editors save.
  sandbox.write('room/a.c.new', 'three');
  renameSync(sandbox.path('room/a.c.new'), sandbox.path('room/a.c'));
  expect(await next(calls)).toContain('room/a.c');
  chmodSync(sandbox.path('room/b.c'), 0o755);
  expect(await next(calls)).toEqual(['room/b.c']);
  renameSync(sandbox.path('room/b.c'), sandbox.path('room/c.c'));
  expect(await next(calls)).toEqual(['room/b.c', 'room/c.c']);
  rmSync(sandbox.path('room/c.c'));
  expect(await next(calls)).toEqual(['room/c.c']);
  close();
  expect(calls).toEqual([]);
});

test('directories that come and go', async ({ sandbox }) => {
  mkdirSync(sandbox.path('room'));
  const { calls, close } = watching(sandbox, ['room']);
  sandbox.write('room/new/deep/a.c', 'one');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  sandbox.write('room/new/deep/a.c', 'two');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  rmSync(sandbox.path('room/new'), { recursive: true });
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  sandbox.write('room/new/deep/a.c', 'three');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  // Another directory of the same name is another directory.
  renameSync(sandbox.path('room/new'), sandbox.path('old'));
  sandbox.write('room/new/deep/a.c', 'four');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  sandbox.write('room/new/deep/a.c', 'five');
  expect(await next(calls)).toEqual(['room/new/deep/a.c']);
  close();
});

test('a file that is not there yet, and not its neighbours', async ({ sandbox }) => {
  const { calls, close } = watching(sandbox, ['settings.ts']);
  sandbox.write('other.ts', 'x');
  sandbox.write('settings.ts', 'x');
  expect(await next(calls)).toEqual(['settings.ts']);
  close();
});

test('a burst of saves is one event; the same content and backup files of editors are no event', async ({
  sandbox,
}) => {
  sandbox.write('room/a.c', 'one');
  sandbox.write('room/b.c', 'one');
  const { calls, close } = watching(sandbox, ['room'], 300);
  for (let count = 0; count < 20; count++) sandbox.write(`room/${count % 2 === 0 ? 'a' : 'b'}.c`, `${count}`);
  expect(await next(calls)).toEqual(['room/a.c', 'room/b.c']);
  sandbox.write('room/a.c', '18');
  utimesSync(sandbox.path('room/b.c'), 1, 1);
  for (const name of ['a.c~', '.#a.c', '.a.c.swp']) sandbox.write(`room/${name}`, 'x');
  sandbox.write('room/last.c', 'x');
  expect(await next(calls)).toEqual(['room/last.c']);
  close();
});

test('a file saved between two watches is reported by the second', async ({ sandbox }) => {
  sandbox.write('room/a.c', 'one');
  sandbox.write('room/b.c', 'one');
  const options = {
    paths: [sandbox.path('room')],
    quietMs: 50,
    onError: (error: unknown) => {
      throw error;
    },
  };
  const first = watchFiles({ ...options, onSave: () => {} });
  const since = first.known();
  first.close();
  sandbox.write('room/b.c', 'two');
  const calls: string[][] = [];
  const second = watchFiles({ ...options, since, onSave: (saved) => calls.push([...saved]) });
  expect(await next(calls)).toEqual([sandbox.path('room/b.c')]);
  second.close();
});
