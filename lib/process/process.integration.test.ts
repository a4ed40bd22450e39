// SPDX-License-Identifier: MIT
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { test, until } from '../../test/support/sandbox.js';
import { sendSignal } from './group.js';
import { createProcesses, shellQuote } from './process.js';

test('gives lines of both streams, the captured output and the exit code', async ({ sandbox }) => {
  const lines: string[] = [];
  const script = 'echo one; echo two >&2; read word; echo "$word"; printf three; exit 7';
  const exit = await sandbox.processes.run(
    { file: 'sh', args: ['-c', script], env: sandbox.env },
    {
      signal: sandbox.signal,
      input: 'in\n',
      capture: true,
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
    },
  );
  expect(exit).toMatchObject({ exitCode: 7, signal: undefined, stdout: 'one\nin\nthree' });
  expect(lines.sort()).toEqual(['stderr two', 'stdout in', 'stdout one', 'stdout three']);
});

test('the environment is exactly the one given', async ({ sandbox }) => {
  process.env['H4_LEAK'] = 'leaked';
  const exit = await sandbox.processes.run(
    { file: 'env', args: [], env: { PATH: sandbox.env['PATH'] ?? '', ONLY: 'this' } },
    { signal: sandbox.signal, capture: true },
  );
  delete process.env['H4_LEAK'];
  expect(exit.stdout.split('\n').filter(Boolean).sort()).toEqual([
    'ONLY=this',
    `PATH=${sandbox.env['PATH']}`,
  ]);
});

test('all of a large output arrives at a slow reader', async ({ sandbox }) => {
  const child = await sandbox.processes.spawn(
    { file: 'sh', args: ['-c', 'head -c 3000000 /dev/zero'], env: sandbox.env },
    { signal: sandbox.signal },
  );
  // The program has ended long before the reader begins.
  await sleep(300);
  let size = 0;
  for await (const chunk of child.stdout ?? []) {
    size += chunk.length;
    if (size < 200_000) await sleep(5);
  }
  expect(size).toBe(3_000_000);
  expect((await child.exited).exitCode).toBe(0);
});

test('a program whose reader has given up ends', async ({ sandbox }) => {
  const child = await sandbox.processes.spawn(
    { file: 'yes', args: [], env: sandbox.env },
    { signal: sandbox.signal },
  );
  // Leaving the loop destroys the stream.
  for await (const chunk of child.stdout ?? []) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  // Of SIGPIPE or, if something was left unread, of ECONNRESET.
  expect((await child.exited).exitCode).not.toBe(0);
});

async function allOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = '';
  for await (const chunk of stream ?? []) all += chunk.toString();
  return all;
}

test('hands on descriptors and reads from further pipes', async ({ sandbox }) => {
  const fd = openSync(sandbox.write('given', 'from a file'), 'r');
  const child = await sandbox.processes.spawn(
    { file: 'sh', args: ['-c', 'echo piped >&3; cat <&4'], env: sandbox.env },
    { signal: sandbox.signal, extra: ['pipe', fd] },
  );
  const [out, three] = await Promise.all([allOf(child.stdout), allOf(child.extra[0] ?? null)]);
  closeSync(fd);
  expect([out, three, child.extra[1]]).toEqual(['from a file', 'piped\n', null]);
});

test('a program that is missing, not executable, or whose directory is missing is not started', async ({
  sandbox,
}) => {
  const run = (file: string, cwd?: string) =>
    sandbox.processes.run(
      { file, args: ["it's"], env: sandbox.env, ...(cwd ? { cwd } : {}) },
      { signal: sandbox.signal },
    );
  await expect(run('no-such-tool')).rejects.toMatchObject({
    code: 'command-not-found',
    message: expect.stringMatching(/no-such-tool.*PATH/),
    command: String.raw`no-such-tool $'it\'s'`,
    hint: expect.stringContaining('doctor'),
  });
  writeFileSync(sandbox.path('plain'), '');
  await expect(run(sandbox.path('plain'))).rejects.toMatchObject({ code: 'permission-denied' });
  await expect(run(sandbox.path('none'))).rejects.toMatchObject({ code: 'command-not-found' });
  await expect(run('true', sandbox.path('gone'))).rejects.toMatchObject({
    code: 'command-failed',
    message: expect.stringContaining(sandbox.path('gone')),
  });
});

test('aborting ends the whole group, also one that ignores SIGTERM', async ({ sandbox }) => {
  const abort = new AbortController();
  const child = await sandbox.processes.spawn(
    { file: 'stubborn', args: [], env: sandbox.env },
    { signal: abort.signal, graceMs: 200 },
  );
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await until(() => sandbox.alive().length >= 3);
  abort.abort();
  const exit = await child.exited;
  expect(exit).toMatchObject({ exitCode: undefined, signal: 'SIGKILL' });
  expect(sandbox.alive()).toEqual([]);
});

