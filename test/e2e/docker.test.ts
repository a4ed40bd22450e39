// SPDX-License-Identifier: MIT
/** `docker` and `docker-all` with a real daemon, by a user who is not root. Whole builds: test/full/container.test.ts. */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { archive, importImage } from '../../docker/api.js';
import { makeCertificate } from '../support/certificate.js';
import { freePort } from '../support/ports.js';
import { address, asCaller, asRoot, type ContainerProject, containerProject, gid, uid } from './container.js';
import { toolOf } from './interactive.js';
import { start } from './project.js';

const never = new AbortController().signal;

describe.skipIf(address === undefined)('in a container (STOPWATCH_TEST_DOCKER)', () => {
  let container: ContainerProject;
  beforeAll(async () => {
    container = await containerProject();
  });
  afterEach(async () => {
    expect(await container.containers()).toEqual([]);
  });

  test('Ctrl-C in a build: 130, no container is left, and every file is the caller’s', async () => {
    const { code, out, err } = await container.allWithSignal('SIGINT', 'busybox:configure: Busybox');
    expect(code, out + err).toBe(130);
    expect(await container.containers()).toEqual([]);
    expect(container.foreignFiles()).toBe('');
  });

  test('kill -9 in a build: the next run removes the container that was left', async () => {
    expect(await container.allWithSignal('SIGKILL', 'busybox:configure: Busybox')).toMatchObject({
      code: null,
    });
    expect(await container.containers()).toHaveLength(1);
    const { code, out, err } = await container.inside(['true']);
    expect(code, out + err).toBe(0);
    expect(out + err).toContain('Removed a container that a killed run had left');
  });

  test('docker: one command, with its output and exit code', async () => {
    const said = await container.inside(['sh', '-c', 'id -u; pwd; echo oops >&2; exit 7']);
    expect(said).toEqual({ code: 7, out: `${uid}\n${container.project.directory}\n`, err: 'oops\n' });
  });

  test('docker: an authority that Node trusts here, it trusts inside', async () => {
    // In a directory that is not mounted; the daemon has no bridge, so the network is this machine's.
    const directory = mkdtempSync(join(tmpdir(), 'stopwatch-certificate-'));
    chmodSync(directory, 0o755);
    const { certificate, key } = makeCertificate(directory);
    const server = createServer(
      { cert: readFileSync(certificate), key: readFileSync(key) },
      (_request, response) => response.end('hello'),
    );
    const port = await freePort();
    await once(server.listen(port, 'localhost'), 'listening');
    const script = `fetch('https://localhost:${port}').then((answer) => answer.text(), (error) => error.cause.code).then(console.log)`;
    try {
      const unknown = await container.inside(['node', '-e', script]);
      expect(unknown).toEqual({ code: 0, out: 'DEPTH_ZERO_SELF_SIGNED_CERT\n', err: '' });
      const known = await container.inside(['node', '-e', script], {
        env: { NODE_EXTRA_CA_CERTS: certificate },
      });
      expect(known).toEqual({ code: 0, out: 'hello\n', err: '' });
      const missing = join(directory, 'no-such-file');
      const named = await container.inside(['true'], { env: { NODE_EXTRA_CA_CERTS: missing } });
      expect(named.code, named.out).toBe(5);
      expect(named.err).toContain(`NODE_EXTRA_CA_CERTS names ${missing}, which cannot be read`);
    } finally {
      server.close();
      rmSync(directory, { recursive: true });
    }
  });

  test('docker: `stopwatch` inside has the work directory of docker-all', async () => {
    const { code, out, err } = await container.inside(['stopwatch', 'status', '--json']);
    expect(code, err).toBe(0);
    const { paths }: { paths: { work: string } } = JSON.parse(out);
    expect(paths.work).toBe(container.work);
  });

  test('docker without a terminal and without a command', async () => {
    const { code, err } = await container.call(['docker', '--base', 'bootstrap']).ended;
    expect(code).toBe(2);
    expect(err).toContain('needs a terminal');
  });

  test('on a terminal, it is one inside too', async () => {
    const { project } = container;
    // Daemons older than 23 start with a terminal of no size and get the right one a moment later.
    const sized = 'while test "$(stty size)" = "0 0"; do sleep 0.1; done; stty size';
    const line = `${asCaller().join(' ')} ${toolOf(project)} docker --base bootstrap -- sh -c 'test -t 0 && test -t 1 && ${sized}'`;
    const { code, out, err } = await start('script', ['-qec', `stty rows 31 cols 97; ${line}`, '/dev/null'], {
      cwd: project.directory,
      env: { ...project.env, DOCKER_HOST: address ?? '', TERM: 'xterm' },
    }).ended;
    expect(code, out + err).toBe(0);
    expect(out).toContain('31 97');
  });

  test('no daemon: 5, and what to do', async () => {
    const env = { DOCKER_HOST: `unix://${join(tmpdir(), 'no-such-daemon.sock')}` };
    const { code, err } = await container.all([], { env });
    expect(code).toBe(5);
    expect(err).toMatch(
      /No Docker daemon answers at unix:.*no-such-daemon\.sock \(DOCKER_HOST\)[^]*start it/,
    );
  });

  test.runIf(asRoot)('a caller who may not use the daemon: 5, and what to do', async () => {
    const { code, err } = await container.call(['docker-all'], { group: gid + 1 }).ended;
    expect(code).toBe(5);
    expect(err).toMatch(/may not use the Docker daemon[^]*usermod -aG docker/);
  });

  test('a base that is none: 2; one that cannot be fetched or used: 5; each with what to do', async () => {
    const nonsense = await container.call(['docker-all', '--base', '../x']).ended;
    expect(nonsense.code).toBe(2);
    expect(nonsense.err).toContain("got '../x'");

    const away = await container.call(['docker-all', '--base', 'localhost:1/nobody/nothing:1']).ended;
    expect(away.code).toBe(5);
    expect(away.err).toMatch(/pulling localhost:1\/nobody\/nothing[^]*--base bootstrap/);

    const empty = archive([{ path: 'file', content: 'x', mode: 0o644 }]);
    await importImage(container.docker, Readable.from([empty]), 'stopwatch-empty:1', {}, never);
    const unusable = await container.call(['docker-all', '--base', 'stopwatch-empty:1']).ended;
    expect(unusable.code, unusable.out).toBe(5);
    expect(unusable.err).toMatch(/stopwatch-empty:1 cannot be the base[^]*Debian 13/);
  });

  test('KVM is refused, for the container has no devices', async () => {
    const { code, err } = await container.all(['--realtime', '--accel', 'kvm']);
    expect(code).toBe(2);
    expect(err).toContain('no devices of the host');
  });
});
