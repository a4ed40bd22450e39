// SPDX-License-Identifier: MIT
/** `kunit`: the suite of the stopwatch's driver, and one of the kernel's own, in a kernel with KUnit. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { edit, undoEdits } from '../e2e/edit.js';
import { laboratory } from '../e2e/laboratory.js';

const { project, scratch } = laboratory();
undoEdits();

test('the suite of a driver passes, all of it or some', async () => {
  await project.passes(['update']);
  // Each case counts, and the suite itself.
  expect(await project.passes(['kunit'])).toMatch(/^KUnit +1 suite: 5 ok, 0 not ok, 0 skipped$/m);
  expect(await project.passes(['kunit', '--filter', 'stopwatch.*lap'])).toMatch(/^KUnit +1 suite: 2 ok/m);
  const { err } = await project.exits(2, ['kunit', '--filter', 'nothing']);
  expect(err).toMatch(/No KUnit suite has run: none matches 'nothing'/);
  // The usual build is as it was.
  const { done } = await project.events(['update']);
  expect(done).toEqual([]);
});

test('a fault in the driver: exit code 1, with what KUnit prints about it', async () => {
  edit(
    project.package,
    'driver/stopwatch/stopwatch_main.c',
    'state > STOPWATCH_STATUS_PAUSED ? -EIO',
    'state > STOPWATCH_STATUS_PAUSED ? -EINVAL',
  );
  const { err } = await project.exits(1, ['kunit']);
  expect(err).toMatch(/KUnit: 1 suite: 3 ok, 2 not ok, 0 skipped/);
  expect(err).toMatch(/Expected stopwatch_state\(&fake->sw\) == -5, but/);
  expect(err).toMatch(/not ok stopwatch \/ stopwatch_kunit_state$/m);
});

test('--kunitconfig: a suite of the kernel, and an option that it does not have', async () => {
  const file = join(scratch, 'list.config');
  writeFileSync(file, 'CONFIG_KUNIT=y\nCONFIG_LIST_KUNIT_TEST=y\n');
  const out = await project.passes(['kunit', '--kunitconfig', file]);
  const [, ok] = /^KUnit +4 suites: (\d+) ok, 0 not ok, 0 skipped$/m.exec(out) ?? [];
  expect(Number(ok)).toBeGreaterThan(40);
  writeFileSync(file, 'CONFIG_NO_SUCH_KUNIT_TEST=y\n');
  const { err } = await project.exits(2, ['kunit', '--kunitconfig', file]);
  expect(err).toMatch(/CONFIG_NO_SUCH_KUNIT_TEST/);
});