test('end() resolves when all of the group is gone', async ({ sandbox }) => {
  const child = await sandbox.processes.spawn(
    { file: 'sh', args: ['-c', 'sleep 100 & sleep 100'], env: sandbox.env },
    sandbox,
  );
  await until(() => sandbox.alive().length >= 2);
  await child.end();
  expect(sandbox.alive()).toEqual([]);
  child.stdout?.resume();
  child.stderr?.resume();
  expect((await child.exited).signal).toBe('SIGTERM');
});

test('what a program leaves behind is ended, and does not keep its pipes open', async ({ sandbox }) => {
  const exit = await sandbox.processes.run(
    { file: 'leave-behind', args: [], env: sandbox.env },
    { ...sandbox, capture: true },
  );
  expect(exit.exitCode).toBe(0);
  const left = Number(/left (\d+)/.exec(exit.stdout)?.[1]);
  expect(left).toBeGreaterThan(1);
  expect(sandbox.alive()).toEqual([]);
});

test('kill() reaches the group', async ({ sandbox }) => {
  const child = await sandbox.processes.spawn({ file: 'sleep', args: ['100'], env: sandbox.env }, sandbox);
  child.stdout?.resume();
  child.stderr?.resume();
  child.kill('SIGUSR1');
  expect((await child.exited).signal).toBe('SIGUSR1');
  child.kill('SIGUSR1');
  expect(sendSignal(child.pid, 0)).toBe(false);
});

test('what onLine throws ends the program and is thrown on', async ({ sandbox }) => {
  const run = sandbox.processes.run(
    { file: 'sh', args: ['-c', 'echo now; sleep 100'], env: sandbox.env },
    {
      ...sandbox,
      onLine: () => {
        throw new Error('the disk, say');
      },
    },
  );
  await expect(run).rejects.toThrow('the disk, say');
  expect(sandbox.alive()).toEqual([]);
});

test('a capture that grows too large is an error', async ({ sandbox }) => {
  const run = sandbox.processes.run(
    { file: 'head', args: ['-c', String(65 * 1024 * 1024), '/dev/zero'], env: sandbox.env },
    { ...sandbox, capture: true },
  );
  await expect(run).rejects.toMatchObject({
    code: 'command-failed',
    message: expect.stringContaining('64 MiB'),
  });
});

test('nothing is started once interrupted', async ({ sandbox }) => {
  const run = sandbox.processes.run(
    { file: 'true', args: [], env: sandbox.env },
    { signal: AbortSignal.abort() },
  );
  await expect(run).rejects.toMatchObject({ code: 'interrupted' });
});

test('a quoted command does in a shell what it says', async ({ sandbox }) => {
  mkdirSync(sandbox.path('a dir'));
  const words = [
    'plain',
    'two words',
    "it's",
    '$HOME',
    'a=b',
    '',
    '`x`',
    '*',
    'new\nline',
    '--x=y',
    '!',
    '~',
  ];
  const quoted = shellQuote({ file: 'printf', args: ['%s|', ...words] });
  // zx quotes for bash, which is what people paste into.
  const exit = await sandbox.processes.run(
    { file: 'bash', args: ['-c', quoted], env: sandbox.env },
    { ...sandbox, capture: true },
  );
  expect(exit.stdout).toBe(words.map((word) => `${word}|`).join(''));
});

test('killed before its child could ask to die with it: the child does nothing', async ({ sandbox }) => {
  // The time between fork and request, made long.
  sandbox.write('bin/setpriv', '#!/bin/sh\nsleep 0.5\nPATH=${PATH#*:} exec setpriv "$@"\n');
  chmodSync(sandbox.path('bin/setpriv'), 0o755);
  const script = join(import.meta.dirname, 'orphan.test.support.ts');
  const orphan = await createProcesses({ dieWithParent: false }).run(
    {
      file: process.execPath,
      args: [
        '--import',
        import.meta.resolve('jiti/register'),
        script,
        'sh',
        '-c',
        'echo >ran; exec sleep 1000',
      ],
      cwd: sandbox.dir,
      env: { ...sandbox.env, PATH: `${sandbox.path('bin')}:${sandbox.env['PATH']}` },
    },
    sandbox,
  );
  expect(orphan.signal).toBe('SIGKILL');
  await until(() => sandbox.alive().length === 0);
  expect(existsSync(sandbox.path('ran'))).toBe(false);
});
