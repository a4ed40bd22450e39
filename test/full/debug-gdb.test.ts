// SPDX-License-Identifier: MIT
/** gdb with the sources of the debug builds: in the driver by `run --gdb`, in the device by `run --gdb-qemu`. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { FEATURES, offsetOf } from '../../device/stopwatch/contract/contract.js';
import { laboratory } from '../e2e/laboratory.js';
import { left, start } from '../e2e/project.js';
import { runOnTerminal } from '../e2e/interactive.js';

const ERROR = offsetOf('ERROR');

const { project } = laboratory();
// Built beforehand: what is shown on a terminal is waited for only for some minutes.
beforeAll(() => project.passes(['update', '--variant', 'debug']));

/** The line of a file of the package on which this stands, once. */
function lineOf(name: string, text: string): number {
  const before = readFileSync(join(project.package, name), 'utf8').split(text);
  if (before.length !== 2) throw new Error(`Expected '${text}' once in ${name}`);
  return (before[0] ?? '').split('\n').length;
}

test("gdb stops in the driver's interrupt handler, and again when the module was loaded again", async () => {
  const commands = join(project.directory, 'interrupt.gdb');
  writeFileSync(
    commands,
    [
      'set breakpoint pending on',
      'break stopwatch_hardirq',
      'continue',
      'backtrace',
      'info args',
      'print ((struct stopwatch *)data)->timeouts',
      'list',
      'continue',
      'print ((struct stopwatch *)data)->features',
      'delete',
      'detach',
    ].join('\n'),
  );
  const machine = runOnTerminal(project, `run --gdb --variant debug -- -batch -x ${commands}`);
  try {
    const [, attach = ''] = await machine.find(/To attach:\n {2}(.*)\n/);
    const gdb = start('bash', ['-c', attach], { cwd: project.directory, env: project.env });
    await machine.waitFor(/stopwatch:~# /);
    machine.type('stopwatch_ctrl.sh timeout 1; sleep 2; stopwatch_ctrl.sh timeout; rmmod stopwatch; ');
    machine.type(
      'insmod /lib/modules/stopwatch.ko; stopwatch_ctrl.sh timeout 1; sleep 2; echo loaded again\r',
    );
    const { out, err } = await gdb.ended;
    const line = lineOf(
      'driver/stopwatch/stopwatch_main.c',
      'static irqreturn_t stopwatch_hardirq(int irq, void *data)',
    );
    const stops = [
      ...out.matchAll(
        /^Breakpoint 1, stopwatch_hardirq \(irq=\S+, data=0x[0-9a-f]+\) at .*driver\/stopwatch\/stopwatch_main\.c:(\d+)$/gm,
      ),
    ];
    expect(stops.length, out + err).toBe(2);
    for (const [, at] of stops) expect(Number(at) - line).toBeLessThan(8);
    expect(out).toMatch(/^#0 +stopwatch_hardirq /m);
    expect(out).toMatch(/^#\d+ .* in __handle_irq_event_percpu \(.*\) at .*kernel\/irq\/handle\.c:\d+$/m);
    expect(out).toMatch(/^\$1 = 0$/m);
    expect(out).toMatch(/^\d+\tstatic irqreturn_t stopwatch_hardirq\(int irq, void \*data\)$/m);
    expect(out).toMatch(new RegExp(`^\\$2 = ${FEATURES}$`, 'm'));
    expect(out.match(/^module-symbols: stopwatch is loaded at 0x[0-9a-f]+$/gm)?.length, out).toBe(2);
    await machine.waitFor(/^loaded again$/m);
    machine.type('poweroff\r');
    expect(await machine.closed).toBe(0);
  } finally {
    machine.child.kill();
    await machine.closed;
  }
  expect(await left(project)).toEqual([]);
});

test("gdb on QEMU stops in the device's write handler, and the guest goes on to its shell", async () => {
  const commands = join(project.directory, 'write.gdb');
  writeFileSync(
    commands,
    'printf "offset %#lx\\n", offset\nnext\nprint s->status\nbacktrace\ndelete\ncontinue\n',
  );
  const console = join(project.work, 'logs', 'gdb-qemu-console');
  const log = `${console}.log`;
  for (const file of [console, log]) rmSync(file, { force: true });
  const { child, ended } = project.start(['run', '--gdb-qemu', '--', '-batch', '-x', commands]);
  try {
    for (
      let tries = 0;
      tries < 3000 && !(existsSync(log) && /:~# /.test(readFileSync(log, 'latin1')));
      tries++
    ) {
      if (child.exitCode !== null) break;
      await sleep(100);
    }
    // QEMU looks once a second whether somebody has opened its end.
    const typed = 'exec 3<>"$0"; (sleep 2; printf "poweroff\\r" >&3) & cat <&3 >/dev/null 2>&1; wait';
    if (child.exitCode === null)
      await start('sh', ['-c', typed, console], { cwd: project.directory, env: project.env }).ended;
    const { code, out, err } = await ended;
    const line = lineOf(
      'device/stopwatch/stopwatch.c',
      'static void stopwatch_write(void *opaque, hwaddr offset, uint64_t value,',
    );
    const [, offset, at] =
      /hit Breakpoint 1, stopwatch_write \(opaque=0x[0-9a-f]+, offset=(\d+), value=\d+, size=8\) at .*device\/stopwatch\/stopwatch\.c:(\d+)$/m.exec(
        out,
      ) ?? [];
    // The driver's first write clears the sticky errors.
    expect(offset, out + err).toBe(String(ERROR));
    expect(Number(at) - line).toBeLessThan(6);
    expect(out).toMatch(new RegExp(`^offset 0x${ERROR.toString(16)}$`, 'm'));
    expect(out).toMatch(/^\$1 = 0$/m);
    expect(out).toMatch(/^#0 +stopwatch_write /m);
    expect(out).toMatch(/^#\d+ .* in memory_region_dispatch_write \(/m);
    expect(out).toMatch(/^\[Inferior 1 \(process \d+\) exited normally\]$/m);
    expect(code).toBe(0);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  expect(await left(project)).toEqual([]);
});

test('on a terminal, Ctrl-C is for gdb, and quitting it ends QEMU', async () => {
  const gdb = runOnTerminal(project, 'run --gdb-qemu');
  try {
    await gdb.waitFor(/hit Breakpoint 1, stopwatch_write[^]*\(gdb\) $/);
    gdb.type('delete\rcontinue\r');
    await gdb.waitFor(/Continuing\.\n/);
    await sleep(500);
    gdb.type('\u0003');
    await gdb.waitFor(/received signal SIGINT[^]*\(gdb\) $/);
    gdb.type('quit\r');
    expect(await gdb.closed).toBe(0);
  } finally {
    gdb.child.kill();
    await gdb.closed;
  }
  expect(await left(project)).toEqual([]);
});
