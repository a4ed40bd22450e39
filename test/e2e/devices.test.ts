// SPDX-License-Identifier: MIT
/** Several devices in one machine: each has its own test, its own checker, and its own verdict. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { edit, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';

undoEdits();

const { project } = laboratory();

const FOUR = [
  { device: 'stopwatch' },
  { device: 'stopwatch', id: 'lap', properties: { start_at_boot: false } },
  { device: 'rngboi', properties: { seed: 7 } },
  { device: 'virtio-rng' },
];
const env = { STOPWATCH_VM_DEVICES: JSON.stringify(FOUR) };

/** Results by the ids of the devices. */
function verdicts(): Record<string, string | undefined> {
  const { devices } = project.lastReport().result;
  return Object.fromEntries(devices.map(({ id, verdict }) => [id, verdict?.result]));
}

test('four devices: each is tested, three are checked, and the report says which', async () => {
  const out = await project.passes(['run-test-quit'], { env });
  const { devices, exitCode } = project.lastReport().result;
  expect(exitCode).toBe(0);
  expect(verdicts()).toEqual({
    stopwatch: 'agree',
    lap: 'agree',
    rngboi: 'agree',
    'virtio-rng': undefined,
  });
  for (const {
    id,
    device,
    tests: [suite],
    verdict,
  } of devices) {
    expect(suite?.tests.length, id).toBeGreaterThan(0);
    expect(suite?.problems, id).toEqual([]);
    if (device === 'virtio-rng') continue;
    expect(verdict?.checked, id).toBeGreaterThan(20);
    expect(verdict?.confirmed, id).toBeGreaterThan(20);
    expect(verdict?.observed, id).toBeGreaterThan(0);
  }
  expect(out).toMatch(/virtio-rng[^]*no checker/);
  const junit = readFileSync(project.lastRun('junit.xml'), 'utf8');
  for (const { id } of devices) expect(junit).toMatch(new RegExp(`<testsuite name="[^"]*\\b${id}"`));
});

const faults = [
  {
    id: 'stopwatch',
    file: 'device/stopwatch/stopwatch.c',
    // Only the one that runs from the start: the other one has start_at_boot=off.
    old: '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
    now: '        if (!s->start_at_boot) {\n            s->elapsed = stopwatch_elapsed(s, now);\n        }\n        s->status = STOPWATCH_STATUS_PAUSED;',
  },
  {
    id: 'lap',
    file: 'device/stopwatch/stopwatch.c',
    old: '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
    now: '        if (s->start_at_boot) {\n            s->elapsed = stopwatch_elapsed(s, now);\n        }\n        s->status = STOPWATCH_STATUS_PAUSED;',
  },
];

test.each(faults)('a fault in $id is attributed to it alone', async ({ id, file, old, now }) => {
  edit(project.package, file, old, now);
  const { out, err } = await project.exits(3, ['run-test-quit'], { env });
  const differing = Object.entries(verdicts()).filter(([, result]) => result === 'differ');
  expect(differing).toEqual([[id, 'differ']]);
  expect(out + err).toMatch(new RegExp(`\\b${id}\\b.*differ`));
});

test('a fault in rngboi is attributed to it alone', async () => {
  edit(project.package, 'device/rngboi/rngboi.c', '0xbf58476d1ce4e5b9ULL', '0xbf58476d1ce4e5b8ULL');
  await project.exits(3, ['run-test-quit'], { env });
  const differing = Object.entries(verdicts()).filter(([, result]) => result === 'differ');
  expect(differing).toEqual([['rngboi', 'differ']]);
});

test('two devices of one id, and one that is not in the list: both are refused before anything is built', async () => {
  const twice = JSON.stringify([{ device: 'stopwatch' }, { device: 'rngboi', id: 'stopwatch' }]);
  const { err } = await project.exits(2, ['run-test-quit'], { env: { STOPWATCH_VM_DEVICES: twice } });
  expect(err).toContain('stopwatch');
  const unknown = JSON.stringify([{ device: 'toaster' }]);
  expect(
    (await project.exits(2, ['run-test-quit'], { env: { STOPWATCH_VM_DEVICES: unknown } })).err,
  ).toContain('toaster');
});
