// SPDX-License-Identifier: MIT
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { type Rig, test, until } from '../../test/rig.js';
import { groupMembers } from './group.js';
import { bootId, endLeftovers, recordGroups } from './leftovers.js';

const FAMILY = { file: 'sh', args: ['-c', 'sleep 1000 & sleep 1000'] } as const;

/** Starts a group of two that nobody looks after; gives its leader. */
async function orphans(rig: Rig, env: Readonly<Record<string, string>>): Promise<number> {
  const script = 'sleep 1000 & echo "$$ $!" >pids.new; mv pids.new pids; exec sleep 1000';
  rmSync(rig.path('pids'), { force: true });
  const args = ['--fork', 'sh', '-c', `exec >/dev/null 2>&1; ${script}`];
  await rig.processes.run({ file: 'setsid', args, cwd: rig.dir, env }, rig);
  await until(() => existsSync(rig.path('pids')));
  return Number(rig.read('pids').split(' ')[0]);
}

test('a group is recorded while it lives', async ({ rig }) => {
  const record = recordGroups(rig.processes, rig.path('groups'));
  const child = await record.processes.spawn({ ...FAMILY, env: rig.env }, rig);
  expect(readdirSync(rig.path('groups'))).toEqual([String(child.pid)]);
  await child.end();
  await child.exited;
  await record.close();
  expect(readdirSync(rig.path('groups'))).toEqual([]);
});

test('what is left of a group whose leader is gone is ended; strangers are not', async ({ rig }) => {
  const mark = 'our-own-mark';
  const ours = await orphans(rig, { ...rig.env, STOPWATCH_GROUP: mark });
  const strangers = await orphans(rig, rig.env);
  rig.write(`groups/${ours}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  rig.write(`groups/${strangers}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  rig.write('groups/4194304', JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  rig.write('groups/1', '{}');
  rig.write('groups/cut-off', '{"ma');
  // The leaders' numbers are in use by processes that started at another time: not ours, whatever the mark.
  expect(await endLeftovers(rig.path('groups'))).toEqual([]);
  expect(readdirSync(rig.path('groups'))).toEqual([]);
  process.kill(ours, 'SIGKILL');
  process.kill(strangers, 'SIGKILL');
  rig.write(`groups/${ours}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  rig.write(`groups/${strangers}`, JSON.stringify({ mark, bootId: bootId(), startTime: '1' }));
  await until(() => !existsSync(`/proc/${ours}`) && !existsSync(`/proc/${strangers}`));
  expect(await endLeftovers(rig.path('groups'))).toEqual([ours]);
  expect(groupMembers(ours)).toEqual([]);
});

test('a record of another boot ends nothing', async ({ rig }) => {
  const child = await rig.processes.spawn({ ...FAMILY, env: rig.env }, rig);
  const startTime = groupMembers(child.pid)?.find(({ pid }) => pid === child.pid)?.startTime;
  rig.write(`groups/${child.pid}`, JSON.stringify({ mark: 'm', bootId: 'another', startTime }));
  expect(await endLeftovers(rig.path('groups'))).toEqual([]);
  rig.write(`groups/${child.pid}`, JSON.stringify({ mark: 'm', bootId: bootId(), startTime }));
  expect(await endLeftovers(rig.path('groups'))).toEqual([child.pid]);
  expect(rig.alive()).toEqual([]);
});
