// SPDX-License-Identifier: MIT
/** A recorded execution runs again, the same to the last byte, and can be stopped before any of its events. */
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { edit, restore, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { left, start } from './project.js';

undoEdits();

const { project } = laboratory();

/** The events of the last run, without QEMU's addresses and the time at which it was asked to end. */
function lastEvents(): string {
  return readFileSync(project.lastRun('events.log'), 'latin1')
    .replaceAll(/mr 0x[0-9a-f]+/g, 'mr')
    .replace(/ now=\d+\n$/, '');
}

test.each([['icount'], ['realtime']])('a run that passed, by the clock %s: the same again', async (clock) => {
  const more = clock === 'realtime' ? ['--realtime'] : [];
  const out = await project.passes(['run-test-quit', '--record', ...more]);
  const { result, host } = project.lastReport();
  expect(result.guest.clock).toBe(clock);
  expect(out).toContain(`npx stopwatch replay ${host.runId}`);
  const recorded = lastEvents();
  const console = readFileSync(project.lastRun('console.log'), 'latin1');

  const replay = await project.exits(0, ['replay']);
  expect(replay.out).toContain(`events and console are those of ${host.files['directory']}`);
  expect(project.lastReport().host.runId).not.toBe(host.runId);
  expect(lastEvents()).toBe(recorded);
  expect(readFileSync(project.lastRun('console.log'), 'latin1')).toBe(console);
  expect(project.lastReport().result.devices).toEqual(result.devices);
});

test('a replay that is not the recording is found out', async () => {
  const { runId } = project.lastReport().host;
  // The newest recording is the run before; one line more in its stream was never made.
  await project.passes(['run-test-quit', '--record']);
  expect(project.lastReport().host.runId).not.toBe(runId);
  const events = project.lastRun('events.log');
  const { length } = readFileSync(events, 'latin1').split('\n');
  appendFileSync(events, 'stopwatch: never made\n');
  const replay = await project.exits(3, ['replay']);
  expect(replay.err).toContain(`line ${length} of`);
  expect(replay.err).toContain("expected 'stopwatch: never made', got ''");
});

test('what was recorded and is no longer so is refused', async () => {
  await project.passes(['run-test-quit', '--record']);
  const { runId, files } = project.lastReport().host;
  const recording = join(files['directory'] ?? '', 'recording');
  const refused = async (why: RegExp): Promise<void> => {
    const { err } = await project.exits(5, ['replay', runId]);
    expect(err).toMatch(why);
    expect(err).toContain('run-test-quit --record');
  };
  const kernel = readFileSync(join(recording, 'Image'));
  truncateSync(join(recording, 'Image'), 1_000_000);
  await refused(/Image is not the one that was recorded: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}/);
  writeFileSync(join(recording, 'Image'), kernel);

  const log = readFileSync(join(recording, 'replay.log'));
  writeFileSync(join(recording, 'replay.log'), Buffer.concat([Buffer.alloc(4), log.subarray(4)]));
  await refused(/replay\.log has no end/);
  writeFileSync(join(recording, 'replay.log'), log);

  await project.passes(['replay', runId]);

  await project.passes(['run-test-quit']);
  const { err } = await project.exits(5, ['replay', project.lastReport().host.runId]);
  expect(err).toContain('the run was not recorded');
});

test('what QEMU cannot record is refused before anything is done', async () => {
  for (const [args, why] of [
    [['--rootfs', 'ext4'], 'vm.clock is icount'],
    [['--realtime', '--accel', 'kvm'], 'vm.accelerator is kvm'],
  ] as const) {
    const { err } = await project.exits(2, ['run-test-quit', '--record', ...args]);
    expect(err).toContain(why);
  }
});

