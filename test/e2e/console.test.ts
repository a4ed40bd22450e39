// SPDX-License-Identifier: MIT
/** `run`: the guest's shell, from a pipe and on a terminal; and what else there is without a test. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { append, edit, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { left } from './project.js';
import { Interactive, onTerminal, toolOf } from './interactive.js';

undoEdits();

const { project, scratch } = laboratory();
beforeAll(() => project.passes(['all']));

/** `run` with these lines typed into the guest; what its console showed. */
async function typed(args: readonly string[], lines: readonly string[], expected = 0): Promise<string> {
  const input = lines.map((line) => `${line}\n`).join('');
  const { code, out, err } = await project.stopwatch(['run', ...args], { input });
  expect(code, out + err).toBe(expected);
  expect(await left(project)).toEqual([]);
  return out.replaceAll('\r', '');
}

test('commands from a pipe', async () => {
  const out = await typed([], ['stopwatch_ctrl.sh show; echo "show: $?"', 'poweroff']);
  expect(out).toMatch(/^\d+\.\d\d seconds\nshow: 0$/m);
  expect(out).toMatch(/^Guest +ended: the guest powered off$/m);
});

test('the end of the pipe ends the guest', async () => {
  expect(await typed([], ['echo "last" "words"'])).toMatch(/^last words$/m);
});

test('--nodev: the guest is the same, without a stopwatch', async () => {
  const out = await typed(
    ['--nodev'],
    [
      'ls /proc/device-tree/platform-bus* | grep -c stopwatch',
      'stopwatch_ctrl.sh start; echo "start: $?"',
      'poweroff',
    ],
  );
  expect(out).toMatch(/^start: 1$/m);
  expect(out).toMatch(/^stopwatch_ctrl\.sh: refused: No such device$/m);
});

