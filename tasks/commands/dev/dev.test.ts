// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findPaths, packageRoot } from '../../config/paths.js';
import { painter } from '../../report/format.js';
import { askedBy, watchedPaths } from './watched.js';
import { verdictLines } from './verdict.js';
import { RequestQueue } from './request-queue.js';

const paths = findPaths(packageRoot(), undefined);
const own = { ...paths, project: mkdtempSync(join(tmpdir(), 'dev-')) };
afterAll(() => rmSync(own.project, { recursive: true, force: true }));
const inPackage = (...files: string[]) => files.map((file) => join(packageRoot(), file));

test.each<[string, string[], Partial<ReturnType<typeof askedBy>>]>([
  [
    'C asks for a run',
    ['device/stopwatch/stopwatch.c'],
    { saved: ['device/stopwatch/stopwatch.c'], restart: false },
  ],
  ['the model is compiled first', ['device/stopwatch/model/step.ts'], { compile: true, restart: true }],
  [
    'the model alone needs no VM',
    ['device/stopwatch/model/step.ts', 'vm/crosscheck/judge.ts'],
    { restart: true, judgement: true },
  ],
  [
    'but with the driver beside it',
    ['device/stopwatch/model/step.ts', 'driver/stopwatch/stopwatch_main.c'],
    { restart: true, judgement: false },
  ],
  ['a fragment of a configuration does not', ['vm/linux/kernel.config'], { compile: false, restart: false }],
  [
    'tests and documents change nothing',
    ['device/stopwatch/contract.test.ts', 'driver/README.md'],
    { saved: [] },
  ],
])('%s', (_, files, asked) => {
  expect(askedBy(inPackage(...files), paths)).toMatchObject(asked);
});

test("the user's settings are read anew, but not compiled", () => {
  const file = join(own.project, 'stopwatch.config.ts');
  expect(watchedPaths(own)).toContain(file);
  expect(askedBy([file], own)).toEqual({
    saved: ['stopwatch.config.ts'],
    compile: false,
    restart: true,
    judgement: false,
  });
});

test("a project's own device is read anew, and nothing of it is compiled", () => {
  const inProject = (file: string) => join(own.project, file);
  expect(watchedPaths(own)).toContain(inProject('device'));
  expect(askedBy([inProject('device/own/contract.ts')], own)).toEqual({
    saved: ['device/own/contract.ts'],
    compile: false,
    restart: true,
    judgement: false,
  });
  expect(askedBy([inProject('device/own.c')], own)).toMatchObject({
    saved: ['device/own.c'],
    restart: false,
  });
});

test('saves that wait are one run, and to quit comes first', async () => {
  const requests = new RequestQueue();
  requests.add({ kind: 'run', saved: ['b', 'a'], at: 20 });
  requests.add({ kind: 'shell' });
  requests.add({ kind: 'run', saved: ['a', 'c'], at: 30 });
  expect(await requests.take()).toEqual({ kind: 'run', saved: ['a', 'b', 'c'], at: 20 });
  requests.add({ kind: 'quit', interrupted: false });
  expect(await requests.take()).toMatchObject({ kind: 'quit' });
  expect(await requests.take()).toEqual({ kind: 'shell' });
});

test('who waits for one kind is not woken by another', async () => {
  const requests = new RequestQueue();
  let woken = 0;
  const some = requests.some(({ kind }) => kind === 'run').then(() => woken++);
  const next = requests.take();
  requests.add({ kind: 'shell' });
  expect(await next).toEqual({ kind: 'shell' });
  expect(woken).toBe(0);
  requests.add({ kind: 'run', saved: [], at: 0 });
  await some;
  expect(woken).toBe(1);
});

test('a verdict beside the one before', () => {
  const bad = { exitCode: 3, saved: ['device/stopwatch/stopwatch.c'], durationMs: 1900, why: 'They differ' };
  const good = { exitCode: 0, saved: ['a', 'b', 'c', 'd', 'e'], durationMs: 900, why: '' };
  expect(verdictLines(bad, undefined, painter(false))).toEqual([
    'Now     ✖ DIFFERS in 1.90 s  device/stopwatch/stopwatch.c: They differ',
    'Before  nothing yet',
  ]);
  expect(verdictLines({ ...good, saved: [] }, good, painter(false))).toEqual([
    'Now     ✔ passed in 0.90 s  run again',
    'Before  ✔ passed in 0.90 s  a, b, c and 2 more',
  ]);
});
