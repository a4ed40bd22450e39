// SPDX-License-Identifier: MIT
/** The search on the QEMU that was built: it finds nothing, and finds a fault that is put into the device. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { replayDirectory } from '../../device/fuzz/regressions.js';
import { createProcesses } from '../../tasks/host/process.js';
import { hostClock } from '../../vm/clock.js';
import { edit, undoEdits } from './edit.js';
import { CHECKOUT, type Laboratory, laboratory } from './laboratory.js';
import { start } from './project.js';

undoEdits();

let lab: Laboratory;
beforeAll(async () => {
  lab = await laboratory();
});

interface Document {
  readonly operations: number;
  readonly finding?: { readonly shortest: number; readonly script: string; readonly compared: string };
}

async function fuzz(...args: string[]) {
  const { project } = lab;
  const { code, out, err } = await start('npx', ['stopwatch', 'fuzz', '--json', ...args], {
    cwd: project.directory,
    env: project.env,
  }).ended;
  const document: Document = JSON.parse(out);
  return { code, err, document };
}

test('scripts that once showed a difference show none', async () => {
  const { project } = lab;
  const directory = join(project.directory, 'regressions');
  mkdirSync(directory, { recursive: true });
  const outcomes = await replayDirectory(
    join(CHECKOUT, 'test', 'regressions'),
    { qemu: join(project.work, 'build', 'qemu', 'qemu-system-aarch64'), directory, silenceMs: 60_000 },
    {
      processes: createProcesses(),
      clock: hostClock,
      env: project.env,
      signal: new AbortController().signal,
    },
  );
  expect(outcomes.length).toBe(readdirSync(join(CHECKOUT, 'test', 'regressions')).length);
  expect(outcomes.filter(({ outcome }) => outcome.result !== 'agree')).toEqual([]);
});

test('a campaign finds no difference', async () => {
  const { code, document } = await fuzz('--ops', '200000', '--seed', '1');
  expect(document.finding).toBeUndefined();
  expect(code).toBe(0);
  expect(document.operations).toBeGreaterThanOrEqual(200_000);
});

test('a fault is found, made short, written down, and done again', async () => {
  edit(
    lab.project.package,
    'device/stopwatch.c',
    '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
    '        s->status = STOPWATCH_STATUS_PAUSED;',
  );
  const { code, document } = await fuzz('--ops', '200000', '--seed', '1');
  expect(code).toBe(3);
  expect(document.finding).toMatchObject({ compared: 'ELAPSED_NS' });
  expect(document.finding?.shortest).toBeLessThanOrEqual(6);
  const script = document.finding?.script ?? '';
  expect(existsSync(script)).toBe(true);
  expect(await fuzz('--replay', script)).toMatchObject({ code: 3, document: { compared: 'ELAPSED_NS' } });
});