test('--rw keeps what is written, and has what was built since', async () => {
  await typed(['--rw'], ['echo "still here" >/mnt/kept', 'rm /usr/bin/stopwatch_test.sh', 'poweroff']);
  expect(await typed(['--rw'], ['cat /mnt/kept', 'poweroff'])).toMatch(/^still here$/m);
  const out = await typed(['--rootfs', 'ext4'], ['cat /mnt/kept', 'poweroff']);
  expect(out).toMatch(/^cat: can't open '\/mnt\/kept'/m);

  append(project.package, 'guest_fs/stopwatch/stopwatch_ctrl.sh', '\n# a new edition\n');
  const lines = ['tail -n 1 /usr/bin/stopwatch_ctrl.sh; stopwatch_ctrl.sh show', 'cat /mnt/kept', 'poweroff'];
  const after = await typed(['--rw'], lines);
  expect(after).toMatch(/^# a new edition$/m);
  expect(after).toMatch(/^\d+\.\d\d seconds$/m);
  expect(after).toMatch(/^still here$/m);
  expect(await typed(['--rw'], ['ls -l /usr/bin/stopwatch_test.sh', 'poweroff'])).toMatch(
    /^-rwxr-xr-x .*stopwatch_test/m,
  );

  const disk = join(project.work, 'vm', 'disk.ext4');
  rmSync(disk);
  expect(await typed(['--rw'], ['cat /mnt/kept', 'poweroff'])).toMatch(/^cat: can't open/m);
});

test('--crosscheck judges what is done by hand', async () => {
  const lines = ['stopwatch_ctrl.sh pause', 'stopwatch_ctrl.sh start', 'poweroff'];
  expect(await typed(['--crosscheck'], lines)).toMatch(/^Cross-check +The device and the model agree/m);
  edit(
    project.package,
    'device/stopwatch/stopwatch.c',
    '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
    '        s->status = STOPWATCH_STATUS_PAUSED;',
  );
  expect(await typed(['--crosscheck'], lines, 3)).toMatch(
    /^Cross-check +The device and the model differ at seq/m,
  );
});

test('--dump-dtb writes the device tree, and shows the node', async () => {
  const dtb = join(scratch, 'machine.dtb');
  const out = await project.passes(['run', '--dump-dtb', dtb]);
  expect(readFileSync(dtb).readUInt32BE(0)).toBe(0xd00dfeed);
  const dts = readFileSync(join(scratch, 'machine.dts'), 'utf8');
  for (const text of [dts, out]) {
    expect(text).toMatch(/stopwatch@/);
    // Older versions of dtc write a list of strings as one.
    expect(text).toMatch(/compatible = "qemu,stopwatch(?:", "|\\0)stopwatch"/);
    expect(text).toMatch(/reg-names = "mem(?:", "|\\0)regs"/);
  }
  expect(out).toContain(dtb);
  const nodev = await project.stopwatch(['run', '--nodev', '--dump-dtb', dtb]);
  expect(nodev.out).toContain('No node is compatible with "qemu,stopwatch"');
});

test('module makes stopwatch.ko for this kernel, and says where', async () => {
  const out = await project.passes(['module']);
  const [, path = ''] = /^Module +(\/.*\/stopwatch\.ko)$/m.exec(out) ?? [];
  const module = readFileSync(path, 'latin1');
  expect(module.startsWith('\u007FELF')).toBe(true);
  expect(module).toMatch(/vermagic=6\.\d+\.\d+ /);
});

test('crosscheck judges a saved stream; one with a line missing is no evidence', async () => {
  await project.passes(['run-test-quit']);
  const agreed = await project.passes(['crosscheck', project.lastRun('events.log')]);
  expect(agreed).toMatch(/The device and the model agree \(\d+ events/);

  const copy = join(scratch, 'gap');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of ['console.log', 'crosscheck.json'])
    copyFileSync(project.lastRun(name), join(copy, name));
  const lines = readFileSync(project.lastRun('events.log'), 'utf8').split('\n');
  // No access: QEMU's own trace would show that it is missing.
  const ours = lines.flatMap((line, index) => (line.startsWith('stopwatch_state') ? [index] : []));
  const removed = ours[Math.floor(ours.length / 2)] ?? 0;
  writeFileSync(join(copy, 'events.log'), lines.filter((_, index) => index !== removed).join('\n'));
  const gap = await project.exits(3, ['crosscheck', join(copy, 'events.log')]);
  expect(gap.out).toMatch(/a gap in the sequence: expected seq \d+, got \d+/);
});

test('on a narrow terminal the guest knows its type and size, and follows another one', async () => {
  const shown = new Interactive(onTerminal(project, `stty cols 60 rows 20; exec ${toolOf(project)} run`));
  try {
    await shown.waitFor(/stopwatch:~# /);
    shown.type('echo "type=$TERM"; stty size\r');
    await shown.waitFor(/^type=xterm\n20 60$/m);
    shown.type('resize\r');
    await shown.waitFor(/resize\n/);
    // The guest asks the terminal where its last corner is.
    await sleep(2000);
    shown.type('\u001B[30;100R');
    // Without the host's name: stripping takes the sequence ESC 8 before it for a longer one.
    await shown.waitFor(/:~# $/);
    shown.type('echo "size=$(stty size)"\r');
    await shown.waitFor(/^size=30 100$/m);
    shown.type('poweroff\r');
    await shown.closed;
  } finally {
    shown.child.kill('SIGKILL');
  }
  const rows = shown.output.slice(shown.output.indexOf('Guest        ended')).split('\n');
  expect(rows.find((row) => row.startsWith('Machine'))?.length).toBeLessThanOrEqual(60);
  expect(await left(project)).toEqual([]);
});

test('on a terminal: a prompt, Ctrl-C for the guest, Ctrl-A x, and the terminal as it was', async () => {
  const [before, after] = [join(scratch, 'before'), join(scratch, 'after')];
  rmSync(after, { force: true });
  const line = `stty -a >${before}; ${toolOf(project)} run; echo "code=$?"; stty -a >${after}`;
  const shown = new Interactive(onTerminal(project, line));
  try {
    await shown.waitFor(/stopwatch:~# /);
    shown.type('echo be""gin; sleep 1000\r');
    await shown.waitFor(/^begin$/m);
    shown.type('\u0003');
    await shown.waitFor(/stopwatch:~# /);
    shown.type('echo ended with $?\r');
    await shown.waitFor(/ended with 130/);
    shown.type('\u0001x');
    await shown.waitFor(/code=0/);
    for (let tries = 0; tries < 50 && !existsSync(after); tries++) await sleep(100);
  } finally {
    shown.child.stdin?.end();
    for (const each of project.alive()) {
      if (!existsSync(after)) process.kill(Number(each.split(' ', 1)[0]), 'SIGKILL');
    }
    await shown.closed;
  }
  expect(shown.output).toContain('ended by Ctrl-A x');
  expect(readFileSync(after, 'utf8')).toBe(readFileSync(before, 'utf8'));
  expect(await left(project)).toEqual([]);
});
