// SPDX-License-Identifier: MIT
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { isMarked } from '../../lib/files/work-mark.js';
import { type Sandbox, test, until } from '../../test/support/sandbox.js';
import type { Event, TaskStatus } from './events.js';
import { createExecutor, type Executor } from './executor.js';
import type { Task } from './task.js';

interface Bench {
  readonly executor: Executor;
  readonly events: Event[];
  readonly abort: AbortController;
  /** What happened to the tasks in the last run: 'start a', 'done a', … */
  story(): string[];
}

function benchOf(sandbox: Sandbox, jobs = 2): Bench {
  const events: Event[] = [];
  const abort = new AbortController();
  const executor = createExecutor({
    processes: sandbox.processes,
    workdir: sandbox.path('work'),
    jobs,
    emit: (event) => events.push(event),
    signal: abort.signal,
    baseEnv: { ...sandbox.env, JOURNAL: sandbox.path('journal'), GATES: sandbox.path('gates') },
  });
  const story = () =>
    events.flatMap((event) =>
      /^task-(start|done|fresh|failed|skipped)$/.test(event.type) && 'task' in event
        ? [`${event.type.slice(5)} ${event.task}`]
        : [],
    );
  return { executor, events, abort, story };
}

function task(name: string, deps: readonly string[], more: Partial<Task>): Task {
  return {
    name,
    title: `Task ${name}`,
    deps,
    inputs: {},
    outputs: [],
    jobs: 'one',
    run: async () => {},
    ...more,
  };
}

/** A task that makes `work/<name>` by a command. */
function step(sandbox: Sandbox, name: string, deps: readonly string[] = [], more: Partial<Task> = {}): Task {
  const out = sandbox.path('work', name);
  return task(name, deps, {
    outputs: [out],
    run: async ({ exec }) => {
      await exec('step', [name, out]);
    },
    ...more,
  });
}

const stale = (statuses: readonly TaskStatus[]) =>
  Object.fromEntries(statuses.flatMap(({ name, fresh, reasons }) => (fresh ? [] : [[name, reasons]])));

test('runs what is stale and nothing else, and says why', async ({ sandbox }) => {
  const source = sandbox.write('source', 'one');
  const script = sandbox.write('bin/tool', '#!/bin/sh\necho tool 1\n');
  chmodSync(script, 0o755);
  sandbox.write('tree/sub/file', 'one');
  const trees = [sandbox.path('tree')];
  const tasks = (flag: string): Task[] => [
    step(sandbox, 'a', [], { inputs: { files: [source], values: { flag } } }),
    step(sandbox, 'b', ['a'], { inputs: { trees, tools: [script] } }),
    step(sandbox, 'c', ['b']),
    step(sandbox, 'other'),
  ];
  const first = benchOf(sandbox);
  expect(await first.executor.run(tasks('x'), [])).toEqual([]);
  const done = first.story().filter((line) => !line.startsWith('start'));
  expect(done.sort()).toEqual(['done a', 'done b', 'done c', 'done other']);
  expect(first.events[0]).toMatchObject({ type: 'plan' });
  expect(first.events.at(-1)).toMatchObject({ type: 'done', ok: true });

  const second = benchOf(sandbox);
  expect(stale(await second.executor.analyse(tasks('x'), []))).toEqual({});
  await second.executor.run(tasks('x'), []);
  expect(second.story().sort()).toEqual(['fresh a', 'fresh b', 'fresh c', 'fresh other']);

  writeFileSync(source, 'two');
  sandbox.write('tree/sub/new', '');
  writeFileSync(script, '#!/bin/sh\necho tool 2\n');
  expect(stale(await benchOf(sandbox).executor.analyse(tasks('y'), []))).toEqual({
    a: [
      { kind: 'value', key: 'flag', was: '"x"', is: '"y"' },
      { kind: 'file', path: source, change: 'changed' },
    ],
    b: [
      { kind: 'tree', path: trees[0], changed: ['sub/new'], more: 0 },
      { kind: 'tool', tool: script, was: 'tool 1', is: 'tool 2' },
      { kind: 'dependency', task: 'a' },
    ],
    c: [{ kind: 'dependency', task: 'b' }],
  });
  const third = benchOf(sandbox);
  await third.executor.run(tasks('y'), ['b']);
  expect(third.story()).toEqual(['start a', 'done a', 'start b', 'done b']);
  expect(Object.keys(stale(await third.executor.analyse(tasks('y'), [])))).toEqual(['c']);
  rmSync(sandbox.path('work/other'));
  writeFileSync(sandbox.path('work/c'), 'meddled with');
  expect(stale(await third.executor.analyse(tasks('y'), []))).toEqual({
    c: [
      { kind: 'dependency', task: 'b' },
      { kind: 'output', path: sandbox.path('work/c'), change: 'changed' },
    ],
    other: [{ kind: 'output', path: sandbox.path('work/other'), change: 'missing' }],
  });
});

