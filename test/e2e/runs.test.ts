// SPDX-License-Identifier: MIT
/** Test runs of the machine as it can be configured, and two at once. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { comparable } from '../../vm/report/report.js';
import { append, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { left } from './project.js';

undoEdits();

const { project } = laboratory();
beforeAll(() => project.passes(['update']));

test('ten runs in a row give the same report', async () => {
  const reports: string[] = [];
  for (let run = 0; run < 10; run++) {
    await project.passes(['run-test-quit']);
    reports.push(comparable(project.lastReport()));
  }
  for (const report of reports) expect(report).toBe(reports[0]);
  expect(project.lastReport().result.guest.clock).toBe('icount');
});

test("on the host's clock: passes", async () => {
  await project.passes(['run-test-quit', '--realtime']);
  expect(project.lastReport().result.guest.clock).toBe('realtime');
  expect(project.lastDevice().verdict?.counts['interrupts']).toBeGreaterThanOrEqual(1);
});

test('from an ext4 image: passes', async () => {
  rmSync(join(project.work, 'vm', 'rootfs.ext4'), { force: true });
  const { code, out, done } = await project.events(['all', '--rootfs', 'ext4']);
  expect(code, out).toBe(0);
  expect(done).toContain('guest:ext4');
  expect(done).not.toContain('guest:initramfs');
  expect(project.lastDevice().tests[0]?.tests.length).toBeGreaterThan(10);
});

test('two at once in one work directory: the second waits, and both pass', async () => {
  append(project.package, 'device/stopwatch/stopwatch.c', '\n/* two at once */\n');
  const both = await Promise.all([project.events(['all']), project.events(['all'])]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  const waiting = both.map(({ events }) => events.filter(({ type }) => type === 'waiting'));
  expect(waiting.flat().length).toBe(1);
  const [holder] = waiting.flat();
  expect(holder?.type === 'waiting' && holder.holder).toMatch(/^process \d+ \(.*all --json\)/);
  // What the first one has built, the second one finds.
  expect(both.filter(({ done }) => done.includes('qemu:build')).length).toBe(1);
  expect(await left(project)).toEqual([]);
});

test('with the driver in the kernel: passes, and so does the module after it', async () => {
  const { code, out, done } = await project.events(['all', '--driver', 'builtin']);
  expect(code, out).toBe(0);
  expect(done).toContain('linux:build');
  expect(done).not.toContain('driver:stopwatch');
  const reloading = () => project.lastDevice().tests[0]?.tests.find(({ name }) => name === 'reloading');
  expect(reloading()).toMatchObject({
    status: 'skip',
    comment: expect.stringContaining('the driver is built in'),
  });
  const again = await project.events(['all']);
  expect(again.code, again.out).toBe(0);
  expect(reloading()).toMatchObject({ status: 'ok' });
});
