// SPDX-License-Identifier: MIT
/** New files for a running guest: `run --serve`, `push`, and network_update.sh there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { append, edit, restore } from './edit.js';
import { laboratory } from './laboratory.js';
import { type Ended, left } from './project.js';
import { Interactive, runOnTerminal, withoutTerminal } from './interactive.js';

const { project } = laboratory();
let running: Interactive | undefined;
beforeAll(() => project.passes(['all']));
afterEach(async () => {
  restore();
  running?.child.kill('SIGTERM');
  await running?.closed;
  running = undefined;
  expect(await left(project)).toEqual([]);
});

/** A VM that takes new files, without a terminal; its time stands still between them. */
async function serve(...args: string[]): Promise<Interactive> {
  running = new Interactive(withoutTerminal(project, ['run', '--serve', ...args]));
  await running.waitFor(/stopwatch:~# $/);
  return running;
}

async function push(...args: string[]): Promise<Ended> {
  return project.stopwatch(['push', ...args]);
}

async function pushes(...args: string[]): Promise<string> {
  const { code, out, err } = await push(...args);
  expect(code, out + err).toBe(0);
  return out;
}

/** The next module says this on the console when it is loaded. */
function saysWhenLoaded(what: string, result = ''): void {
  edit(
    project.package,
    'driver/stopwatch/stopwatch_main.c',
    '\tstopwatch_loaded = true;\n',
    `\tpr_warn("${what}\\n");\n${result}\tstopwatch_loaded = true;\n`,
  );
}

test('scripts and the module get into the running guest, and its test runs there', async () => {
  const vm = await serve();
  expect(await pushes()).toMatch(
    /^Pushed +stopwatch_test: same$[^]*^Pushed +stopwatch_module: new, loaded$/m,
  );

  saysWhenLoaded('fresh from the press');
  append(project.package, 'guest_fs/stopwatch/stopwatch_ctrl.sh', '# more\n');
  const out = await pushes('--test');
  expect(out).toMatch(/^Pushed +stopwatch_ctrl: new$/m);
  expect(out).toMatch(/^Guest test +stopwatch: \d+ ok, 0 not ok, 0 skipped$/m);
  await vm.waitFor(/fresh from the press/);

  // The exit code is the test's.
  edit(
    project.package,
    'guest_fs/stopwatch/stopwatch_test.sh',
    "'0.00 seconds'\n\tnap",
    "'0.01 seconds'\n\tnap",
  );
  const failed = await push('stopwatch_test', '--test');
  expect(failed.code).toBe(1);
  expect(failed.err).toMatch(
    /'stopwatch: resetting' failed[^]*expected '0\.01 seconds', got '0\.00 seconds'/,
  );

  // One that hangs is ended, and does not stand in the way of the next.
  restore();
  edit(
    project.package,
    'guest_fs/stopwatch/stopwatch_test.sh',
    '#!/bin/sh\n',
    '#!/bin/sh\nwhile :; do sleep 1; done\n',
  );
  const hung = await project.exits(4, ['push', 'stopwatch_test', '--test'], {
    env: { STOPWATCH_VM_SILENCE_SECONDS: '2' },
  });
  expect(hung.err).toContain('printed nothing for 2 s');
  restore();
  await pushes('--test');
});

test('a module that cannot be loaded leaves the old one, file and all', async () => {
  const vm = await serve();
  saysWhenLoaded('stillborn', '\tif (!stopwatch_debugfs)\n\t\treturn -EINVAL;\n');
  const refused = await push('stopwatch_module');
  expect(refused.code).toBe(4);
  expect(refused.err).toMatch(/did not take stopwatch_module: .*[Ii]nvalid argument/);
  await vm.waitFor(/stillborn/);
  // Reloads it from its file, ten times.
  expect(await pushes('stopwatch_test', '--test')).toMatch(/0 not ok/);
});

test('what is no name, and what does not build, gets nowhere near the guest', async () => {
  await serve();
  const unknown = await push('stopwatch_tes');
  expect(unknown.code).toBe(2);
  expect(unknown.err).toMatch(/did you mean 'stopwatch_test'/);
  append(project.package, 'driver/stopwatch/stopwatch_main.c', '#error "not yet"\n');
  const unbuilt = await push('stopwatch_module', '--test');
  expect(unbuilt.code).toBe(5);
  expect(unbuilt.err).toContain('#error "not yet"');
  restore();
  await pushes('--test');
});

test('nothing serves: said so, whatever a killed VM has left; and one VM serves a work directory', async () => {
  const unserved = await push();
  expect(unserved.code).toBe(4);
  expect(unserved.err).toMatch(/No VM of .* takes new files[^]*run --serve/);

  const killed = await serve();
  killed.child.kill('SIGKILL');
  await killed.closed;
  expect(existsSync(join(project.work, 'run/serve.json'))).toBe(true);
  expect((await push()).err).toContain('takes new files');

  await serve();
  const second = await project.exits(5, ['run', '--serve']);
  expect(second.err).toMatch(/Another VM of .* serves already: .* process \d+/);
  await pushes('stopwatch_ctrl');
});

test('push is killed while the test runs: the next one is served', async () => {
  const vm = await serve();
  saysWhenLoaded('loaded once more');
  const { child, ended } = project.start(['push', '--test']);
  await vm.waitFor(/loaded once more/);
  child.kill('SIGKILL');
  await ended;
  expect(await pushes('--test')).toMatch(/0 not ok/);
});

test('on a terminal: network_update.sh asks the host, which builds', async () => {
  running = runOnTerminal(project, 'run --serve');
  const vm = running;
  await vm.waitFor(/stopwatch:~# $/);
  saysWhenLoaded('asked for');
  append(project.package, 'guest_fs/stopwatch/stopwatch_ctrl.sh', 'echo "changed on the host"\n');
  vm.type('network_update.sh stopwatch_ctrl stopwatch_test stopwatch_module; echo "status $?"\r');
  expect(await vm.waitFor(/^status \d+$/m)).toMatch(
    /^stopwatch_ctrl: new\nstopwatch_test: same\n[^]*asked for\n[^]*^stopwatch_module: new, loaded\nstatus 0$/m,
  );
  vm.type('stopwatch_ctrl.sh show\r');
  await vm.waitFor(/^changed on the host$/m);
  vm.type('network_update.sh stopwatch_tset; echo "status $?"\r');
  expect(await vm.waitFor(/^status \d+$/m)).toMatch(
    /^stopwatch_tset: .*did you mean 'stopwatch_test'\?\nstatus 1$/m,
  );
  // From the host as well; the guest's clock is the host's here, and its test takes its time.
  expect(await pushes('stopwatch_test', '--test')).toMatch(/0 not ok/);
  vm.type('poweroff\r');
  expect(await vm.closed).toBe(0);
});

test('without --serve the guest says so', async () => {
  const input = 'network_update.sh stopwatch_test; echo "status $?"\n';
  const { out } = await project.stopwatch(['run'], { input });
  expect(out.replaceAll('\r', '')).toMatch(/was started without --serve\nstatus 1$/m);
});
