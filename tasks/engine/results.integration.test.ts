// SPDX-License-Identifier: MIT
/** A file that is changed and changed back: the result is the same, also for a build that goes by times. */
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, readdirSync, renameSync, utimesSync } from 'node:fs';
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
function build(sandbox: Sandbox, kept: boolean): Task {
  return {
    name: 'it:build',
    title: 'Build',
    deps: [],
    inputs: { files: [sandbox.path('source'), sandbox.path('second')] },
    outputs: [sandbox.path('result')],
    jobs: 'make',
    ...(kept ? { kept: true as const } : {}),
    run: async ({ exec }) => {
      appendFileSync(sandbox.path('ran'), 'x');
      await exec('make', ['-s', '-C', sandbox.dir, 'all']);
    },
  };
}

function bench(sandbox: Sandbox, kept = true) {
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
      const { ok, errors } = await executor.run([build(sandbox, kept)], []);
      expect(ok, errors[0]?.error.message).toBe(true);
      return sandbox.read('result');
    },
    fresh: async () => (await executor.analyse([build(sandbox, kept)], [])).every(({ fresh }) => fresh),
    ran: () => sandbox.read('ran').length,
  };
}

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

/** Writes a file and gives it a time: an old one, as `cp -p` or `mv` do. */
function back(sandbox: Sandbox, name: string, content: string, seconds = 1_000_000_000): void {
  utimesSync(sandbox.write(name, content), seconds, seconds);
}

test('A, B, A: the second A is not built, and has the sum that it had', async ({ sandbox }) => {
  const { run, ran, fresh } = bench(sandbox);
  sandbox.write('source', 'A\n');
  const first = sum(await run());
  sandbox.write('source', 'B\n');
  expect(sum(await run())).not.toBe(first);
  sandbox.write('source', 'A\n');
  expect(await fresh()).toBe(false);
  expect(sum(await run())).toBe(first);
  expect(ran()).toBe(2);
  expect(await fresh()).toBe(true);
  sandbox.write('source', 'B\n');
  expect(await run()).toBe('B\nsecond\n');
  expect(ran()).toBe(2);
});

test('the build after it is of the files as they are, although its objects are of B', async ({ sandbox }) => {
  const { run, ran } = bench(sandbox);
  back(sandbox, 'source', 'A\n');
  await run();
  sandbox.write('source', 'B\n');
  await run();
  back(sandbox, 'source', 'A\n');
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(2);
  sandbox.write('second', 'changed\n');
  expect(await run()).toBe('A\nchanged\n');
  expect(ran()).toBe(3);
});

test('an entry that is damaged is not taken: the task runs, and keeps a good one', async ({ sandbox }) => {
  const { run, ran } = bench(sandbox);
  sandbox.write('source', 'A\n');
  await run();
  sandbox.write('source', 'B\n');
  await run();
  const entries = readdirSync(sandbox.path('work/results/it.build'));
  expect(entries.length).toBe(2);
  for (const entry of entries) sandbox.write(`work/results/it.build/${entry}/0`, 'cut o');
  sandbox.write('source', 'A\n');
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(3);
  sandbox.write('source', 'C\n');
  await run();
  sandbox.write('source', 'A\n');
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(4);
});

test('an output that was changed or removed is built, not taken', async ({ sandbox }) => {
  const { run, ran } = bench(sandbox);
  sandbox.write('source', 'A\n');
  await run();
  renameSync(sandbox.path('result'), sandbox.path('moved'));
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(2);
});

test('what is kept of one task does not grow without end', async ({ sandbox }) => {
  const { run } = bench(sandbox);
  for (let count = 0; count < 11; count++) {
    sandbox.write('source', `${count}\n`);
    await run();
  }
  expect(readdirSync(sandbox.path('work/results/it.build')).length).toBe(8);
});

test('a file that comes back with its old time is built again by a task whose results are not kept', async ({
  sandbox,
}) => {
  const { run, ran } = bench(sandbox, false);
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
