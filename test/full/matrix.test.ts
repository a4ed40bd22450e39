// SPDX-License-Identifier: MIT
/** Two kernels and two QEMUs: four verdicts from four builds, and nothing is built twice. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { laboratory } from '../e2e/laboratory.js';

const { project } = laboratory();
const other = { linux: '6.18.5', qemu: '10.2.2' };

test('each with each: all pass, each part is built once', async () => {
  const { linux, qemu } = project.manifest().sources as Record<string, { version?: string }>;
  const versions = [
    '--linux',
    `${linux?.version},${other.linux}`,
    '--qemu',
    `${qemu?.version},${other.qemu}`,
  ];
  const first = await project.events(['matrix', ...versions]);
  expect(first.code, first.out).toBe(0);
  for (const name of [`linux:build@linux-${other.linux}`, `qemu:build@qemu-${other.qemu}`])
    expect(first.done.filter((task) => task === name)).toEqual([name]);
  expect(first.done.filter((task) => task.startsWith('driver:stopwatch@'))).toHaveLength(1);
  const junit = readFileSync(join(project.work, 'reports/matrix.xml'), 'utf8');
  expect(junit.match(/<testsuite name="Linux/g)).toHaveLength(4);

  const again = await project.events(['matrix', ...versions, '--shard', '2/2']);
  expect(again.code, again.out).toBe(0);
  expect(again.done.filter((task) => task !== 'vm:test')).toEqual([]);
  expect(again.done).toHaveLength(2);
});