test('analysis runs nothing and makes nothing', async ({ sandbox }) => {
  const { executor } = benchOf(sandbox);
  const statuses = await executor.analyse(
    [step(sandbox, 'a', [], { inputs: { files: [sandbox.path('nothing')] } })],
    [],
  );
  expect(statuses).toMatchObject([
    { name: 'a', title: 'Task a', fresh: false, reasons: [{ kind: 'never-run' }] },
  ]);
  expect(existsSync(sandbox.path('journal'))).toBe(false);
  expect(existsSync(sandbox.path('work', 'lock'))).toBe(false);
});

test('what a rerun made just as before does not rerun its dependents', async ({ sandbox }) => {
  const tasks = [step(sandbox, 'a'), step(sandbox, 'b', ['a'])];
  await benchOf(sandbox).executor.run(tasks, []);
  rmSync(sandbox.path('work/a'));
  const again = benchOf(sandbox);
  await again.executor.run(tasks, []);
  expect(again.story()).toEqual(['start a', 'done a', 'fresh b']);
});

test('a task that says so always runs; what it depends on stays fresh', async ({ sandbox }) => {
  const tasks = [step(sandbox, 'made'), step(sandbox, 'tested', ['made'], { always: 'it is a test' })];
  await benchOf(sandbox).executor.run(tasks, []);
  const again = benchOf(sandbox);
  expect(stale(await again.executor.analyse(tasks, []))).toEqual({
    tested: [{ kind: 'always', why: 'it is a test' }],
  });
  await again.executor.run(tasks, []);
  expect(again.story()).toEqual(['fresh made', 'start tested', 'done tested']);
});

test('an input that changes while the task runs makes it stale the next time', async ({ sandbox }) => {
  const source = sandbox.write('source', 'one');
  const tasks = [
    task('a', [], {
      inputs: { files: [source] },
      run: async () => writeFileSync(source, 'edited meanwhile'),
    }),
  ];
  await benchOf(sandbox).executor.run(tasks, []);
  expect(stale(await benchOf(sandbox).executor.analyse(tasks, []))).toEqual({
    a: [{ kind: 'file', path: source, change: 'changed' }],
  });
});

