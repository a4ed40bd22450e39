// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { expect } from 'vitest';
import { test } from '../../test/support/sandbox.js';
import { createTaskState, outputReasons, outputSignature, taskFileName } from './state.js';

const PARTS = { values: { a: '1' }, files: {}, trees: { '/t': 'd1' }, tools: {}, deps: {} };
const RESULT = { fingerprint: 'f', parts: PARTS, outputs: { '/o': 's' }, durationMs: 5 };

test('a record is what was written, unfinished until it is finished', async ({ sandbox }) => {
  const state = createTaskState(sandbox.path('tasks'));
  expect(state.read('a:b')).toBeUndefined();
  await state.markFinished('a:b', RESULT);
  expect(state.read('a:b')).toMatchObject({ state: 'finished', ...RESULT });
  await state.markUnfinished('a:b', PARTS, 5);
  expect(createTaskState(sandbox.path('tasks')).read('a:b')).toMatchObject({
    state: 'unfinished',
    parts: PARTS,
    durationMs: 5,
  });
  expect(readdirSync(sandbox.path('tasks'))).toEqual([`${taskFileName('a:b')}.json`]);
});

test('a damaged record means that nothing is known, wherever it is cut off', async ({ sandbox }) => {
  const state = createTaskState(sandbox.path('tasks'));
  await state.markFinished('a', RESULT);
  const whole = sandbox.read('tasks/a.json');
  for (let length = 0; length < whole.length; length += 7) {
    sandbox.write('tasks/a.json', whole.slice(0, length));
    expect(state.read('a')).toBeUndefined();
  }
  for (const other of [
    'null',
    '[]',
    '{"version":1}',
    whole.replace('"version": 1', '"version": 2'),
    '\0'.repeat(99),
  ]) {
    sandbox.write('tasks/a.json', other);
    expect(state.read('a')).toBeUndefined();
  }
  sandbox.write('tasks/a.json', whole);
  expect(state.read('a')).toMatchObject(RESULT);
});

test('an output that is missing or changed is noticed', ({ sandbox }) => {
  const file = sandbox.write('out/file', 'one');
  const link = sandbox.path('out/link');
  const directory = sandbox.path('out/dir');
  symlinkSync('file', link);
  mkdirSync(directory);
  const outputs = [file, link, directory];
  const recorded = Object.fromEntries(outputs.map((path) => [path, outputSignature(path) ?? '']));
  expect(outputReasons(outputs, recorded)).toEqual([]);
  sandbox.write('out/dir/more', '');
  expect(outputReasons(outputs, recorded)).toEqual([]);
  utimesSync(file, 1, 1);
  expect(outputReasons(outputs, recorded)).toEqual([{ kind: 'output', path: file, change: 'changed' }]);
  chmodSync(file, 0o600);
  rmSync(directory, { recursive: true });
  rmSync(link);
  symlinkSync('elsewhere', link);
  expect(outputReasons([link, directory], recorded)).toEqual([
    { kind: 'output', path: link, change: 'changed' },
    { kind: 'output', path: directory, change: 'missing' },
  ]);
});
