// SPDX-License-Identifier: MIT
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import config from '../../config.js';
import type { Config } from '../config/schema.js';
import { createExecutor } from '../engine/executor.js';
import type { TaskContext } from '../engine/task.js';
import { createProcesses } from '../../lib/process/process.js';
import { resumeBuild, usesCcache } from './build-tools.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'carry-on-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function nothing(): void {}

function contextOf(signal: AbortSignal): TaskContext {
  return {
    signal,
    logFile: '',
    jobs: 1,
    env: {},
    processes: createProcesses(),
    exec: async () => '',
    log: nothing,
    progress: nothing,
    notice: nothing,
  };
}

function withCcache(ccache: Config['build']['ccache']): Config {
  return { ...config, build: { ...config.build, ccache } };
}

/** A product with this age at the time of the kill, seconds. */
function product(name: string, age: number, content = 'x'): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  utimesSync(path, 1_700_000_000 - age, 1_700_000_000 - age);
  return path;
}

async function killedBuild(hasCrashed = false): Promise<void> {
  const killed = new AbortController();
  await resumeBuild(directory, contextOf(killed.signal), async () => killed.abort());
  if (hasCrashed) reboot();
  await resumeBuild(directory, contextOf(new AbortController().signal), async () => {});
}

/** Runs this as a task, as the executor does. */
async function runTask(run: (context: TaskContext, kill: () => void) => Promise<void>) {
  const abort = new AbortController();
  const executor = createExecutor({
    processes: createProcesses(),
    workdir: join(directory, 'work'),
    jobs: 1,
    emit: nothing,
    signal: abort.signal,
  });
  const task = { name: 'build', title: '', deps: [], inputs: {}, outputs: [], jobs: 'build' } as const;
  return executor.run([{ ...task, run: (context) => run(context, () => abort.abort()) }], []);
}

/** Makes the interrupted build one of an earlier boot. */
function reboot(): void {
  writeFileSync(join(directory, '.build-under-way'), 'an earlier boot');
}

describe('a build that was cut off', () => {
  test('makes again what was written last, and keeps what was finished before', async () => {
    const [last, old, source] = [product('b.o', 1), product('a.o', 30), product('c.c', 0)];
    product('vmlinux', 0);
    await killedBuild();
    expect([last, old, source].map((path) => existsSync(path))).toEqual([false, true, true]);
    expect(existsSync(join(directory, 'vmlinux'))).toBe(false);
  });

  test('of a machine that crashed, distrusts a longer time and all that is empty', async () => {
    const [last, older, empty] = [product('b.o', 0), product('a.o', 30), product('e.o', 5000, '')];
    const kept = product('k.o', 600);
    await killedBuild(true);
    expect([last, older, empty, kept].map((path) => existsSync(path))).toEqual([false, false, false, true]);
  });

  test('of a machine that crashed, does so too when a run between was killed before the build', async () => {
    const [last, older, kept] = [product('b.o', 0), product('a.o', 30), product('k.o', 600)];
    await runTask(async (context, kill) => resumeBuild(directory, context, async () => kill()));
    reboot();
    await runTask(async (_, kill) => kill());
    expect(await runTask(async (context) => resumeBuild(directory, context, async () => {}))).toEqual([]);
    expect([last, older, kept].map((path) => existsSync(path))).toEqual([false, false, true]);
  });
});

test('a build that failed by itself loses nothing', async () => {
  const path = product('a.o', 0);
  const { signal } = new AbortController();
  await expect(
    resumeBuild(directory, contextOf(signal), async () => {
      throw new Error('compile error');
    }),
  ).rejects.toThrow('compile error');
  await resumeBuild(directory, contextOf(signal), async () => {});
  expect(existsSync(path)).toBe(true);
});

test('ccache is used where it is, never when off, and missed only when demanded', () => {
  expect(usesCcache(withCcache('auto'), directory)).toBe(false);
  expect(() => usesCcache(withCcache('on'), directory)).toThrow('no ccache in PATH');
  const program = join(directory, 'ccache');
  writeFileSync(program, '', { mode: 0o755 });
  expect(usesCcache(withCcache('auto'), directory)).toBe(true);
  expect(usesCcache(withCcache('off'), directory)).toBe(false);
});
