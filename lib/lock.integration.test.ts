// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { ROOT, type Sandbox, test, until } from '../test/support/sandbox.js';
import { withLock } from './lock.js';
import type { Child } from './process/process.js';

/** Another process that holds the lock until it is ended. */
async function holder(sandbox: Sandbox, lock: string): Promise<Child> {
  const program = sandbox.write(
    'hold.ts',
    `import { withLock } from '${ROOT}lib/lock.ts';
     await withLock(process.argv[2]!, { signal: new AbortController().signal, describe: 'holding on' }, async () => {
       console.log('held');
       await new Promise(() => setInterval(() => {}, 1000));
     });`,
  );
  const args = [`${ROOT}node_modules/jiti/lib/jiti-cli.mjs`, program, lock];
  const child = await sandbox.processes.spawn({ file: process.execPath, args, env: sandbox.env }, sandbox);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

test('keeps two users of one process apart, and passes on what they give or throw', async ({ sandbox }) => {
  const order: string[] = [];
  const use = (name: string) =>
    withLock(sandbox.path('d/lock'), sandbox, async () => {
      order.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push(`${name} out`);
      if (name === 'b') throw new Error('from b');
      return name;
    });
  const results = await Promise.allSettled([use('a'), use('b'), use('c')]);
  expect(results).toMatchObject([{ value: 'a' }, { reason: { message: 'from b' } }, { value: 'c' }]);
  for (let at = 0; at < 6; at += 2) expect(order[at]?.slice(0, 1)).toBe(order[at + 1]?.slice(0, 1));
});

test('says who holds it; waiting ends when the holder is killed', async ({ sandbox }) => {
  const lock = sandbox.path('lock');
  const other = await holder(sandbox, lock);
  const refused = withLock(lock, { ...sandbox, wait: false }, async () => 'never');
  await expect(refused).rejects.toMatchObject({
    code: 'locked',
    message: expect.stringMatching(
      new RegExp(`${lock} is locked by process ${other.pid} \\(holding on\\), since 20`),
    ),
  });
  const waiting: string[] = [];
  const got = withLock(lock, { ...sandbox, onWaiting: (who) => waiting.push(who) }, async () => 'got it');
  await until(() => waiting.length > 0);
  expect(waiting[0]).toContain(`process ${other.pid} (holding on)`);
  other.kill('SIGKILL');
  expect(await got).toBe('got it');
});

test('what others read of the holder has no password', async ({ sandbox }) => {
  const lock = sandbox.path('lock');
  const describe = 'update --source qemu=https://ann:secret@mirror/qemu.tar.xz';
  await withLock(lock, { ...sandbox, describe }, async () => {
    expect(readFileSync(lock, 'utf8')).toContain('qemu=https://…@mirror/qemu.tar.xz');
  });
});

test('a child that outlives its holder does not keep the lock', async ({ sandbox }) => {
  const lock = sandbox.path('lock');
  let child: Child | undefined;
  await withLock(lock, sandbox, async () => {
    child = await sandbox.processes.spawn({ file: 'sleep', args: ['100'], env: sandbox.env }, sandbox);
  });
  expect(await withLock(lock, { ...sandbox, wait: false }, async () => 'free')).toBe('free');
  await child?.end();
});

test('waiting can be interrupted', async ({ sandbox }) => {
  const lock = sandbox.path('lock');
  await holder(sandbox, lock);
  const abort = new AbortController();
  const waiting = withLock(
    lock,
    { signal: abort.signal, onWaiting: () => abort.abort() },
    async () => 'never',
  );
  await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
});

test('a missing flock and a place that cannot be written are explained', async ({ sandbox }) => {
  const path = process.env['PATH'];
  mkdirSync(sandbox.path('empty'));
  process.env['PATH'] = sandbox.path('empty');
  try {
    await expect(withLock(sandbox.path('lock'), sandbox, async () => 1)).rejects.toMatchObject({
      code: 'host-package-missing',
      hint: expect.stringContaining('util-linux'),
    });
  } finally {
    process.env['PATH'] = path;
  }
  writeFileSync(sandbox.path('file'), '');
  chmodSync(sandbox.path('file'), 0o444);
  await expect(withLock(sandbox.path('file/lock'), sandbox, async () => 1)).rejects.toMatchObject({
    code: 'permission-denied',
    message: expect.stringContaining(sandbox.path('file/lock')),
  });
});

test('a file system without locks is not a lock that another process holds', async ({ sandbox }) => {
  const path = process.env['PATH'];
  chmodSync(
    sandbox.write('bin/flock', '#!/bin/sh\necho "flock: 3: No locks available" >&2\nexit 71\n'),
    0o755,
  );
  process.env['PATH'] = `${sandbox.path('bin')}:${path}`;
  try {
    await expect(
      withLock(sandbox.path('lock'), { ...sandbox, wait: false }, async () => 1),
    ).rejects.toMatchObject({
      code: 'lock-failed',
      message: expect.stringContaining('No locks available'),
    });
  } finally {
    process.env['PATH'] = path;
  }
});
