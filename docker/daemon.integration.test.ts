// SPDX-License-Identifier: MIT
/** A daemon that goes away, and one whose disk is full: daemons of our own, which with-dockerd.ts has found possible. */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CALLER, SOCKET_GROUP } from '../test/support/docker.js';
import { type Daemon, startDaemon } from '../test/support/dockerd.js';
import { smallRoot } from '../test/support/podman.js';
import type Docker from 'dockerode';
import { archive, importImage } from './api.js';
import { connect } from './daemon.js';
import { baseEnvironment } from '../lib/environment.js';
import { createProcesses } from '../lib/process/process.js';
import { type ImageDeps, ensureImage } from './image.js';
import { type RunRequest, runInContainer } from './container.js';
import { thisOwner } from '../lib/process/owner.js';
import { containersOf, removeLeftovers } from './leftovers.js';

const IMAGE = 'stopwatch-small:1';
const never = new AbortController().signal;
const possible = process.env['STOPWATCH_TEST_DOCKER'] !== undefined && process.getuid?.() === 0;

function sink(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

async function find(address: string): Promise<Docker> {
  return connect({ env: { DOCKER_HOST: address }, home: homedir() }, never);
}

describe.skipIf(!possible)('a daemon of little memory (STOPWATCH_TEST_DOCKER, as root)', () => {
  let daemon: Daemon;
  let docker: Docker;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stopwatch-daemon-test-'));
    chownSync(directory, CALLER, SOCKET_GROUP);
    daemon = await startDaemon({ memoryMiB: 64 });
    docker = await find(daemon.address);
    await importImage(docker, Readable.from([smallRoot()]), IMAGE, {}, never);
  });

  afterAll(async () => {
    await daemon?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('a full disk, while an image is imported and while one is built', async () => {
    const large = archive([{ path: 'large', content: 'x'.repeat(100 * 2 ** 20), mode: 0o644 }]);
    const full = { code: 'disk-full', hint: expect.stringContaining('where the daemon keeps its data') };
    await expect(importImage(docker, Readable.from([large]), 'large:1', {}, never)).rejects.toMatchObject(
      full,
    );
    const copies = Array.from({ length: 120 }, () => '/bin/sh').join(' ');
    const fill = `i=0; while cat ${copies} > /large.$i; do i=$((i+1)); done; exit 1`;
    const deps: ImageDeps = {
      docker,
      processes: createProcesses(),
      env: baseEnvironment(),
      userEnv: {},
      signal: AbortSignal.timeout(60_000),
      onLine: () => {},
    };
    const dockerfile = `ARG BASE=x\nFROM \${BASE}\nRUN ${fill}\n`;
    const request = { dockerfile, base: IMAGE, rebuild: false, scratch: directory };
    await expect(ensureImage(deps, request)).rejects.toMatchObject(full);
  });

  test('one that dies while a container runs; what it left is removed by the next run', async () => {
    const request: RunRequest = {
      image: IMAGE,
      // The next daemon ends it before it answers.
      command: ['sh', '-c', 'trap "exit 0" INT TERM; echo started; while :; do sleep 0.1; done'],
      directory,
      directories: [directory],
      env: {},
      user: { uid: CALLER, gid: SOCKET_GROUP, name: 'ann' },
      work: directory,
      owner: thisOwner(),
      main: join(directory, 'main.js'),
    };
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        void daemon.kill();
        done();
      },
    });
    await expect(runInContainer(docker, request, { stdout, stderr: sink() }, never)).rejects.toMatchObject({
      code: 'docker-unreachable',
      hint: expect.stringContaining('daemon'),
    });

    await daemon.again();
    docker = await find(daemon.address);
    expect(await containersOf(docker, directory)).toHaveLength(1);
    // The process that made it is this one, and lives: the next run would be another.
    expect(await removeLeftovers(docker, directory, () => false)).toHaveLength(1);
    expect(await containersOf(docker, directory)).toEqual([]);
  });
});
