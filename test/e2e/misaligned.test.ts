// SPDX-License-Identifier: MIT
/** What becomes of a guest's misaligned accesses: docs/registers.md says that they may fault or be split. */
import { readFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { edit, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';

undoEdits();
const { project } = laboratory();

const DRIVER = 'driver/stopwatch/stopwatch_main.c';
const IDENTIFY = '\tret = stopwatch_identify(sw, resource_size(regs), resource_size(mem));\n';

/** Accesses of 8 bytes at 0x1c: a store through a mapping as normal memory, then a load from device memory. */
const ACCESSES = `	{
		void __iomem *normal = ioremap_wc(regs->start, resource_size(regs));
		u64 value;

		asm volatile("str %0, [%1]" :: "r" (U64_MAX), "r" (normal + 0x1c));
		asm volatile("ldr %0, [%1]" : "=r" (value) : "r" (sw->regs + 0x1c));
		iounmap(normal);
	}
`;

beforeEach(() => edit(project.package, DRIVER, IDENTIFY, `${ACCESSES}${IDENTIFY}`));

/** The first accesses to the device, and what it made of them. */
function firstEvents(): readonly string[] {
  const lines = readFileSync(project.lastRun('events.log'), 'utf8').split('\n');
  return lines
    .filter((line) => /^stopwatch_(?:read|write|error) /.test(line))
    .map((line) => line.replace(/ id=\S+ seq=\d+ now=\d+/, ''))
    .slice(0, 5);
}

const STORE = [
  'stopwatch_write offset=0x1c value=0xffffffff size=4',
  'stopwatch_error raised=0x10 error=0x10',
  // It clears ERROR: a half of a refused store has done something.
  'stopwatch_write offset=0x20 value=0xffffffff size=4',
];

test('with one emulated processor QEMU splits both, and the device and the model agree about the pieces', async () => {
  await project.passes(['run-test-quit']);
  expect(firstEvents()).toEqual([
    ...STORE,
    'stopwatch_read offset=0x1c value=0x0 size=4',
    'stopwatch_read offset=0x20 value=0x0 size=4',
  ]);
});

test('with two, it splits only the one to normal memory; the other faults, and the verdict says why', async () => {
  const env = { STOPWATCH_VM_CPUS: '2' };
  const { err } = await project.exits(4, ['run-test-quit', '--realtime'], { env });
  expect(firstEvents()).toEqual(STORE);
  expect(err).toMatch(/^ +FSC = 0x21: alignment fault$/m);
  expect(err).toMatch(/In the driver:\n +driver\/stopwatch\/stopwatch_main\.c:\d+: asm volatile\("ldr /);
});
