// SPDX-License-Identifier: MIT
/** docs/paravirt.md, and `bench --check`: exits are counted by QEMU, compared with the bounds of the devices' benches, and a broken bound is found. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { BenchRow } from '../../vm/bench/summary.js';
import { edit, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { runCommandsOf } from './page-commands.js';

undoEdits();

const { project } = laboratory();
const devices = (...names: readonly string[]) => ({
  env: { STOPWATCH_VM_DEVICES: JSON.stringify(names.map((device) => ({ device }))) },
});

function measured(out: string): ReadonlyMap<string, BenchRow> {
  const { rows }: { rows: readonly BenchRow[] } = JSON.parse(out);
  return new Map(rows.map((row) => [row.row, row]));
}

test('all bounds hold, and are counts of what reached the devices', async () => {
  const out = await project.passes(
    ['bench', '--check', '--json'],
    devices('stopwatch', 'rngboi', 'virtio-rng'),
  );
  const rows = measured(out);
  for (const [name, { holds, exits, ns }] of rows) {
    expect(holds, name).not.toBe(false);
    expect(exits, name).not.toBeNull();
    expect(ns, name).toBeNull();
  }
  const exits = (row: string) => rows.get(row)?.exits?.device;
  expect(exits('elapsed/clock_gettime')).toBe(0);
  expect(exits('elapsed/update_text')).toBe(3);
  expect(exits('elapsed/elapsed_ns')).toBe(1);
  expect(exits('laps/command')).toBe(3);
  // One for 32 laps.
  expect(exits('laps/batch')).toBe(1);
  expect(rows.get('elapsed/elapsed_ns')?.regions).toMatchObject({ 'stopwatch-regs': 1 });
  expect(exits('elapsed/mmio_read_user')).toBe(1);
  // Linux may read 64 bytes for itself, and virtio-rng's driver asks for its next ones in advance.
  const off = (row: string, expected: number): number => Math.abs((exits(row) ?? 0) - expected);
  expect(off('random/rngboi/65536', 65_536 / 4)).toBeLessThanOrEqual(16);
  expect(off('random/virtio-rng/65536', (3 * 65_536) / 64)).toBeLessThanOrEqual(6);
  expect(Math.round((rows.get('random/virtio-rng/65536')?.exits?.interrupts ?? 0) / 64)).toBe(16);
  // Within the kernel, without hwrng, one buffer is enough for any size.
  expect(exits('random_kernel/rngboi/4096')).toBe(1024);
  expect(exits('random_kernel/virtio-rng/4096')).toBe(3);
  expect(exits('random_kernel/virtio-rng/65536')).toBe(3);
  expect(project.lastReport().result.devices.map(({ verdict }) => verdict?.result)).toEqual([
    'agree',
    'agree',
    undefined,
  ]);
  expect(readFileSync(project.lastRun('bench.json'), 'utf8')).toContain('"random/rngboi/1048576"');
});

test('a driver that reads a register twice breaks the bound: exit code 1, and which', async () => {
  edit(
    project.package,
    'driver/stopwatch/stopwatch_main.c',
    'return sysfs_emit(buf, "%llu\\n", readq(sw->regs + STOPWATCH_ELAPSED_NS));',
    'readq(sw->regs + STOPWATCH_ELAPSED_NS);\n\treturn sysfs_emit(buf, "%llu\\n", readq(sw->regs + STOPWATCH_ELAPSED_NS));',
  );
  const { out, err } = await project.exits(1, ['bench', '--check'], devices('stopwatch'));
  expect(out + err).toContain(
    'elapsed/elapsed_ns: expected 1 device exits per operation, counted 2 (stopwatch-regs 2)',
  );
  expect(out).toMatch(/^Absent +rngboi: vm\.devices does not name it/m);
});

test('times are measured without a trace, beside the counts, and the page has both', async () => {
  const out = await project.passes(['bench', '--json'], devices('stopwatch', 'rngboi'));
  const rows = measured(out);
  for (const [name, { ns, exits }] of rows) {
    expect(ns?.median, name).toBeGreaterThan(0);
    expect(ns?.low, name).toBeLessThanOrEqual(ns?.high ?? 0);
    if (!name.startsWith('random/host/')) expect(exits, name).not.toBeNull();
  }
  expect(rows.get('random/host/1048576')?.exits).toBeNull();
  expect(rows.get('random/rngboi/1048576')?.bytesPerSecond).toBeGreaterThan(0);
  const page = readFileSync(project.lastRun('report.html'), 'utf8');
  expect(page).toContain('>Measured</h2>');
  expect(page).toContain('elapsed_ns');
  expect(page).toMatch(/data-plot="\d"/);
});

test('every command of docs/paravirt.md does what it says', async () => {
  await runCommandsOf('docs/paravirt.md', project, {
    printed: [
      [/bench$/, /^random\/virtio-rng\/1048576 .* 49,1\d\d /m],
      [/--check$/, /^Bounds +(\d+) of \1 hold/m],
      [/report latest$/, /^Picture /m],
    ],
  });
});
