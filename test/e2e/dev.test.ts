// SPDX-License-Identifier: MIT
/** `dev` on a real terminal and without one: files are saved, and the real QEMU is checked. */
import { cpSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { append, edit, restore } from './edit.js';
import { CHECKOUT, laboratory } from './laboratory.js';
import { left, tree } from './project.js';
import {
  Interactive,
  onTerminal as startOnTerminal,
  withoutTerminal as startWithoutTerminal,
} from './interactive.js';

const { project, scratch } = laboratory();
const main = join(project.package, 'dist/stopwatch.js');
let running: Dev | undefined;
beforeAll(() => project.passes(['all']));
afterEach(async () => {
  restore();
  running?.child.kill('SIGTERM');
  await running?.closed;
  running = undefined;
  expect(await left(project)).toEqual([]);
});

/** A running `dev`. */
class Dev extends Interactive {
  /** The lines of the next verdict. */
  async verdict(): Promise<{ readonly now: string; readonly before: string; readonly all: string }> {
    const all = await this.waitFor(/^Before .*$/m);
    const line = (label: string) => new RegExp(`^${label} +(.*)$`, 'm').exec(all)?.[1] ?? '';
    return { now: line('Now'), before: line('Before'), all };
  }
}

function onTerminal(program = main, args = ''): Dev {
  running = new Dev(startOnTerminal(project, `exec ${process.execPath} ${program} dev ${args}`));
  return running;
}

function withoutTerminal(...args: string[]): Dev {
  running = new Dev(startWithoutTerminal(project, ['dev', ...args]));
  return running;
}

/** The device forgets what had elapsed when it is paused. */
function forgetElapsed(): void {
  edit(
    project.package,
    'device/stopwatch/stopwatch.c',
    '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
    '        s->status = STOPWATCH_STATUS_PAUSED;',
  );
}

test('on a terminal: each save is checked, and the keys do what they say', async () => {
  const dev = onTerminal();
  expect(await dev.waitFor(/Keys: .*q quit/)).toContain('Not the model');
  expect(await dev.verdict()).toMatchObject({
    now: expect.stringMatching(/^✔ passed in .* run again$/),
    before: 'nothing yet',
  });
  dev.type('d');
  await dev.waitFor(/have not differed so far/);

  forgetElapsed();
  const bad = await dev.verdict();
  expect(bad.now).toMatch(
    /^✖ DIFFERS in .* {2}device\/stopwatch\/stopwatch\.c: The device and the model differ at seq \d+, write COMMAND/,
  );
  expect(bad.before).toMatch(/^✔ passed .* run again$/);
  dev.type('d');
  await dev.waitFor(/compared +state\.elapsed/);

  restore();
  const good = await dev.verdict();
  expect(good.now).toMatch(/^✔ passed in .* {2}device\/stopwatch\/stopwatch\.c$/);
  expect(good.before).toMatch(/^✖ DIFFERS /);

  dev.type('s');
  await dev.waitFor(/stopwatch:~# /);
  // Ctrl-C is the guest's now, and so are the other keys.
  dev.type('echo q""rd; sleep 1000\r');
  await dev.waitFor(/^qrd$/m);
  dev.type('\u0003');
  await dev.waitFor(/stopwatch:~# /);
  // A file that is saved meanwhile is pushed to that VM; the verdict waits.
  append(project.package, 'guest_fs/stopwatch/stopwatch_ctrl.sh', 'echo "new in this shell"\n');
  await dev.waitFor(/^\[dev\] Pushed +stopwatch_ctrl: new$/m);
  dev.type('stopwatch_ctrl.sh show\r');
  await dev.waitFor(/^new in this shell$/m);
  dev.type('poweroff\r');
  await dev.waitFor(/Keys: .*q quit/);
  expect((await dev.verdict()).now).toMatch(/guest_fs\/stopwatch\/stopwatch_ctrl\.sh$/);

  dev.type('r');
  expect((await dev.verdict()).now).toMatch(/run again$/);
  dev.type('q');
  expect(await dev.closed).toBe(0);
});

test('Ctrl-C ends it: exit code 130', async () => {
  const dev = onTerminal();
  await dev.verdict();
  dev.type('\u0003');
  await dev.waitFor(/Ended by Ctrl-C/);
  expect(await dev.closed).toBe(130);
});

test('without a terminal: a burst of saves is one run; a save cancels the run in progress', async () => {
  const dev = withoutTerminal();
  await dev.verdict();
  for (let count = 0; count < 5; count++) {
    append(project.package, 'guest_fs/stopwatch/stopwatch_test.sh', `# ${count}\n`);
    append(project.package, 'guest_fs/stopwatch/stopwatch_ctrl.sh', `# ${count}\n`);
  }
  const burst = await dev.verdict();
  expect(burst.now).toMatch(
    /guest_fs\/stopwatch\/stopwatch_ctrl\.sh, guest_fs\/stopwatch\/stopwatch_test\.sh$/,
  );
  expect(burst.all.match(/^Saved: /gm)).toHaveLength(1);
  expect(burst.all).not.toContain('\u001B');

  // A test that would go on for minutes: only the next save ends it.
  edit(
    project.package,
    'guest_fs/stopwatch/stopwatch_test.sh',
    '#!/bin/sh\n',
    '#!/bin/sh\nwhile :; do echo waiting; sleep 1; done\n',
  );
  await dev.waitFor(/^vm:test: .*\.\.\.$/m);
  restore();
  append(project.package, 'guest_fs/base/init.sh', '# more\n');
  const mended = await dev.verdict();
  expect(mended.now).toMatch(
    /^✔ passed in .* {2}guest_fs\/base\/init\.sh, guest_fs\/stopwatch\/stopwatch_ctrl\.sh, guest_fs\/stopwatch\/stopwatch_test\.sh$/,
  );
  expect(mended.before).toMatch(/^✔ passed in .*guest_fs\/stopwatch\/stopwatch_ctrl\.sh/);
  dev.child.kill('SIGTERM');
  expect(await dev.closed).toBe(130);
});

test('a source tree is watched, too', async () => {
  const dev = withoutTerminal();
  await dev.verdict();
  const [, release = ''] = /\/([^/]+)$/.exec(tree(project, 'qemu')) ?? [];
  append(join(project.work, 'src'), `${release}/hw/core/irq.c`, '#error "by hand"\n');
  const bad = await dev.verdict();
  expect(bad.now).toMatch(new RegExp(`^✖ NOT BUILT in .* ${release}/hw/core/irq\\.c: `));
  expect(bad.all).toMatch(/error: #error "by hand"/);
  restore();
  const good = await dev.verdict();
  expect(good.now).toMatch(new RegExp(`^✔ passed in .* {2}${release}/hw/core/irq\\.c$`));
  // What the run itself does in the trees is no save.
  append(project.package, 'guest_fs/stopwatch/stopwatch_ctrl.sh', '# more\n');
  expect((await dev.verdict()).all.match(/^Saved: /gm)).toHaveLength(1);
});

test('a failed build is reported, and then a good one', async () => {
  const dev = withoutTerminal();
  await dev.verdict();
  append(project.package, 'driver/stopwatch/stopwatch_main.c', '#error "not yet"\n');
  const bad = await dev.verdict();
  expect(bad.now).toMatch(/^✖ NOT BUILT in .* driver\/stopwatch\/stopwatch_main\.c: /);
  expect(bad.all).toMatch(/error: #error "not yet"/);
  restore();
  expect((await dev.verdict()).now).toMatch(/^✔ passed/);
});

test('wrong settings are reported; with right ones it goes on', async () => {
  const file = join(project.directory, 'stopwatch.config.json');
  try {
    const dev = withoutTerminal();
    await dev.verdict();
    writeFileSync(file, '{ "vm": { "memoryMiB": 1 } }');
    await dev.waitFor(/vm\.memoryMiB .*got 1[^]*Waiting for the next save/);
    writeFileSync(file, '{ "vm": { "memoryMiB": 160 } }');
    expect((await dev.verdict()).now).toMatch(/^✔ passed/);
  } finally {
    rmSync(file, { force: true });
  }
});

test('in a checkout a change of the model is compiled and used', async () => {
  const checkout = join(scratch, 'checkout');
  rmSync(checkout, { recursive: true, force: true });
  const excluded = new Set(
    ['.git', '.stopwatch', 'node_modules', 'test'].map((name) => join(CHECKOUT, name)),
  );
  cpSync(CHECKOUT, checkout, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !excluded.has(path),
  });
  symlinkSync(join(CHECKOUT, 'node_modules'), join(checkout, 'node_modules'));
  const dev = onTerminal(join(checkout, 'dist/stopwatch.js'), `--workdir ${project.work}`);
  expect(await dev.waitFor(/Keys: .*q quit/)).not.toContain('Not the model');
  await dev.verdict();

  // The other way round: the model takes the elapsed time to be lost at a pause.
  edit(checkout, 'device/stopwatch/model/write.ts', 'zero ? 0n :', "zero || to === 'PAUSED' ? 0n :");
  const other = await dev.verdict();
  // No VM is needed for that.
  expect(other.all).toContain('Compiling the model ...');
  expect(other.all).not.toContain('boot');
  expect(other.now).toMatch(/^✖ DIFFERS in .* {2}device\/stopwatch\/model\/write\.ts: /);
  expect(other.before).toMatch(/^✔ passed/);
  dev.type('d');
  expect(await dev.waitFor(/Before it|events before|compared/)).toMatch(/compared +state\.elapsed/);

  append(checkout, 'device/stopwatch/model/write.ts', 'const wrong: string = 1;\n');
  const wrong = await dev.verdict();
  expect(wrong.now).toMatch(/^✖ NOT BUILT .*does not compile$/);
  expect(wrong.all).toContain('device/stopwatch/model/write.ts');
  restore();
  const good = await dev.verdict();
  expect(good.now).toMatch(/^✔ passed/);
  expect(good.all).toMatch(/Run +not again/);
  // The contract is the driver's as well.
  append(checkout, 'device/stopwatch/contract/contract.ts', '// more\n');
  expect((await dev.verdict()).all).toMatch(/Compiling the TypeScript[^]*Restarting[^]*boot/);
  dev.type('r');
  expect((await dev.verdict()).all).toContain('boot');
  dev.type('q');
  expect(await dev.closed).toBe(0);
  await project.passes(['all']);
});
