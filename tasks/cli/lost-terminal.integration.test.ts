// SPDX-License-Identifier: MIT
/** The terminal goes away, or the output cannot be written: the command ends, and says so by its exit code. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../config/paths.js';
import { type SmallProject, smallProject, sourceAt } from './small-project.test.support.js';

const main = join(packageRoot(), 'dist/stopwatch.js');
let project: SmallProject;
beforeEach(() => {
  project = smallProject();
});
afterEach(() => project.remove());

async function appears(path: string): Promise<string> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; await sleep(50)) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (text !== '') return text;
  }
  throw new Error(`${path} did not appear`);
}

test.each(['as it is', 'with SIGHUP ignored'])(
  'a terminal that is gone ends the command: %s',
  async (how) => {
    const sum = project.release('busybox', '1.0.0', { 'applets/applets.c': '' });
    project.write(
      'stopwatch.config.json',
      JSON.stringify({ sources: { busybox: sourceAt('busybox', '1.0.0', sum) } }),
    );
    mkdirSync(project.work, { recursive: true });
    // Somebody else has the lock, so the command waits and its rows are drawn again and again.
    const holder = spawn('flock', ['-o', join(project.work, 'lock'), 'sleep', '60'], { stdio: 'ignore' });
    const ignore = how === 'as it is' ? '' : "trap '' HUP; ";
    project.write(
      'run.sh',
      `${ignore}"${process.execPath}" "${main}" --workdir .stopwatch prepare busybox &\necho $! > command\nwait $!\necho $? > code\n`,
    );
    const terminal = spawn('script', ['-qc', 'sh ./run.sh', '/dev/null'], {
      cwd: project.directory,
      env: { ...process.env, HOME: project.directory, XDG_CACHE_HOME: join(project.directory, 'cache') },
      stdio: 'ignore',
    });
    const pid = Number(await appears(join(project.directory, 'command')));
    await sleep(2500);
    expect(() => process.kill(pid, 0)).not.toThrow();
    terminal.kill('SIGKILL');
    await sleep(500);
    // Without SIGHUP, it notices when it writes.
    if (how !== 'as it is') holder.kill('SIGKILL');
    const ended = await gone(pid);
    if (!ended) process.kill(pid, 'SIGKILL');
    holder.kill('SIGKILL');
    expect(ended).toBe(true);
    if (how !== 'as it is') expect(await appears(join(project.directory, 'code'))).toBe('130\n');
    const free = spawnSync('flock', ['-n', join(project.work, 'lock'), 'true']);
    expect(free.status).toBe(0);
  },
);

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(100);
  }
  return false;
}

test('a full disk behind standard output is a failure that is named', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [main, 'graph', '--json'], {
    cwd: project.directory,
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  expect(status).toBe(5);
  expect(stderr).toContain('output of the command cannot be written');
});
