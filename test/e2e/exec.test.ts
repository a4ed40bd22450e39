// SPDX-License-Identifier: MIT
/** `exec`: a command in the guest with our standard input and output, and its exit code. */
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { laboratory } from './laboratory.js';
import { left } from './project.js';

const { project, scratch } = laboratory();
beforeAll(() => project.passes(['update']));

const exec = async (...command: readonly string[]) =>
  project.stopwatch(['exec', '--quiet', '--', ...command]);

test('output and errors are kept apart, and the exit code is the command’s', async () => {
  const words = ['a b', "it's", '$HOME', '*', '', '"\\n'];
  const print = 'for word; do echo "<$word>"; done; echo to stderr >&2; exit 42';
  expect(await exec('sh', '-c', print, 'sh', ...words)).toEqual({
    code: 42,
    out: words.map((word) => `<${word}>\n`).join(''),
    err: 'to stderr\n',
  });
  expect((await exec('no-such-command')).code).toBe(127);
  expect((await exec('sh', '-c', 'kill -TERM $$')).code).toBe(128 + 15);
});

test('any bytes pass, both ways, with a slow reader', async () => {
  const bytes = randomBytes(3_000_000);
  const file = join(scratch, 'bytes');
  writeFileSync(file, bytes);
  const main = join(project.package, 'dist', 'stopwatch.js');
  const line = `"$0" "$1" exec --quiet -- cat <"$2" | { sleep 3; cmp - "$2"; }`;
  const child = spawn('sh', ['-c', line, process.execPath, main, file], {
    cwd: project.directory,
    env: project.env,
    stdio: 'inherit',
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
});

test('a script of the host, with arguments and standard input', async () => {
  const script = join(scratch, 'try.sh');
  writeFileSync(script, '#!/bin/sh\nread -r line\necho "$1: $line"\nexit 7\n');
  const ended = await project.stopwatch(['exec', '--quiet', '--script', script, '--', 'first'], {
    input: 'one line\n',
  });
  expect(ended).toEqual({ code: 7, out: 'first: one line\n', err: '' });
  await project.exits(2, ['exec', '--script', `${script}.missing`]);
  await project.exits(2, ['exec']);
});

test('without --quiet the summary is on standard error', async () => {
  const { code, out, err } = await project.stopwatch([
    'exec',
    '--crosscheck',
    '--',
    'stopwatch_ctrl.sh',
    'show',
  ]);
  expect(code, err).toBe(0);
  expect(out).toMatch(/^\d+\.\d\d seconds\n$/);
  expect(err).toMatch(/^Cross-check +The device and the model agree/m);
});

test('--deterministic: the same each time, and no standard input', async () => {
  const command = ['exec', '--quiet', '--deterministic', '--', 'sh', '-c', 'cat; date; cat /proc/uptime'];
  const [one, other] = [
    await project.passes(command, { input: 'unread' }),
    await project.passes(command, { input: 'unread' }),
  ];
  expect(one).toMatch(/^Sat Jan {2}1 00:00:\d\d UTC 2000\n\d+\.\d\d \d+\.\d\d\n$/);
  expect(other).toBe(one);
});

test('a panic is exit code 4, and is said; so is a guest that powers off', async () => {
  const panic = await exec('sh', '-c', 'echo before; echo c >/proc/sysrq-trigger');
  expect(panic.code).toBe(4);
  expect(panic.out).toBe('before\n');
  expect(panic.err).toMatch(/Kernel panic - not syncing: sysrq triggered crash/);
  const off = await exec('poweroff');
  expect(off.code).toBe(4);
  expect(off.err).toMatch(/The guest powered off before the command ended/);
  expect(await left(project)).toEqual([]);
});

test('Ctrl-C ends all of it', async () => {
  const { child, ended } = project.start(['exec', '--', 'sh', '-c', 'echo ready; sleep 1000'], {
    onOutput: (out) => void (out.includes('ready') && child.kill('SIGINT')),
  });
  expect((await ended).code).toBe(130);
  await sleep(100);
  expect(await left(project)).toEqual([]);
});

test('a shell through a pipe gives its exit code', async () => {
  const { code } = await project.stopwatch(['run'], { input: 'exit 3\n' });
  expect(code).toBe(3);
});
