// SPDX-License-Identifier: MIT
/** A file that comes back with its old time: make compiles it again. */
import { appendFileSync, copyFileSync, renameSync, utimesSync } from 'node:fs';
import { expect } from 'vitest';
import { type Sandbox, test } from '../../test/support/sandbox.js';
import { createExecutor } from './executor.js';
import type { Task } from './task.js';

/** As the builds are: objects are made of sources, the result of the objects, both only if they are older. */
const MAKEFILE = `all: result
object: source
\tcp source object
\techo compiled >> log
other: second
\tcp second other
result: object other
\tcat object other > result
`;

/** Counts its runs in the log `ran`. */
function build(sandbox: Sandbox): Task {
  return {
    name: 'it:build',
    title: 'Build',
    deps: [],
    inputs: { files: [sandbox.path('source'), sandbox.path('second')] },
    outputs: [sandbox.path('result')],
    jobs: 'build',
    run: async ({ exec }) => {
      appendFileSync(sandbox.path('ran'), 'x');
      await exec('make', ['-s', '-C', sandbox.dir, 'all']);
    },
  };
}

function bench(sandbox: Sandbox) {
  sandbox.write('Makefile', MAKEFILE);
  sandbox.write('ran', '');
  sandbox.write('second', 'second\n');
  const executor = createExecutor({
    processes: sandbox.processes,
    workdir: sandbox.path('work'),
    jobs: 2,
    emit: () => {},
    signal: sandbox.signal,
    baseEnv: sandbox.env,
  });
  return {
    run: async () => {
      expect(await executor.run([build(sandbox)], [])).toEqual([]);
      return sandbox.read('result');
    },
    ran: () => sandbox.read('ran').length,
  };
}

/** Writes a file and gives it a time: an old one, as `cp -p` or `mv` do. */
function back(sandbox: Sandbox, name: string, content: string, seconds = 1_000_000_000): void {
  utimesSync(sandbox.write(name, content), seconds, seconds);
}

test('A, B, A, with times from before the build: the object is compiled from A again', async ({
  sandbox,
}) => {
  const { run, ran } = bench(sandbox);
  back(sandbox, 'source', 'A\n');
  await run();
  sandbox.write('source', 'B\n');
  await run();
  back(sandbox, 'source', 'A\n');
  expect(await run()).toBe('A\nsecond\n');
  sandbox.write('second', 'changed\n');
  expect(await run()).toBe('A\nchanged\n');
  expect(ran()).toBe(4);
});

test('a saved copy that is moved back is compiled again', async ({ sandbox }) => {
  const { run, ran } = bench(sandbox);
  back(sandbox, 'source', 'A\n');
  await run();
  copyFileSync(sandbox.path('source'), sandbox.path('saved'));
  utimesSync(sandbox.path('saved'), 1_000_000_000, 1_000_000_000);
  sandbox.write('source', 'B\n');
  expect(await run()).toBe('B\nsecond\n');
  renameSync(sandbox.path('saved'), sandbox.path('source'));
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(3);
});

test('a result that another program damaged is made again, although it is newer than its sources', async ({
  sandbox,
}) => {
  const { run, ran } = bench(sandbox);
  back(sandbox, 'source', 'A\n');
  await run();
  sandbox.write('result', 'A');
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(2);
});
