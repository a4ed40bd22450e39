// SPDX-License-Identifier: MIT
/** A real ext4 image, filled and changed by debugfs as a guest would, and what is found of it. */
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { type Sandbox, test } from '../../../test/support/sandbox.js';
import { guestEdits, readDisk, readWritten, recordWritten, sumOf } from './guest-edits.js';

const GUEST = [
  { file: 'guest_fs/base/init.sh', path: '/init', mode: 0o755 },
  { file: 'guest_fs/both.sh', path: '/etc/one', mode: 0o644 },
  { file: 'guest_fs/both.sh', path: '/etc/two', mode: 0o644 },
];

const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;

function debugfs(sandbox: Sandbox, ...commands: readonly string[]): void {
  const script = sandbox.write('script', commands.map((command) => `${command}\n`).join(''));
  execFileSync('debugfs', ['-w', '-f', script, sandbox.path('disk')], { env: { PATH }, stdio: 'ignore' });
}

/** Writes a file of the disk anew. */
function put(sandbox: Sandbox, path: string, content: string, mode = 0o755): void {
  const from = sandbox.write('content', content);
  debugfs(
    sandbox,
    `rm "${path}"`,
    `write ${from} "${path}"`,
    `set_inode_field "${path}" mode 0${(0o100000 | mode).toString(8)}`,
  );
}

async function madeDisk(sandbox: Sandbox): Promise<void> {
  sandbox.write('disk', '');
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', sandbox.path('disk'), '16M'], { env: { PATH } });
  debugfs(sandbox, 'mkdir /etc', 'mkdir /dev', 'mkdir "/etc/a b"', 'symlink /sbin /init');
  put(sandbox, '/init', 'init\n');
  put(sandbox, '/etc/one', 'both\n', 0o644);
  put(sandbox, '/etc/two', 'both\n', 0o644);
  const written = { '/init': 'init\n', '/etc/one': 'both\n', '/etc/two': 'both\n' };
  const sums = Object.entries(written).map(([path, text]) => [path, sumOf(Buffer.from(text))]);
  await recordWritten(sandbox.path('disk'), Object.fromEntries(sums));
}

const deps = (sandbox: Sandbox) => ({
  processes: sandbox.processes,
  signal: sandbox.signal,
  env: { ...sandbox.env, PATH },
});

/** What would be done, in words. */
async function found(sandbox: Sandbox, here: Readonly<Record<string, string>>): Promise<string[]> {
  const disk = sandbox.path('disk');
  const known = GUEST.map(({ path }) => path);
  const { paths, contents } = await readDisk(disk, known, deps(sandbox));
  const files = new Map(Object.entries(here).map(([file, text]) => [file, Buffer.from(text)]));
  const edits = guestEdits(GUEST, readWritten(disk), contents, files);
  return [
    ...edits.map(
      ({ conflict, file, content }) => `${conflict ? 'conflict' : 'take'} ${file}: ${content.toString()}`,
    ),
    ...paths.filter((path) => !known.includes(path)).map((path) => `new ${path}`),
  ];
}

const HERE = { 'guest_fs/base/init.sh': 'init\n', 'guest_fs/both.sh': 'both\n' };

test('a disk as it was made has no changes, and nothing is left beside it', async ({ sandbox }) => {
  await madeDisk(sandbox);
  expect(await found(sandbox, HERE)).toEqual([]);
  expect(readdirSync(sandbox.dir).filter((name) => name.startsWith('disk.read-'))).toEqual([]);
});

test('what the guest changed is taken, also where one file is in two places', async ({ sandbox }) => {
  await madeDisk(sandbox);
  put(sandbox, '/etc/two', 'changed\n', 0o644);
  put(sandbox, '/init', 'init\nmore\n');
  expect(await found(sandbox, HERE)).toEqual([
    'take guest_fs/base/init.sh: init\nmore\n',
    'take guest_fs/both.sh: changed\n',
  ]);
  // It is here already.
  expect(await found(sandbox, { ...HERE, 'guest_fs/base/init.sh': 'init\nmore\n' })).toEqual([
    'take guest_fs/both.sh: changed\n',
  ]);
});

test('a change here alone is no change of the guest', async ({ sandbox }) => {
  await madeDisk(sandbox);
  expect(await found(sandbox, { ...HERE, 'guest_fs/base/init.sh': 'other\n' })).toEqual([]);
});

test('both sides, or two places of the guest, in different ways: a conflict', async ({ sandbox }) => {
  await madeDisk(sandbox);
  put(sandbox, '/init', "the guest's\n");
  expect(await found(sandbox, { ...HERE, 'guest_fs/base/init.sh': 'ours\n' })).toEqual([
    "conflict guest_fs/base/init.sh: the guest's\n",
  ]);
  put(sandbox, '/init', 'init\n');
  put(sandbox, '/etc/one', 'this\n', 0o644);
  put(sandbox, '/etc/two', 'that\n', 0o644);
  expect(await found(sandbox, HERE)).toEqual([
    'take guest_fs/both.sh: this\n',
    'conflict guest_fs/both.sh: that\n',
  ]);
});

test('new files are named, but for what is mounted over or of no value', async ({ sandbox }) => {
  await madeDisk(sandbox);
  debugfs(sandbox, 'rm /etc/one');
  put(sandbox, '/etc/a b/new file', 'x');
  put(sandbox, '/dev/passing', 'x');
  put(sandbox, '/.ash_history', 'x');
  expect(await found(sandbox, HERE)).toEqual(['new /etc/a b/new file']);
});

test('a disk without a record of what was written: what differs may be of either side', async ({
  sandbox,
}) => {
  await madeDisk(sandbox);
  rmSync(`${sandbox.path('disk')}.written.json`);
  put(sandbox, '/init', "the guest's\n");
  expect(await found(sandbox, HERE)).toEqual(["conflict guest_fs/base/init.sh: the guest's\n"]);
});
