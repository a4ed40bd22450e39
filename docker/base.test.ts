// SPDX-License-Identifier: MIT
/** Programs of this test's own stand for apt and mmdebstrap, and an object for the daemon. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProcesses } from '../lib/process/process.js';
import type { DaemonInfo } from './api.js';
import { bootstrapBase } from './base.js';

const info: DaemonInfo = {
  architecture: 'amd64',
  rootless: false,
  remapsUsers: false,
  selinux: false,
  hasBridge: true,
};
const ID = `sha256:${'a'.repeat(64)}`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stopwatch-base-'));
  program('apt-get', `echo 'Debian|Debian|main|http://deb.example/debian/'`);
  program('apt-config', `echo 'Acquire::http::Proxy "http://ann:s@cret@proxy:1";'`);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function program(name: string, script: string): void {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Makes the base with a daemon that imports what arrives whole. */
async function make(signal = new AbortController().signal): Promise<{
  readonly imported: readonly string[];
  readonly tagged: readonly unknown[];
  readonly lines: readonly string[];
  readonly result: unknown;
}> {
  const imported: string[] = [];
  const tagged: unknown[] = [];
  const lines: string[] = [];
  const docker = new Docker();
  const missing = Object.assign(new Error('none'), { statusCode: 404 });
  vi.spyOn(docker, 'getImage').mockImplementation((name) => {
    const image = new Docker.Image(undefined, name);
    vi.spyOn(image, 'inspect').mockRejectedValue(missing);
    vi.spyOn(image, 'tag').mockImplementation(async (options) => void tagged.push(options));
    return image;
  });
  vi.spyOn(docker, 'importImage').mockImplementation(async (tar: unknown) => {
    if (!(tar instanceof Readable)) throw new Error('expected a stream');
    imported.push((await buffer(tar)).toString());
    return Readable.from([`${JSON.stringify({ status: ID })}\n`]);
  });
  const deps = {
    docker,
    processes: createProcesses(),
    env: { PATH: `${directory}:/usr/bin:/bin`, TMPDIR: directory },
    signal,
    onLine: (line: string) => lines.push(line),
  };
  const result: unknown = await bootstrapBase(deps, { info, rebuild: false }).catch(
    (error: unknown) => error,
  );
  return { imported, tagged, lines, result };
}

test('the archive goes to the daemon through a pipe, so that there is no file to replace', async () => {
  program('mmdebstrap', `printf '%s\\n' "$@" >${directory}/arguments; echo working >&2; printf 'an archive'`);
  const { imported, tagged, lines, result } = await make();
  expect(result).toMatchObject({ tag: expect.stringMatching(/^stopwatch-base:[0-9a-f]{16}$/) });
  expect(imported).toEqual(['an archive']);
  expect(tagged).toHaveLength(1);
  expect(lines).toContain('working');
  const words = readFileSync(join(directory, 'arguments'), 'utf8').split('\n');
  expect(words.slice(words.indexOf('trixie'), words.indexOf('trixie') + 2)).toEqual(['trixie', '-']);
  // TMPDIR: only this test's own files.
  expect(readdirSync(directory).sort()).toEqual(['apt-config', 'apt-get', 'arguments', 'mmdebstrap']);
});

test('a proxy’s password is a variable of mmdebstrap and of the build, not an argument', async () => {
  program(
    'mmdebstrap',
    `echo "$@" >${directory}/arguments; echo "$http_proxy" >${directory}/proxy; printf x`,
  );
  const { result } = await make();
  expect(readFileSync(join(directory, 'arguments'), 'utf8')).not.toContain('cret');
  expect(readFileSync(join(directory, 'proxy'), 'utf8')).toBe('http://ann:s@cret@proxy:1\n');
  expect(result).toMatchObject({ proxies: { http_proxy: 'http://ann:s@cret@proxy:1' } });
});

test.each([
  ['before the archive', 'echo "E: NO_PUBKEY 1" >&2; exit 25'],
  ['in the middle of it', `printf 'half an'; sleep 0.2; echo "E: NO_PUBKEY 1" >&2; exit 25`],
])('mmdebstrap that fails %s makes no image', async (_, script) => {
  program('mmdebstrap', script);
  const { imported, tagged, result } = await make();
  expect(result).toMatchObject({
    code: 'command-failed',
    message: expect.stringContaining('exit code 25'),
    hint: expect.stringContaining('debian-archive-keyring'),
    lastLines: ['E: NO_PUBKEY 1'],
  });
  expect([imported, tagged]).toEqual([[], []]);
});

test('interrupted', async () => {
  const abort = new AbortController();
  program('mmdebstrap', `printf x; sleep 60`);
  setTimeout(() => abort.abort(), 300);
  const { tagged, result } = await make(abort.signal);
  expect(result).toMatchObject({ code: 'interrupted' });
  expect(tagged).toEqual([]);
});
