// SPDX-License-Identifier: MIT
/** A project of the user's own: the smallest device, then a second one beside it, and no stopwatch in the machine. */
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
import { must, projectIn } from './project.js';

undoEdits();

const { directory, project } = laboratory();
const own = projectIn(join(directory, 'own-devices'), project.env);
const PARTS = ['device', 'driver', 'guest_fs'];

beforeAll(async () => {
  const lamp = join(directory, 'lamp');
  for (const each of [own.directory, lamp]) rmSync(each, { recursive: true, force: true });
  await project.passes(['init', own.directory, '--name', 'led']);
  await project.passes(['init', lamp, '--name', 'lamp']);
  await must('npm', ['install', '--no-audit', '--no-fund'], { cwd: own.directory, env: own.env });
  await must('node_modules/.bin/tsc', [], { cwd: own.directory, env: own.env });
  for (const part of PARTS) {
    cpSync(join(lamp, part, 'lamp'), join(own.directory, part, 'lamp'), { recursive: true });
  }
});

/** Names and results, in the order of the machine. */
function devices(): (readonly (string | null | undefined)[])[] {
  return own
    .lastReport()
    .result.devices.map(({ id, tests: [suite], verdict }) => [id, suite?.result, verdict?.result] as const);
}

test('what `init` makes is small, passes, and has no stopwatch', async () => {
  const files = readdirSync(own.directory, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/node_modules|lamp/.test(entry.parentPath),
  );
  expect(files.filter(({ name }) => name !== 'package-lock.json').length).toBeLessThanOrEqual(13);
  await own.passes(['all']);
  expect(devices()).toEqual([['led', 'pass', 'agree']]);
  const generated = readdirSync(join(own.work, 'build', 'qemu-devices'));
  expect(generated).toContain('led');
  expect(generated).not.toContain('stopwatch');
});

test('a second device is a folder and a word in the list; each has its own verdict', async () => {
  const config = join(own.directory, 'stopwatch.config.ts');
  writeFileSync(
    config,
    "import { defineConfig } from 'stopwatch';\n\nexport default defineConfig({\n  devices: ['led', 'lamp'],\n  vm: { devices: [{ device: 'led' }, { device: 'lamp' }] },\n});\n",
  );
  await own.passes(['all']);
  expect(devices()).toEqual([
    ['led', 'pass', 'agree'],
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
    ['led', 'agree'],
    ['lamp', 'differ'],
  ]);
});

test('what the guest of run --rw changed becomes guest_fs/, and nothing of it is lost', async () => {
  const name = 'led_test.sh';
  const script = join(own.directory, 'guest_fs', 'led', name);
  const before = readFileSync(script, 'utf8');
  const disk = join(own.work, 'vm', 'disk.ext4');
  const typed = async (...lines: readonly string[]): Promise<string> =>
    own.passes(['run', '--rw'], { input: [...lines, 'poweroff', ''].join('\n') });
  try {
    await typed(`echo "# by the guest" >>/usr/bin/${name}`, 'echo new >/usr/bin/new');
    const first = await own.passes(['update_patches']);
    expect(first).toMatch(/guest_fs\/led\/led_test\.sh +changed +the guest's$/m);
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
