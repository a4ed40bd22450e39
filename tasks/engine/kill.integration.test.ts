// SPDX-License-Identifier: MIT
/** A run is killed in each of its tasks, in each way; the next one goes on and ends right. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import { bundled } from '../../test/support/bundled.js';
import { type Sandbox, test, until } from '../../test/support/sandbox.js';
import type { GraphFile } from '../../test/run-graph.js';
import { sendSignal } from '../../lib/process/group.js';
import { type Child, createProcesses } from '../../lib/process/process.js';

/** The tool: runs the graph of a JSON file. */
const program = await bundled('test/run-graph.ts');

const NAMES = ['fetch', 'unpack', 'build', 'image'] as const;

/** fetch → unpack → build (a make) → image, each of which makes `work/out/<name>` by the command `step`. */
function writeGraph(sandbox: Sandbox, more: Partial<GraphFile> = {}): string {
  mkdirSync(sandbox.path('gates'), { recursive: true });
  const env = { ...sandbox.env, JOURNAL: sandbox.path('journal'), GATES: sandbox.path('gates') };
  const tasks = NAMES.map((name, index): GraphFile['tasks'][number] => {
    const out = sandbox.path('work/out', name);
    const makefile = sandbox.write(`${name}.mk`, `all:\n\t+@step ${name} ${out}\n`);
    const jobs = name === 'build' ? 'build' : 'one';
    return {
      name,
      deps: NAMES.slice(Math.max(0, index - 1), index),
      outputs: [out],
      jobs,
      commands: [jobs === 'build' ? ['make', '-f', makefile] : ['step', name, out]],
    };
  });
  return sandbox.write(
    'graph.json',
    JSON.stringify({ workdir: sandbox.path('work'), jobs: 2, env, tasks, ...more }),
  );
}

const eventSchema = z.record(z.string(), z.unknown());

interface Tool {
  readonly child: Child;
  readonly events: Record<string, unknown>[];
}

/** Starts the tool. It must not die with this process by itself: that would hide what it leaves behind. */
async function start(sandbox: Sandbox, graph: string): Promise<Tool> {
  const args = [program, graph];
  const child = await createProcesses().spawn({ file: process.execPath, args, env: sandbox.env }, sandbox);
  const events: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) events.push(eventSchema.parse(JSON.parse(line)));
  });
  child.stderr?.on('data', (chunk: Buffer) => events.push({ type: 'stderr', text: chunk.toString() }));
  return { child, events };
}

const journal = (sandbox: Sandbox) =>
  existsSync(sandbox.path('journal')) ? sandbox.read('journal').split('\n').filter(Boolean) : [];

/** The tool and everything below it, without the watchdog. */
const alive = (sandbox: Sandbox) =>
  sandbox.alive().filter(({ command }) => !command.startsWith('sh -c \ngroups='));

async function finish(sandbox: Sandbox, graph: string): Promise<Tool> {
  rmSync(sandbox.path('gates'), { recursive: true });
  mkdirSync(sandbox.path('gates'));
  const tool = await start(sandbox, graph);
  const exit = await tool.child.exited;
  expect({ exit: exit.exitCode, stderr: tool.events.filter(({ type }) => type === 'stderr') }).toEqual({
    exit: 0,
    stderr: [],
  });
  for (const name of NAMES) expect(sandbox.read(`work/out/${name}`)).toBe(`whole of ${name}`);
  expect(readdirSync(sandbox.path('work/run/groups'))).toEqual([]);
  return tool;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  describe(signal, () => {
    for (const [index, name] of NAMES.entries()) {
      test(`in ${name}`, async ({ sandbox }) => {
        const graph = writeGraph(sandbox);
        writeFileSync(sandbox.path('gates', name), '');
        const { child, events } = await start(sandbox, graph);
        await until(
          () =>
            journal(sandbox).includes(`${name} start`) &&
            alive(sandbox).some(({ command }) => /grandchild/.test(command)),
        );
        // Only to the tool itself, as kill(1) does; not to its group.
        process.kill(child.pid, signal);
        const exit = await child.exited;
        if (signal === 'SIGKILL') expect(exit.signal).toBe('SIGKILL');
        else {
          expect(exit.exitCode).toBe(130);
          expect(events).toContainEqual(expect.objectContaining({ type: 'task-failed', task: name }));
        }
        // Nobody is left, without anything being started again.
        await until(() => alive(sandbox).length === 0);
        expect(sandbox.read(`work/out/${name}`)).toBe(`half of ${name}`);

        await finish(sandbox, graph);
        // What was finished was not done again; what was cut off was.
        const starts = journal(sandbox).filter((line) => line.endsWith(' start'));
        expect(starts).toEqual(
          [...NAMES.slice(0, index + 1), ...NAMES.slice(index)].map((each) => `${each} start`),
        );
      });
    }
  });
}