test('a divergence, recorded live, comes again at the same event, after the fault is mended, and gdb stops there', async () => {
  edit(
    project.package,
    'device/stopwatch/stopwatch.c',
    '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
    '        s->status = STOPWATCH_STATUS_PAUSED;',
  );
  await project.exits(3, ['run-test-quit', '--record']);
  const { result, host } = project.lastReport();
  const found = project.lastDevice().verdict?.divergence;
  expect(found?.field).toBe('state.elapsed');
  const recorded = lastEvents();

  restore();
  await project.passes(['run-test-quit']);

  const replay = await project.exits(3, ['replay', host.runId]);
  expect(replay.err).toContain(`at seq ${found?.seq}, ${found?.access}`);
  expect(replay.out).toContain('since then QEMU changed');
  expect(lastEvents()).toBe(recorded);
  expect(project.lastReport().result.guest.outcome).toBe(result.guest.outcome);
  expect(project.lastDevice().verdict?.divergence?.states).toEqual(found?.states);

  // The event is the state after a write of PAUSE: the instruction is a store, and what it stores is that number.
  let shown = '';
  const { child, ended } = project.start(['replay', host.runId, '--gdb'], {
    onOutput: (soFar) => {
      shown = soFar;
    },
  });
  try {
    for (let tries = 0; tries < 1200 && !shown.includes('gdb -q -p'); tries++) await sleep(100);
    expect(shown).toMatch(
      new RegExp(`next one makes event ${found?.seq}:\n  stopwatch_\\w+ id=stopwatch seq=${found?.seq} `),
    );
    const [, attach = ''] = /To attach:\n {2}(\S.*)\n/.exec(shown) ?? [];
    // QEMU's own debugger waits in the device's write handler.
    const [, attachToQemu = ''] = /in the device, .*:\n {2}(\S.*)\n/.exec(shown) ?? [];
    let inQemu = '';
    const qemu = start(
      'bash',
      [
        '-c',
        `${attachToQemu} -batch -ex bt ${process.arch === 'x64' ? "-ex 'info registers rdx'" : ''} -ex detach`,
      ],
      {
        cwd: project.directory,
        env: project.env,
        onOutput: (soFar) => {
          inQemu = soFar;
        },
      },
    );
    for (let tries = 0; tries < 600 && !inQemu.includes('Breakpoint 1 at'); tries++) await sleep(100);
    const commands = ['set confirm off', 'x/i $pc', 'stepi', 'x/i $pc', 'info registers', 'kill'];
    const script = `${attach} -batch ${commands.map((one) => `-ex '${one}'`).join(' ')}`;
    // The machine is gone before gdb has said goodbye on the socket, which it calls an error.
    const { out: said } = await start('bash', ['-c', script], { cwd: project.directory, env: project.env })
      .ended;
    const [, source = '', target = ''] = /=> 0x[0-9a-f]+:\tstr\t(x\d+), \[(x\d+)[^\]]*\]/.exec(said) ?? [];
    const value = (register: string) =>
      BigInt(new RegExp(`^${register} +(0x[0-9a-f]+)`, 'm').exec(said)?.[1] ?? -1);
    expect(value(source), said).toBe(2n);
    // `regs` is mapped a page at a time, and COMMAND is its first register.
    expect(value(target) % 4096n, said).toBe(0n);
    const stopped = await qemu.ended;
    expect(stopped.out, stopped.err).toMatch(/^#0 .* stopwatch_write \(/m);
    // The third argument of a function on x86-64: the value that is written.
    if (process.arch === 'x64') expect(stopped.out).toMatch(/^rdx +0x2 /m);
    const { code, out, err } = await ended;
    expect(code, out + err).toBe(0);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  expect(await left(project)).toEqual([]);
});

test('--gdb asks for an event where there was no divergence, and knows the ones that there are', async () => {
  await project.passes(['run-test-quit', '--record']);
  for (const [args, why] of [
    [['--gdb'], /has no divergence before which --gdb could stop/],
    [['--gdb', '--at', '1000000'], /There is no event 1000000 of stopwatch in .*: the last one is \d+/],
    [['--at', '5'], /--gdb was not given/],
  ] as const) {
    const { err } = await project.exits(2, ['replay', ...args]);
    expect(err).toMatch(why);
  }
});
