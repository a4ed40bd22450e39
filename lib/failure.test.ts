// SPDX-License-Identifier: MIT
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StopwatchError } from './errors.js';
import { commandFailure, toStopwatchError } from './failure.js';

const PLACE = { task: 'linux:build', directory: '/tmp', log: '/logs/x.log' };

function systemError(code: string, path = '/some/file'): Error {
  return Object.assign(new Error(`${code}: said the system, open '${path}'`), { code, path });
}

test('what the system says becomes an error that says what to do', async () => {
  for (const [code, expected] of [
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EACCES', 'permission-denied'],
    ['EROFS', 'permission-denied'],
    ['ENOENT', 'file-unreadable'],
    ['EMFILE', 'file-unreadable'],
    ['EFBIG', 'disk-full'],
    ['EADDRINUSE', 'address-unavailable'],
    ['ENOTEMPTY', 'file-unreadable'],
    ['ABORT_ERR', 'interrupted'],
    ['EWHATEVER', 'internal'],
  ]) {
    const error = await toStopwatchError(systemError(code ?? ''), PLACE);
    expect(error).toMatchObject({
      code: expected,
      log: '/logs/x.log',
      message: expect.stringContaining('linux:build'),
    });
    if (expected !== 'interrupted') expect(error.hint).toBeTruthy();
  }
});

test('a file, or a link to nothing, where a directory is expected is named', async () => {
  const top = mkdtempSync(join(tmpdir(), 'failure-'));
  try {
    writeFileSync(join(top, 'file'), '');
    symlinkSync('/nonexistent/x', join(top, 'link'));
    const hintOf = async (path: string) => (await toStopwatchError(systemError('ENOTDIR', path), PLACE)).hint;
    expect(await hintOf(join(top, 'file/a/b'))).toContain(
      `${top}/file is a file, where a directory is expected`,
    );
    expect(await hintOf(join(top, 'link/a'))).toContain(
      `${top}/link is a link to something that is not there`,
    );
    expect(await hintOf(join(tmpdir(), 'stopwatch-X'))).toContain('Set TMPDIR');
  } finally {
    rmSync(top, { recursive: true });
  }
});

test('a full disk is named with what is left of it', async () => {
  const error = await toStopwatchError(systemError('ENOSPC', '/tmp/not/there/file'), PLACE);
  expect(error.message).toMatch(/file system of \/tmp\/not\/there\/file: \d+ MiB left/);
});

test('a command that says which file did not fit: its file system is named', async () => {
  const command = { file: 'ar', args: [], cwd: '/' };
  const exit = { durationMs: 1, exitCode: 1, signal: undefined };
  const said = ["ar: cannot write '/proc/none/x.o': No space left on device"];
  // Nothing fits into /proc.
  expect((await commandFailure(command, exit, said, PLACE)).message).toContain(
    'file system of /proc/none/x.o',
  );
});

test('a fault of ours stays recognisable, with its cause', async () => {
  const cause = new TypeError('x is not a function');
  expect(await toStopwatchError(cause, PLACE)).toMatchObject({
    code: 'internal',
    cause,
    message: expect.stringMatching(/x is not a function/),
  });
  expect(await toStopwatchError('just text', PLACE)).toMatchObject({
    code: 'internal',
    message: expect.stringMatching(/just text/),
  });
});

test('an error that is understood already gets the log, and keeps its own', async () => {
  const error = new StopwatchError('offline', 'm', { hint: 'h', lastLines: ['l'], command: 'c' });
  expect(await toStopwatchError(error, PLACE)).toMatchObject({
    code: 'offline',
    message: 'm',
    hint: 'h',
    lastLines: ['l'],
    command: 'c',
    log: '/logs/x.log',
  });
  const own = new StopwatchError('offline', 'm', { log: '/own' });
  expect(await toStopwatchError(own, PLACE)).toBe(own);
});

test('a failed command: task, command, directory, exit code or signal, last lines', async () => {
  const command = { file: 'make', args: ['CC=a b', 'x'], cwd: '/src' };
  const exit = { durationMs: 1, exitCode: 2, signal: undefined };
  expect(await commandFailure(command, exit, ['the end'], PLACE)).toMatchObject({
    code: 'command-failed',
    message: "linux:build: `make $'CC=a b' x` in /src failed with exit code 2.",
    command: "make $'CC=a b' x",
    lastLines: ['the end'],
    log: '/logs/x.log',
  });
  const killed = await commandFailure(
    command,
    { ...exit, exitCode: undefined, signal: 'SIGKILL' },
    [],
    PLACE,
  );
  expect(killed).toMatchObject({
    message: expect.stringMatching(/was ended by SIGKILL/),
    hint: expect.stringMatching(/memory/),
  });
  const full = await commandFailure(command, exit, ['cc1: No space left on device', 'make: error'], PLACE);
  expect(full).toMatchObject({
    code: 'disk-full',
    message: expect.stringMatching(/file system of \/src: /),
    lastLines: ['cc1: No space left on device', 'make: error'],
  });
});
