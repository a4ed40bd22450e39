// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import config from '../../config.js';
import type { Config } from '../config/schema.js';
import { createExecutor } from '../engine/executor.js';
import type { TaskContext } from '../engine/task.js';
import { createProcesses } from '../../lib/process/process.js';
import { resumeBuild, usesCcache } from './build-tools.js';

let directory: string;
let started: number;
beforeEach(() => {
  started = Date.now() / 1000;
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

/** A file with this age at the end of the build, which takes 5000 s, in seconds. */
function product(name: string, age: number, content = 'x'): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  const time = started + 5000 - age;
  utimesSync(path, time, time);
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
  const marker = join(directory, '.build-under-way');
  writeFileSync(marker, 'an earlier boot');
  utimesSync(marker, started, started);
}

const exist = (paths: readonly string[]) => paths.map((path) => existsSync(path));

describe('a build that was cut off', () => {
  test('makes again what was written last, and keeps what was finished before', async () => {
    const [last, old, before] = [product('b.o', 1), product('a.o', 30), product('c.o', 6000)];
    const image = product('vmlinux', 0);
    await killedBuild();
    expect(exist([last, old, before, image])).toEqual([false, true, true, false]);
  });

  test('makes again whatever was written last, but what no build makes', async () => {
    const made = ['vdso.so.dbg', 'asm-offsets.s', 'modpost', 'generated/bounds.h', 'qemu-config.c.o'];
    const kept = [
      '.config',
      '.ninja_log',
      'meson-private/coredata.dat',
      'a-config-devices.h',
      'config-host.mak',
    ];
    const [doubtful, state] = [made, kept].map((names) => names.map((name) => product(name, 0)));
    await killedBuild();
    expect(exist(doubtful ?? []).filter(Boolean)).toEqual([]);
    expect(exist(state ?? []).filter((found) => !found)).toEqual([]);
  });

  test('of a machine that crashed, distrusts a longer time and all that is empty', async () => {
    const [last, older, empty] = [product('b.o', 0), product('a.o', 30), product('e.o', 4000, '')];
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

test('a build that failed, whatever ended it, keeps what is older than its last seconds', async () => {
  const [last, old] = [product('b.o', 0), product('a.o', 30)];
  const { signal } = new AbortController();
  await expect(
    resumeBuild(directory, contextOf(signal), async () => {
      throw new Error('make was ended by SIGKILL');
    }),
  ).rejects.toThrow('SIGKILL');
  await resumeBuild(directory, contextOf(signal), async () => {});
  expect(exist([last, old])).toEqual([false, true]);
});

test('a build that succeeded is flushed before it is trusted', async () => {
  const { signal } = new AbortController();
  const run: string[] = [];
  const marker = join(directory, '.build-under-way');
  const exec = async (file: string, args: readonly string[]) => {
    run.push(`${file} ${args.join(' ')}${existsSync(marker) ? ', not trusted yet' : ''}`);
    return '';
  };
  await resumeBuild(directory, { ...contextOf(signal), exec }, async () => {});
  expect(run).toEqual([`sync -f ${directory}, not trusted yet`]);
  const last = product('b.o', 0);
  await resumeBuild(directory, contextOf(signal), async () => {});
  expect(existsSync(last)).toBe(true);
});

test('ccache is used where it is, never when off, and missed only when demanded', () => {
  expect(usesCcache(withCcache('auto'), directory)).toBe(false);
  expect(() => usesCcache(withCcache('on'), directory)).toThrow('no ccache in PATH');
  const program = join(directory, 'ccache');
  writeFileSync(program, '', { mode: 0o755 });
  expect(usesCcache(withCcache('auto'), directory)).toBe(true);
  expect(usesCcache(withCcache('off'), directory)).toBe(false);
});
