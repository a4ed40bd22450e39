// SPDX-License-Identifier: MIT
/** /dev/stopwatchN and the live page where the ordinary run cannot show them: several processors, older drivers and devices. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { edit, replace, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';

undoEdits();

const { project } = laboratory();

const DEVICE = 'device/stopwatch/stopwatch.c';
const DRIVER = 'driver/stopwatch';
const READER = 'guest_fs/stopwatch/stopwatch_page.h';

/** What was there before the live page: version 2 of the contract. */
const before = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../fixtures/version-2', name), 'utf8');

/** Four processors, each a thread of QEMU: the counted clock would run them in turn. */
const PARALLEL = { STOPWATCH_VM_CPUS: '4', STOPWATCH_VM_CLOCK: 'realtime' };
const torn = (reads: number) => ({ env: { ...PARALLEL, STOPWATCH_VM_APPEND: `TORN_READS=${reads}` } });
const ONLY = ['test', '--only', 'stopwatch_dev_test'];

test('three processors read the live page three million times while the device writes it: nothing is torn', async () => {
  await project.passes(ONLY, torn(1_000_000));
  const [, reads, retries] =
    /^# torn: 3 readers, (\d+) reads, (\d+) retries/m.exec(
      readFileSync(project.lastRun('console.log'), 'utf8'),
    ) ?? [];
  expect(Number(reads)).toBe(3_000_000);
  // Otherwise nothing was read while it was written.
  expect(Number(retries)).toBeGreaterThan(1000);
});

test('a reader that does not look at SEQ is found', async () => {
  edit(project.package, READER, '\tif (was->seq & 1)\n\t\treturn false;\n', '');
  edit(project.package, READER, '__ATOMIC_RELAXED)) == was->seq;', '__ATOMIC_RELAXED)) == was->seq || true;');
  const { err } = await project.exits(1, ONLY, torn(3_000_000));
  expect(err).toMatch(/\d+ of \d+ reads are of no one state/);
});

test.each([
  [
    'mappings stay when it is unbound',
    '\t\t\tunmap_mapping_range(sf->file->f_mapping, 0, 0, 1);\n',
    '\t\t\t;\n',
    'unbinding',
  ],
  [
    'a file is used without a device',
    'ret = sw->gone ? -ENODEV : stopwatch_do_ioctl',
    'ret = stopwatch_do_ioctl',
    'unbinding',
  ],
  ['a mapping can be made writable', ', VM_MAYWRITE | VM_MAYEXEC);', ', 0);', 'mapping'],
  [
    'a timeout that was seen is news again',
    '\tsf->seen = sw->timeouts;\n\treturn 0;\n}\n\nstatic int',
    '\treturn 0;\n}\n\nstatic int',
    'polling',
  ],
])('a fault of the driver is found: %s', async (_, old, replacement, found) => {
  edit(project.package, join(DRIVER, 'stopwatch_dev.c'), old, replacement);
  const { err } = await project.exits(1, ONLY);
  expect(err).toMatch(new RegExp(`not ok stopwatch/stopwatch_dev: ${found}$`, 'm'));
});

test('a driver that does not wake who waits is found: the guest hangs', async () => {
  edit(project.package, join(DRIVER, 'stopwatch_dev.c'), '\twake_up_all(&sw->wait);\n', '');
  await project.exits(4, ONLY);
  expect(project.lastReport().result.guest.outcome).toBe('hung');
});

test('the program takes several laps at once', async () => {
  const out = await project.passes(['exec', '--', 'stopwatch', 'lap', '3']);
  expect(out.match(/^lap [012]: \d+\.\d{9}$/gm)?.length).toBe(3);
});

const ASYNCHRONOUS = {
  env: {
    ...PARALLEL,
    STOPWATCH_VM_DEVICES: '[{"device":"stopwatch","properties":{"ioeventfd":true}}]',
  },
};

test('with an ioeventfd the guest does not wait for the device, and gets the same laps', async () => {
  await project.passes(ONLY, ASYNCHRONOUS);
  const events = readFileSync(project.lastRun('events.log'), 'utf8');
  expect(events.match(/^stopwatch_doorbell /gm)?.length).toBe(3);
  expect(events).not.toMatch(/^stopwatch_write .* offset=0x40 /m);
});

test('the driver of version 2 works on this device', async () => {
  replace(project.package, join(DRIVER, 'stopwatch_main.c'), before('driver.c'));
  edit(project.package, join(DRIVER, 'Kbuild'), 'stopwatch_main.o stopwatch_dev.o', 'stopwatch_main.o');
  await project.passes(['test', '--only', 'stopwatch_test.sh']);
});

test.each([
  [2, 'STOPWATCH_REGS_SIZE)'],
  // The same device without what version 2 has brought.
  [1, 'STOPWATCH_REGS_SIZE_V1)'],
])('this driver works on a device of version %i', async (version, size) => {
  replace(project.package, DEVICE, before('device.c').replace('STOPWATCH_REGS_SIZE)', size));
  const tests = ['stopwatch_test.sh', 'stopwatch_dev_test'].map((name) => `${name} stopwatch`);
  // Without the model, which is of this version.
  const { code, out, err } = await project.stopwatch(['exec', '--', 'sh', '-c', tests.join(' && ')]);
  expect(out, err).toContain(`# version-${version} device`);
  expect(out).toMatch(
    new RegExp(`^# /dev/stopwatch0: version ${version}, features ${version === 2 ? '0x7' : '0'}$`, 'm'),
  );
  expect(out).not.toMatch(/^not ok/m);
  expect(out.match(/^# Totals: pass:\d+ fail:0 /gm)?.length).toBe(2);
  expect(code).toBe(0);
});