test('when its watchdog is killed too, the next run ends what was left before it does anything', async ({
  sandbox,
}) => {
  const graph = writeGraph(sandbox);
  writeFileSync(sandbox.path('gates/build'), '');
  const { child } = await start(sandbox, graph);
  const watchdog = await until(() => watchdogOf(child.pid));
  await until(() => alive(sandbox).some(({ command }) => /grandchild/.test(command)));
  process.kill(watchdog, 'SIGKILL');
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
  // make died with the tool; what make had started did not. Of that, only what never ends by itself is left now.
  for (const { pid, command } of alive(sandbox)) if (!endless(command)) sendSignal(pid, 'SIGKILL');
  await until(() => alive(sandbox).every(({ command }) => endless(command)));
  expect(alive(sandbox).length).toBeGreaterThan(0);
  const { events } = await finish(sandbox, graph);
  expect(events[0]).toMatchObject({
    type: 'notice',
    text: expect.stringMatching(/^Ended processes .*: \d+/),
  });
  expect(alive(sandbox)).toEqual([]);
});

/** What never ends by itself in the command `step`. */
function endless(command: string): boolean {
  return /grandchild|^sleep/.test(command);
}

/** The child of the tool that is the watchdog. */
function watchdogOf(tool: number): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [parent, command] = parentAndCommand(name);
    if (parent === tool && command.startsWith('sh -c \ngroups=')) return Number(name);
  }
  return undefined;
}

function parentAndCommand(pid: string): [parent: number, command: string] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
    return [Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command];
  } catch {
    return [0, ''];
  }
}

test('killed between two writes of the record, the task runs again', async ({ sandbox }) => {
  const graph = writeGraph(sandbox);
  await finish(sandbox, graph);
  const record = 'work/state/tasks/build.json';
  sandbox.write(record, sandbox.read(record).slice(0, 100));
  sandbox.write('work/state/tasks/build.json.4194304-1.tmp', 'half');
  rmSync(sandbox.path('journal'));
  await finish(sandbox, graph);
  // The fingerprint is the same as before, so its dependent stays fresh.
  expect(journal(sandbox)).toEqual(['build start', 'build end']);
  expect(readdirSync(sandbox.path('work/state/tasks')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('two runs at once: the second says who holds the work directory and waits', async ({ sandbox }) => {
  const graph = writeGraph(sandbox);
  writeFileSync(sandbox.path('gates/fetch'), '');
  const first = await start(sandbox, graph);
  await until(() => journal(sandbox).includes('fetch start'));
  const second = await start(sandbox, graph);
  const waiting = await until(() => second.events.find(({ type }) => type === 'waiting'));
  expect(waiting['holder']).toMatch(new RegExp(`^process ${first.child.pid} \\(.*run-graph.*\\), since 20`));

  rmSync(sandbox.path('gates/fetch'));
  expect((await first.child.exited).exitCode).toBe(0);
  expect((await second.child.exited).exitCode).toBe(0);
  expect(journal(sandbox)).toEqual(NAMES.flatMap((name) => [`${name} start`, `${name} end`]));
  expect(second.events.filter(({ type }) => type === 'task-fresh')).toHaveLength(NAMES.length);
});

test('a waiting run can be interrupted, and goes on when the holder is killed', async ({ sandbox }) => {
  const graph = writeGraph(sandbox);
  writeFileSync(sandbox.path('gates/fetch'), '');
  const holder = await start(sandbox, graph);
  await until(() => journal(sandbox).includes('fetch start'));
  const impatient = await start(sandbox, graph);
  const patient = await start(sandbox, graph);
  for (const { events } of [impatient, patient])
    await until(() => events.some(({ type }) => type === 'waiting'));
  process.kill(impatient.child.pid, 'SIGINT');
  expect((await impatient.child.exited).exitCode).toBe(130);
  process.kill(holder.child.pid, 'SIGKILL');
  rmSync(sandbox.path('gates/fetch'));
  expect((await patient.child.exited).exitCode).toBe(0);
  for (const name of NAMES) expect(sandbox.read(`work/out/${name}`)).toBe(`whole of ${name}`);
});
