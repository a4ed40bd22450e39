// SPDX-License-Identifier: MIT
/** A file that is changed and changed back: the result is the same, also for a build that goes by times. */
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, readdirSync, renameSync, utimesSync } from 'node:fs';
import { expect } from 'vitest';
import { type Rig, test } from '../../test/rig.js';
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
function build(rig: Rig, kept: boolean): Task {
  return {
    name: 'it:build',
    title: 'Build',
    deps: [],
    inputs: { files: [rig.path('source'), rig.path('second')] },
    outputs: [rig.path('result')],
    jobs: 'make',
    ...(kept ? { kept: true as const } : {}),
    run: async ({ exec }) => {
      appendFileSync(rig.path('ran'), 'x');
      await exec('make', ['-s', '-C', rig.dir, 'all']);
    },
  };
}

function bench(rig: Rig, kept = true) {
  rig.write('Makefile', MAKEFILE);
  rig.write('ran', '');
  rig.write('second', 'second\n');
  const executor = createExecutor({
    processes: rig.processes,
    workdir: rig.path('work'),
    jobs: 2,
    emit: () => {},
    signal: rig.signal,
    baseEnv: rig.env,
  });
  return {
    run: async () => {
      const { ok, errors } = await executor.run([build(rig, kept)], []);
      expect(ok, errors[0]?.error.message).toBe(true);
      return rig.read('result');
    },
    fresh: async () => (await executor.analyse([build(rig, kept)], [])).every(({ fresh }) => fresh),
    ran: () => rig.read('ran').length,
  };
}

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

/** Writes a file and gives it a time: an old one, as `cp -p` or `mv` do. */
function back(rig: Rig, name: string, content: string, seconds = 1_000_000_000): void {
  utimesSync(rig.write(name, content), seconds, seconds);
}

test('A, B, A: the second A is not built, and has the sum that it had', async ({ rig }) => {
  const { run, ran, fresh } = bench(rig);
  rig.write('source', 'A\n');
  const first = sum(await run());
  rig.write('source', 'B\n');
  expect(sum(await run())).not.toBe(first);
  rig.write('source', 'A\n');
  expect(await fresh()).toBe(false);
  expect(sum(await run())).toBe(first);
  expect(ran()).toBe(2);
  expect(await fresh()).toBe(true);
  rig.write('source', 'B\n');
  expect(await run()).toBe('B\nsecond\n');
  expect(ran()).toBe(2);
});

test('the build after it is of the files as they are, although its objects are of B', async ({ rig }) => {
  const { run, ran } = bench(rig);
  back(rig, 'source', 'A\n');
  await run();
  rig.write('source', 'B\n');
  await run();
  back(rig, 'source', 'A\n');
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(2);
  rig.write('second', 'changed\n');
  expect(await run()).toBe('A\nchanged\n');
  expect(ran()).toBe(3);
});

test('an entry that is damaged is not taken: the task runs, and keeps a good one', async ({ rig }) => {
  const { run, ran } = bench(rig);
  rig.write('source', 'A\n');
  await run();
  rig.write('source', 'B\n');
  await run();
  const entries = readdirSync(rig.path('work/results/it.build'));
  expect(entries.length).toBe(2);
  for (const entry of entries) rig.write(`work/results/it.build/${entry}/0`, 'cut o');
  rig.write('source', 'A\n');
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(3);
  rig.write('source', 'C\n');
  await run();
  rig.write('source', 'A\n');
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(4);
});

test('an output that was changed or removed is built, not taken', async ({ rig }) => {
  const { run, ran } = bench(rig);
  rig.write('source', 'A\n');
  await run();
  renameSync(rig.path('result'), rig.path('moved'));
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(2);
});

test('what is kept of one task does not grow without end', async ({ rig }) => {
  const { run } = bench(rig);
  for (let count = 0; count < 11; count++) {
    rig.write('source', `${count}\n`);
    await run();
  }
  expect(readdirSync(rig.path('work/results/it.build')).length).toBe(8);
});

test('a file that comes back with its old time is built again by a task whose results are not kept', async ({
  rig,
}) => {
  const { run, ran } = bench(rig, false);
  back(rig, 'source', 'A\n');
  await run();
  copyFileSync(rig.path('source'), rig.path('saved'));
  utimesSync(rig.path('saved'), 1_000_000_000, 1_000_000_000);
  rig.write('source', 'B\n');
  expect(await run()).toBe('B\nsecond\n');
  renameSync(rig.path('saved'), rig.path('source'));
  expect(await run()).toBe('A\nsecond\n');
  expect(ran()).toBe(3);
});
