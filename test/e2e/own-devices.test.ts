// SPDX-License-Identifier: MIT
/** A project of the user's own, made and changed by docs/own-device.md; then a second device beside it, and no stopwatch in the machine. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { edit, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { type Printed, runCommandsOf } from './page-commands.js';
import { projectIn } from './project.js';

undoEdits();

const { directory, project } = laboratory();
const own = projectIn(join(directory, 'dimmer'), project.env);

beforeAll(() => {
  for (const each of [own.directory, join(directory, 'lamp')]) rmSync(each, { recursive: true, force: true });
});

/** Names and results, in the order of the machine. */
function devices(): (readonly (string | null | undefined)[])[] {
  return own
    .lastReport()
    .result.devices.map(({ id, tests: [suite], verdict }) => [id, suite?.result, verdict?.result] as const);
}

/** What some of the commands must print. */
const EXPECTED: Printed = [
  [/stopwatch all$/, /^(?:.*: )?Guest test +passed/m],
  [/stopwatch all$/, /The device and the model agree/],
  [/\|\| test \$\? = 3$/, /read COUNT/],
  [/bench --check$/, /value/],
];

test('docs/own-device.md: every command and every change on it do what it says', async () => {
  await runCommandsOf('docs/own-device.md', project, { printed: EXPECTED });
  expect(devices()).toEqual([
    ['dimmer', 'pass', 'agree'],
    ['second', 'pass', 'agree'],
    ['virtio-rng', 'pass', undefined],
  ]);
  const generated = readdirSync(join(own.work, 'build', 'qemu-devices'));
  expect(generated).toContain('dimmer');
  expect(generated).not.toContain('stopwatch');
});

test('a second device is a folder and a word in the list; each has its own verdict', async () => {
  const lamp = join(directory, 'lamp');
  await project.passes(['init', lamp]);
  for (const part of ['device', 'driver', 'guest_fs'])
    cpSync(join(lamp, part, 'lamp'), join(own.directory, part, 'lamp'), { recursive: true });
  const config = join(own.directory, 'stopwatch.config.ts');
  writeFileSync(
    config,
    "import { defineConfig } from 'stopwatch';\n\nexport default defineConfig({\n  devices: ['dimmer', 'lamp'],\n  vm: { devices: [{ device: 'dimmer' }, { device: 'lamp' }] },\n});\n",
  );
  await own.passes(['all']);
  expect(devices()).toEqual([
    ['dimmer', 'pass', 'agree'],
    ['lamp', 'pass', 'agree'],
  ]);
  const file = 'device/lamp/lamp.c';
  edit(
    own.directory,
    file,
    's->value = value & LAMP_VALUE_MAX;',
    's->value = value & (LAMP_VALUE_MAX >> 1);',
  );
  await own.exits(3, ['run-test-quit']);
  expect(devices().map(([id, , verdict]) => [id, verdict])).toEqual([
    ['dimmer', 'agree'],
    ['lamp', 'differ'],
  ]);
});

test('what the guest of run --rw changed becomes guest_fs/, and nothing of it is lost', async () => {
  const name = 'dimmer_test.sh';
  const script = join(own.directory, 'guest_fs', 'dimmer', name);
  const before = readFileSync(script, 'utf8');
  const disk = join(own.work, 'vm', 'disk.ext4');
  const typed = async (...lines: readonly string[]): Promise<string> =>
    own.passes(['run', '--rw'], { input: [...lines, 'poweroff', ''].join('\n') });
  try {
    await typed(`echo "# by the guest" >>/usr/bin/${name}`, 'echo new >/usr/bin/new');
    const first = await own.passes(['update_patches']);
    expect(first).toMatch(/guest_fs\/dimmer\/dimmer_test\.sh +changed +the guest's$/m);
    expect(first).toContain('/usr/bin/new is new in the guest. To keep it');
    expect(readFileSync(script, 'utf8')).toBe(`${before}# by the guest\n`);
    expect(statSync(script).mode & 0o777).toBe(0o755);
    expect(await own.passes(['update_patches'])).toContain('Nothing to write');

    // Changed there, then here: the disk is brought up to date, but not over the guest's edit.
    await typed(`echo "# again" >>/usr/bin/${name}`);
    appendFileSync(script, '# here\n');
    expect(await typed(`tail -n 1 /usr/bin/${name}`)).toMatch(/^# again/m);
    const { err } = await own.exits(5, ['update_patches']);
    expect(err).toContain('changed in the guest and here, each in its own way');
    expect(err).toMatch(/^ +-# here\n +\+# again$/m);
    expect(readFileSync(script, 'utf8')).toContain('# here');
    const clean = await own.exits(2, ['clean', '--builds']);
    expect(clean.err).toContain('what the guest of `run --rw` wrote');
  } finally {
    writeFileSync(script, before);
    if (existsSync(disk)) rmSync(disk);
  }
});
