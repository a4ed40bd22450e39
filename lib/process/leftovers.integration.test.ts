// SPDX-License-Identifier: MIT
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { type Sandbox, test, until } from '../../test/support/sandbox.js';
import { groupMembers } from './group.js';
import { bootId, endLeftovers, recordGroups } from './leftovers.js';

const FAMILY = { file: 'sh', args: ['-c', 'sleep 1000 & sleep 1000'] } as const;

/** Starts a group of two that nobody looks after; gives its leader. */
async function orphans(sandbox: Sandbox, env: Readonly<Record<string, string>>): Promise<number> {
  const script = 'sleep 1000 & echo "$$ $!" >pids.new; mv pids.new pids; exec sleep 1000';
  rmSync(sandbox.path('pids'), { force: true });
  const args = ['--fork', 'sh', '-c', `exec >/dev/null 2>&1; ${script}`];
  await sandbox.processes.run({ file: 'setsid', args, cwd: sandbox.dir, env }, sandbox);
  await until(() => existsSync(sandbox.path('pids')));
  return Number(sandbox.read('pids').split(' ')[0]);
}

test('a group is recorded while it lives', async ({ sandbox }) => {
  const record = recordGroups(sandbox.processes, sandbox.path('groups'));
  const child = await record.processes.spawn({ ...FAMILY, env: sandbox.env }, sandbox);
  expect(readdirSync(sandbox.path('groups'))).toEqual([String(child.pid)]);
  await child.end();
  await child.exited;
  await record.close();
  expect(readdirSync(sandbox.path('groups'))).toEqual([]);
});

test('what is left of a group whose leader is gone is ended; strangers are not', async ({ sandbox }) => {
  const mark = 'our-own-mark';
  const ours = await orphans(sandbox, { ...sandbox.env, STOPWATCH_GROUP: mark });
  const strangers = await orphans(sandbox, sandbox.env);
  sandbox.write(`groups/${ours}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  sandbox.write(`groups/${strangers}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  sandbox.write('groups/4194304', JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  sandbox.write('groups/1', '{}');
  sandbox.write('groups/cut-off', '{"ma');
  // The leaders' numbers are in use by processes that started at another time: not ours, whatever the mark.
  expect(await endLeftovers(sandbox.path('groups'))).toEqual([]);
  expect(readdirSync(sandbox.path('groups'))).toEqual([]);
  process.kill(ours, 'SIGKILL');
  process.kill(strangers, 'SIGKILL');
  sandbox.write(`groups/${ours}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  sandbox.write(`groups/${strangers}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  await until(() => !existsSync(`/proc/${ours}`) && !existsSync(`/proc/${strangers}`));
  expect(await endLeftovers(sandbox.path('groups'))).toEqual([ours]);
  expect(groupMembers(ours)).toEqual([]);
});

test('a record of another boot ends nothing', async ({ sandbox }) => {
  const child = await sandbox.processes.spawn({ ...FAMILY, env: sandbox.env }, sandbox);
  const startTime = groupMembers(child.pid)?.find(({ pid }) => pid === child.pid)?.startTime;
  sandbox.write(`groups/${child.pid}`, JSON.stringify({ mark: 'm', bootId: 'another', startTime }));
  expect(await endLeftovers(sandbox.path('groups'))).toEqual([]);
  sandbox.write(`groups/${child.pid}`, JSON.stringify({ mark: 'm', bootId: bootId(), startTime }));
  expect(await endLeftovers(sandbox.path('groups'))).toEqual([child.pid]);
  expect(sandbox.alive()).toEqual([]);
});
