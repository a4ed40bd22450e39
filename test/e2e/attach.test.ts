// SPDX-License-Identifier: MIT
/** `exec --attach`: commands in the VM that `run --serve` started. */
import { writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Interactive, withoutTerminal } from './interactive.js';
import { laboratory } from './laboratory.js';
import { left } from './project.js';

const { project, scratch } = laboratory();
let vm: Interactive;
beforeAll(async () => {
  await project.passes(['update']);
  vm = new Interactive(withoutTerminal(project, ['run', '--serve']));
  await vm.waitFor(/stopwatch:~# $/);
});
afterAll(async () => {
  vm.child.kill('SIGTERM');
  await vm.closed;
  expect(await left(project)).toEqual([]);
});

const attach = async (command: readonly string[], input?: string) =>
  project.stopwatch(['exec', '--attach', '--quiet', ...command], input === undefined ? {} : { input });

test('one command after the other, in the same machine: output, errors and exit code are kept apart', async () => {
  expect(await attach(['--', 'sh', '-c', 'echo 1 >/tmp/kept; echo out; echo err >&2; exit 9'])).toEqual({
    code: 9,
    out: 'out\n',
    err: 'err\n',
  });
  expect(await attach(['--', 'cat', '/tmp/kept'])).toEqual({ code: 0, out: '1\n', err: '' });
});

test('standard input, a script of the host, and many bytes', async () => {
  expect((await attach(['--', 'tr', 'a-z', 'A-Z'], 'hello\n')).out).toBe('HELLO\n');
  const script = join(scratch, 'attached.sh');
  writeFileSync(script, '#!/bin/sh\nread -r line\necho "$1: $line"\n');
  expect((await attach(['--script', script, '--', 'first'], 'one line\n')).out).toBe('first: one line\n');
  const text = randomBytes(300_000).toString('hex');
  expect((await attach(['--', 'cat'], text)).out).toBe(text);
});

test('two at once run one after the other', async () => {
  const both = await Promise.all(['a', 'b'].map(async (word) => attach(['--', 'echo', word])));
  expect(both.map(({ code, out }) => [code, out])).toEqual([
    [0, 'a\n'],
    [0, 'b\n'],
  ]);
});

test('Ctrl-C ends the command, and the machine goes on', async () => {
  const { child, ended } = project.start(
    ['exec', '--attach', '--', 'sh', '-c', 'echo ready; while :; do :; done'],
    {
      onOutput: (out) => void (out.includes('ready') && child.kill('SIGINT')),
    },
  );
  expect((await ended).code).toBe(130);
  const { out } = await attach(['--', 'ps', '-o', 'args']);
  expect(out).not.toContain('while');
});

test('a guest that powers off is exit code 4, and so is one that is not there', async () => {
  expect(await attach(['--', 'poweroff'])).toMatchObject({
    code: 4,
    err: expect.stringMatching(/The VM ended meanwhile/),
  });
  await vm.closed;
  const none = await attach(['--', 'true']);
  expect(none.code).toBe(4);
  expect(none.err).toMatch(/No VM of .* takes new files[^]*run --serve/);
});