test('after a failure nothing new starts, what runs may finish, and the error says it all', async ({
  sandbox,
}) => {
  mkdirSync(sandbox.path('gates'));
  writeFileSync(sandbox.path('gates/slow'), '');
  const fails = task('fails', [], {
    run: async ({ exec }) => {
      await until(() => existsSync(sandbox.path('work/slow')));
      const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
      await exec('fail', ['3', ...lines], { cwd: sandbox.dir, env: { KEY: 'a b' } });
    },
  });
  const tasks = [
    step(sandbox, 'slow'),
    fails,
    step(sandbox, 'after', ['fails']),
    step(sandbox, 'more', ['slow']),
  ];
  const bench = benchOf(sandbox);
  const running = bench.executor.run(tasks, []);
  await until(() => bench.story().includes('failed fails'));
  rmSync(sandbox.path('gates/slow'));
  const failures = await running;
  expect(bench.story().filter((line) => !line.startsWith('start'))).toEqual([
    'failed fails',
    'done slow',
    'skipped after',
    'skipped more',
  ]);
  expect(failures).toHaveLength(1);
  const error = failures[0]?.error;
  expect(error).toMatchObject({ code: 'command-failed', log: sandbox.path('work/logs/fails.log') });
  expect(error?.message).toMatch(/^fails: `fail 3 .*` in .* failed with exit code 3\.$/);
  expect(error?.lastLines).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 10}`));
  const log = sandbox.read('work/logs/fails.log');
  expect(log).toContain(`$ cd ${sandbox.dir} && env $'KEY=a b' fail 3`);
  expect(log).toContain('\nline 0\n');
  expect(bench.events.filter(({ type }) => type === 'task-skipped')).toEqual([
    { type: 'task-skipped', task: 'after', because: 'fails failed' },
    { type: 'task-skipped', task: 'more', because: 'fails failed' },
  ]);
  expect(stale(await bench.executor.analyse(tasks, []))['fails']).toEqual([{ kind: 'unfinished' }]);
  // The log of the run before is kept.
  await benchOf(sandbox).executor.run(tasks, []);
  expect(readdirSync(sandbox.path('work/logs'))).toContain('fails.log.1');
});

test('an output that is not made, a missing program, a full disk, a fault of ours', async ({ sandbox }) => {
  const failing = async (run: Task['run'], outputs: string[] = []) => {
    const { executor } = benchOf(sandbox);
    const [failure] = await executor.run([task('t', [], { run, outputs })], []);
    expect(stale(await executor.analyse([task('t', [], { run, outputs })], []))).toHaveProperty('t');
    return failure?.error;
  };
  expect(await failing(async () => {}, [sandbox.path('never')])).toMatchObject({
    code: 'output-missing',
    message: expect.stringContaining(sandbox.path('never')),
  });
  expect(await failing(async ({ exec }) => void (await exec('no-such-tool', [])))).toMatchObject({
    code: 'command-not-found',
    log: sandbox.path('work/logs/t.log'),
  });
  const full = await failing(
    async ({ exec }) => void (await exec('fail', ['1', 'ld: No space left on device'])),
  );
  expect(full).toMatchObject({
    code: 'disk-full',
    message: expect.stringMatching(/file system of \S+work: \d+ MiB left/),
  });
  // /dev/full is a real device without room.
  expect(await failing(async () => writeFileSync('/dev/full', 'x'))).toMatchObject({ code: 'disk-full' });
  expect(await failing(() => Promise.reject(new TypeError('a mistake')))).toMatchObject({
    code: 'internal',
    message: expect.stringContaining('a mistake'),
  });
});

test('one build runs at a time, and other tasks beside it', async ({ sandbox }) => {
  const journal: string[] = [];
  let started: () => void;
  const other = new Promise<void>((resolve) => {
    started = resolve;
  });
  const build = (name: string) =>
    task(name, [], {
      jobs: 'build',
      run: async () => {
        journal.push(`${name} begins`);
        // Never, where no other task may run meanwhile.
        await other;
        journal.push(`${name} ends`);
      },
    });
  const small = task('small', [], { run: async () => started() });
  expect(await benchOf(sandbox, 1).executor.run([build('a'), build('b'), small], [])).toEqual([]);
  expect(journal).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a task gets captured output, its lines as events, and its share of the jobs', async ({ sandbox }) => {
  const seen: Record<string, unknown> = {};
  const tasks = (['none', 'one', 'build'] as const).map((jobs) =>
    task(jobs, [], {
      jobs,
      run: async ({ exec, jobs: slots, notice, progress }) => {
        progress(1, 2, 'steps');
        notice(`from ${jobs}`);
        const out = await exec('sh', ['-c', 'cat; echo "[$MAKEFLAGS]"'], { capture: true, input: 'in ' });
        seen[jobs] = [slots, out.trim()];
      },
    }),
  );
  const bench = benchOf(sandbox, 4);
  expect(await bench.executor.run(tasks, [])).toEqual([]);
  expect(seen).toEqual({ none: [1, 'in []'], one: [1, 'in []'], build: [4, 'in [-j4]'] });
  expect(bench.events).toContainEqual({ type: 'task-line', task: 'one', line: 'in []' });
  expect(bench.events).toContainEqual({ type: 'notice', task: 'one', text: 'from one' });
  expect(bench.events).toContainEqual({
    type: 'task-progress',
    task: 'one',
    done: 1,
    total: 2,
    unit: 'steps',
  });
});

test('what takes longest is started first', async ({ sandbox }) => {
  const tasks = [step(sandbox, 'short'), step(sandbox, 'long'), step(sandbox, 'chain', ['short'])];
  await benchOf(sandbox, 1).executor.run(tasks, []);
  for (const [name, ms] of [
    ['short', 10],
    ['long', 99_000],
    ['chain', 20],
  ] as const) {
    const file = `work/state/tasks/${name}.json`;
    sandbox.write(file, sandbox.read(file).replace(/"durationMs": [\d.]+/, `"durationMs": ${ms}`));
    rmSync(sandbox.path('work', name));
  }
  const bench = benchOf(sandbox, 1);
  await bench.executor.run(tasks, []);
  expect(bench.story().filter((line) => line.startsWith('start'))).toEqual([
    'start long',
    'start short',
    'start chain',
  ]);
});

test('a bad graph or target is thrown before anything is made', async ({ sandbox }) => {
  const { executor } = benchOf(sandbox);
  await expect(
    executor.run([step(sandbox, 'a', ['b']), step(sandbox, 'b', ['a'])], []),
  ).rejects.toMatchObject({
    code: 'task-cycle',
  });
  await expect(executor.run([step(sandbox, 'a')], ['z'])).rejects.toMatchObject({ code: 'unknown-task' });
  expect(existsSync(sandbox.path('work'))).toBe(false);
});

test('a work directory that cannot be made is explained', async ({ sandbox }) => {
  sandbox.write('work', 'a file');
  await expect(benchOf(sandbox).executor.run([step(sandbox, 'a')], [])).rejects.toMatchObject({
    code: 'permission-denied',
    message: expect.stringContaining(sandbox.path('work')),
  });
});

test('aborted, a run ends its tools at once and says interrupted', async ({ sandbox }) => {
  mkdirSync(sandbox.path('gates'));
  writeFileSync(sandbox.path('gates/a'), '');
  const bench = benchOf(sandbox);
  const deaf = task('deaf', [], {
    run: async ({ exec }) => void (await exec('sh', ['-c', 'sleep 1000']).catch(() => '')),
  });
  const running = bench.executor.run([step(sandbox, 'a'), step(sandbox, 'b', ['a']), deaf], []);
  await until(() => existsSync(sandbox.path('work/a')) && bench.story().includes('start deaf'));
  bench.abort.abort();
  const failures = await running;
  const ends = bench.story().filter((line) => !line.startsWith('start'));
  expect(ends.sort()).toEqual(['failed a', 'failed deaf', 'skipped b']);
  expect(failures.map(({ error }) => error.code)).toEqual(['interrupted', 'interrupted']);
  expect(sandbox.alive()).toEqual([]);
});

test('with nothing to build, it does not wait for another process that builds something else', async ({
  sandbox,
}) => {
  const mine = step(sandbox, 'mine');
  const first = benchOf(sandbox);
  expect(await first.executor.run([mine], [])).toEqual([]);
  const slow = benchOf(sandbox);
  const release = new AbortController();
  const other = task('other', [], {
    run: async () =>
      new Promise<void>((resolve) => release.signal.addEventListener('abort', () => resolve())),
  });
  const building = slow.executor.run([other], []);
  await until(() => slow.story().includes('start other'));

  const second = benchOf(sandbox);
  expect(await second.executor.run([mine], [])).toEqual([]);
  expect(second.story()).toEqual(['fresh mine']);
  expect(second.events.map(({ type }) => type)).not.toContain('waiting');
  release.abort();
  expect(await building).toEqual([]);
});

test('a task that is interrupted while its output is flushed is not finished', async ({ sandbox }) => {
  const abort = new AbortController();
  const { processes } = sandbox;
  const spawn: typeof processes.spawn = async (command, options) => {
    if (command.file === 'sync') abort.abort();
    return processes.spawn(command, options);
  };
  const executor = createExecutor({
    processes: { ...processes, spawn },
    workdir: sandbox.path('work'),
    jobs: 1,
    emit: () => {},
    signal: abort.signal,
  });
  const outputs = [sandbox.path('work', 'tree')];
  const tree = task('tree', [], { outputs, run: async () => mkdirSync(outputs[0] ?? '') });
  expect((await executor.run([tree], [])).map(({ error }) => error.code)).toEqual(['interrupted']);
  expect(stale(await benchOf(sandbox).executor.analyse([tree], []))['tree']).toEqual([
    { kind: 'unfinished' },
  ]);
});

test('looking at a work directory that is not there does not make it, or marks it as ours', async ({
  sandbox,
}) => {
  const { executor } = benchOf(sandbox);
  const file = sandbox.write('file', 'x');
  await executor.analyse([task('a', [], { inputs: { files: [file] } })], []);
  expect(existsSync(sandbox.path('work'))).toBe(false);
  sandbox.write('tree/file', 'x');
  await executor.analyse([task('a', [], { inputs: { trees: [sandbox.path('tree')] } })], []);
  expect(isMarked(sandbox.path('work'))).toBe(true);
});
