// SPDX-License-Identifier: MIT
/** A source tree of the user's own, and a host without a network. */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { CHECKOUT, laboratory } from './laboratory.js';
import { must, tree } from './project.js';

const { project, directory } = laboratory();
const scratch = join(directory, 'sources');
beforeAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  await project.passes(['patch']);
});

test("--source linux=PATH: patches and links in the user's tree, and says so", async () => {
  const own = join(scratch, 'my-linux');
  const released = tree(project, 'linux');
  const at = { cwd: own, env: project.env };
  // What tells a tree of Linux, and what the patches change: as it was released.
  const patches = join(CHECKOUT, 'patches', 'linux');
  const files = readdirSync(patches)
    .sort()
    .map((name) => join(patches, name));
  mkdirSync(own);
  const numbers = await must('git', ['apply', '--numstat', ...files], at);
  const changed = new Set(
    numbers
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[2] ?? ''),
  );
  for (const name of ['Kbuild', ...changed]) {
    cpSync(join(released, name), join(own, name), { preserveTimestamps: true });
  }
  for (const file of files.reverse()) await must('git', ['apply', '-R', file], at);
  const link = join(own, 'drivers/misc/stopwatch');
  const kconfig = () => readFileSync(join(own, 'drivers/misc/Kconfig'), 'utf8');
  expect(kconfig()).not.toContain('stopwatch');

  // The other two are there, patched already.
  const others = ['qemu', 'busybox'].flatMap((name) => ['--source', `${name}=${tree(project, name)}`]);
  const args = ['patch', '--source', `linux=${own}`, ...others, '--workdir', join(scratch, 'work')];
  const out = await project.passes(args);
  const reported = out.split('\n').filter((line) => line.startsWith('linux:patch') && line.includes(own));
  expect(reported.join('\n')).toMatch(/drivers\/misc\/Kconfig/);
  expect(reported.join('\n')).toMatch(/drivers\/misc\/stopwatch/);
  expect(kconfig()).toContain('stopwatch');
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(existsSync(join(scratch, 'work', 'src'))).toBe(false);
  rmSync(scratch, { recursive: true, force: true });
});

test('--source with a directory that is none: exit code 5', async () => {
  const { err } = await project.exits(5, [
    'patch',
    '--source',
    `qemu=${CHECKOUT}`,
    '--workdir',
    join(scratch, 'work'),
  ]);
  expect(err).toContain(`${CHECKOUT} is no source tree of QEMU`);
});

test('--offline with nothing downloaded before: exit code 5, and what is missing', async () => {
  const args = ['all', '--offline', '--workdir', join(scratch, 'offline')];
  const env = { XDG_CACHE_HOME: join(scratch, 'empty') };
  const { err } = await project.exits(5, args, { env });
  for (const source of ['QEMU', 'Linux', 'Busybox'])
    expect(err).toMatch(new RegExp(`Error: .*${source} .*offline`, 'i'));
});
