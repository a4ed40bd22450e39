// SPDX-License-Identifier: MIT
/** A source tree of the user's own, and a host without a network. */
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
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

/** What tells a tree of Linux, and what the patches change, as it was released; in a repository. */
async function ownLinux(): Promise<string> {
  const own = join(scratch, 'my-linux');
  const released = tree(project, 'linux');
  const from = { cwd: released, env: project.env };
  const base = (await must('git', ['rev-list', '--max-parents=0', 'HEAD'], from)).trim();
  const changed = await must('git', ['diff', '--name-only', '--diff-filter=M', base, 'HEAD'], from);
  for (const name of ['Kbuild', ...changed.trim().split('\n')]) {
    mkdirSync(dirname(join(own, name)), { recursive: true });
    writeFileSync(join(own, name), await must('git', ['show', `${base}:${name}`], from));
  }
  const at = { cwd: own, env: project.env };
  await must('git', ['init', '-q'], at);
  await must('git', ['add', '-A'], at);
  return own;
}

/** Of everything in a directory, its repository too. */
const listing = async (top: string) =>
  must('find', ['.', '-printf', '%p %y %m %s %T@ %C@ %l\\n'], { cwd: top, env: project.env });

test('--source linux=PATH: a copy is patched and follows later edits; PATH is only read', async () => {
  const own = await ownLinux();
  const before = await listing(own);
  const out = await project.passes(['patch', '--source', `linux=${own}`]);
  expect(out).toContain(`${own} is copied to `);
  const copy = /is copied to ([^\s,]+)/.exec(out)?.[1] ?? '';
  expect(readFileSync(join(copy, 'drivers/misc/Makefile'), 'utf8')).toContain('PV_DRIVERS');
  expect(lstatSync(join(copy, 'drivers/misc/pv')).isSymbolicLink()).toBe(true);
  expect(await listing(own)).toBe(before);
  appendFileSync(join(own, 'Kbuild'), '# edited\n');
  await project.passes(['patch', '--source', `linux=${own}`]);
  expect(readFileSync(join(copy, 'Kbuild'), 'utf8')).toMatch(/# edited\n$/);
  rmSync(copy, { recursive: true });
});

test('--source-in-place: PATH itself is patched, which is said, and patch --undo takes that back', async () => {
  const own = await ownLinux();
  const args = ['--source', `linux=${own}`, '--source-in-place'];
  const status = async () => must('git', ['status', '--porcelain'], { cwd: own, env: project.env });
  const before = await status();
  const out = await project.passes(['patch', ...args]);
  const reported = out.split('\n').filter((line) => line.startsWith('linux:patch') && line.includes(own));
  expect(reported.join('\n')).toMatch(/drivers\/misc\/Makefile.*drivers\/misc\/pv/);
  expect(readFileSync(join(own, 'drivers/misc/Makefile'), 'utf8')).toContain('PV_DRIVERS');
  expect(lstatSync(join(own, 'drivers/misc/pv')).isSymbolicLink()).toBe(true);
  await project.passes(['patch', '--undo', ...args]);
  expect(await status()).toBe(before);
  expect(readdirSync(join(project.work, 'state', 'in-place'))).toEqual([]);
  await project.passes(['patch']);
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
