// SPDX-License-Identifier: MIT
/**
 * `docker-all` and `docker` with a real daemon, whose address is in STOPWATCH_TEST_DOCKER: everything is built in
 * the container, by a user who is not root. `node --import jiti/register test/support/with-dockerd.ts` starts such a daemon.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:https';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { archive } from '../../docker/archive.js';
import { connect } from '../../docker/connection.js';
import { openEngine } from '../../docker/dockerode.js';
import type { ContainerSummary, Engine } from '../../docker/engine.js';
import { WORK_LABEL } from '../../docker/owner.js';
import { freePort } from '../support/cache-servers.js';
import { makeCertificate } from '../support/certificate.js';
import { CALLER } from '../support/docker.js';
import { edit, undoEdits } from './edit.js';
import { install } from './laboratory.js';
import {
  type Ended,
  environment,
  must,
  type Project,
  projectIn,
  start,
  type StartOptions,
} from './project.js';

const address = process.env['STOPWATCH_TEST_DOCKER'];
const asRoot = process.getuid?.() === 0;
const uid = asRoot ? CALLER : (process.getuid?.() ?? 0);
/** Of the daemon's socket: whoever is in it may use it. */
const gid = statSync((address ?? '/').replace('unix://', '')).gid;
const never = new AbortController().signal;

undoEdits();

describe.skipIf(address === undefined)('in a container (STOPWATCH_TEST_DOCKER)', () => {
  let project: Project;
  let engine: Engine;
  let work: string;

  /** The command line, called by somebody who is not root. */
  function call(
    args: readonly string[],
    options: StartOptions & { readonly group?: number } = {},
  ): ReturnType<typeof start> {
    const { group = gid, ...rest } = options;
    const main = join(project.package, 'dist', 'stopwatch.js');
    const command = [process.execPath, main, ...args];
    const become = ['setpriv', '--reuid', String(uid), '--regid', String(group), '--clear-groups', '--'];
    const [file = '', ...words] = asRoot ? [...become, ...command] : command;
    return start(file, words, {
      cwd: project.directory,
      ...rest,
      env: { ...project.env, DOCKER_HOST: address ?? '', ...rest.env },
    });
  }

  async function dockerAll(args: readonly string[] = [], options: StartOptions = {}): Promise<Ended> {
    return await call(['docker-all', '--base', 'bootstrap', ...args], options).ended;
  }

  async function inside(command: readonly string[], options: StartOptions = {}): Promise<Ended> {
    return await call(['docker', '--base', 'bootstrap', '--', ...command], options).ended;
  }

  function containers(): Promise<readonly ContainerSummary[]> {
    return engine.containers(WORK_LABEL, work);
  }

  beforeAll(async () => {
    const laboratory = inject('laboratory');
    chmodSync(laboratory, 0o755);
    const home = join(laboratory, 'home');
    const environ = environment(join(laboratory, 'tmp'), join(laboratory, 'ccache'));
    project = projectIn(join(laboratory, 'project'), {
      ...environ,
      HOME: home,
      XDG_CACHE_HOME: join(home, 'cache'),
    });
    work = join(project.work, 'docker');
    mkdirSync(join(home, 'cache', 'stopwatch'), { recursive: true });
    // What was downloaded for other tests need not be downloaded again.
    const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stopwatch', 'downloads');
    if (existsSync(cache)) cpSync(cache, join(home, 'cache', 'stopwatch', 'downloads'), { recursive: true });
    await install(laboratory, project);
    engine = await connect(
      { env: { DOCKER_HOST: address }, home, readFile: () => Promise.resolve(undefined) },
      openEngine,
      never,
    );
    // As root where that can be: the caller below may have no right to bootstrap.
    const image = ['docker', '--base', 'bootstrap', '--', 'true'];
    await must(process.execPath, [join(project.package, 'dist/stopwatch.js'), ...image], {
      cwd: project.directory,
      env: { ...project.env, DOCKER_HOST: address ?? '' },
    });
    if (asRoot) execFileSync('chown', ['-R', `${CALLER}:${gid}`, laboratory]);
  });

  afterEach(async () => {
    expect(await containers()).toEqual([]);
  });

  test('from nothing to a verdict, and every file is the caller’s', async () => {
    const { code, out, err } = await dockerAll();
    expect(code, out + err).toBe(0);
    expect(err).toBe('');
    expect(out).toMatch(/^Guest test +passed: \d+ ok, 0 not ok/m);
    expect(out).toMatch(/^Cross-check +The device and the model agree \(\d+ events/m);
    const others = execFileSync('find', [project.directory, '!', '-uid', String(uid)], { encoding: 'utf8' });
    expect(others).toBe('');
    expect(readdirSync(project.work)).toEqual(['docker']);
    expect(readdirSync(project.env['CCACHE_DIR'] ?? '').length).toBeGreaterThan(0);
  });

  test('nothing changed: nothing is done but the test; --json gives the events of `all`', async () => {
    const { code, out, err } = await dockerAll(['--json']);
    expect(code, out + err).toBe(0);
    const events: Record<string, unknown>[] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.flatMap(({ type, task }) => (type === 'task-start' ? [task] : []))).toEqual(['vm:test']);
    expect(events.filter(({ type }) => type === 'result')).toEqual([events.at(-1)]);
    expect(events.at(-1)).toMatchObject({ command: 'all', exitCode: 0 });
  });

  test('a guest test that fails: 1', async () => {
    const expected = `equal 'text, later' "$text"`;
    edit(
      project.package,
      'guest_fs/stopwatch/stopwatch_test.sh',
      `${expected} '0.00 seconds'`,
      `${expected} '1.00 seconds'`,
    );
    const { code, out, err } = await dockerAll();
    expect(code, out + err).toBe(1);
    expect(out).toMatch(/^Guest test +failed/m);
  });

  test('a device that pauses wrongly: 3', async () => {
    const pause = '        s->status = STOPWATCH_STATUS_PAUSED;';
    const elapsed = '        s->elapsed = stopwatch_elapsed(s, now);\n';
    edit(project.package, 'device/stopwatch/stopwatch.c', elapsed + pause, pause);
    const { code, out, err } = await dockerAll();
    expect(code, out + err).toBe(3);
    expect(out + err).toMatch(/at seq \d+, write.*PAUSE/);
  });

  test('Ctrl-C in a build: 130, and no container is left', async () => {
    rmSync(join(work, 'build', 'busybox'), { recursive: true, force: true });
    let stopped = false;
    const { child, ended } = call(['docker-all', '--base', 'bootstrap'], {
      onOutput: (soFar) => {
        if (stopped || !soFar.includes('busybox:build: Busybox')) return;
        stopped = true;
        child.kill('SIGINT');
      },
    });
    const { code, out, err } = await ended;
    expect(code, out + err).toBe(130);
    expect(stopped).toBe(true);
  });

  test('kill -9 in a build: the next run removes what is left, goes on, and passes', async () => {
    let killed = false;
    const { child, ended } = call(['docker-all', '--base', 'bootstrap'], {
      onOutput: (soFar) => {
        if (killed || !soFar.includes('busybox:')) return;
        killed = true;
        child.kill('SIGKILL');
      },
    });
    expect(await ended).toMatchObject({ code: null });
    const left = await containers();
    expect(left).toHaveLength(1);

    const { code, out, err } = await dockerAll();
    expect(code, out + err).toBe(0);
    expect(out).toContain('Removed a container that a killed run had left');
    expect(out).toMatch(/^busybox:build: done/m);
  });

  test('docker: one command, with its output and exit code', async () => {
    const said = await inside(['sh', '-c', 'id -u; pwd; echo oops >&2; exit 7']);
    expect(said).toEqual({ code: 7, out: `${uid}\n${project.directory}\n`, err: 'oops\n' });
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
      const unknown = await inside(['node', '-e', script]);
      expect(unknown).toEqual({ code: 0, out: 'DEPTH_ZERO_SELF_SIGNED_CERT\n', err: '' });
      const known = await inside(['node', '-e', script], { env: { NODE_EXTRA_CA_CERTS: certificate } });
      expect(known).toEqual({ code: 0, out: 'hello\n', err: '' });
      const missing = join(directory, 'no-such-file');
      const named = await inside(['true'], { env: { NODE_EXTRA_CA_CERTS: missing } });
      expect(named.code, named.out).toBe(5);
      expect(named.err).toContain(`NODE_EXTRA_CA_CERTS names ${missing}, which cannot be read`);
    } finally {
      server.close();
      rmSync(directory, { recursive: true });
    }
  });

  test('docker: `stopwatch` inside knows the work directory of docker-all', async () => {
    const { code, out, err } = await inside(['stopwatch', 'status', '--json']);
    expect(code, err).toBe(0);
    const { paths, tasks }: { paths: { work: string }; tasks: { fresh: boolean }[] } = JSON.parse(out);
    expect(paths.work).toBe(work);
    expect(tasks.filter(({ fresh }) => !fresh)).toEqual([]);
  });

  test('docker without a terminal and without a command', async () => {
    const { code, err } = await call(['docker', '--base', 'bootstrap']).ended;
    expect(code).toBe(2);
    expect(err).toContain('needs a terminal');
  });

  test('on a terminal, it is one inside too', async () => {
    const main = join(project.package, 'dist/stopwatch.js');
    // Daemons older than 23 start with a terminal of no size, and are told the right one a moment later.
    const sized = 'while test "$(stty size)" = "0 0"; do sleep 0.1; done; stty size';
    const line = `${process.execPath} ${main} docker --base bootstrap -- sh -c 'test -t 0 && test -t 1 && ${sized}'`;
    const { code, out, err } = await start('script', ['-qec', `stty rows 31 cols 97; ${line}`, '/dev/null'], {
      cwd: project.directory,
      env: { ...project.env, DOCKER_HOST: address ?? '', TERM: 'xterm' },
    }).ended;
    expect(code, out + err).toBe(0);
    expect(out).toContain('31 97');
  });

  test('no daemon: 5, and what to do', async () => {
    const env = { DOCKER_HOST: `unix://${join(tmpdir(), 'no-such-daemon.sock')}` };
    const { code, err } = await dockerAll([], { env });
    expect(code).toBe(5);
    expect(err).toMatch(
      /No Docker daemon answers at unix:.*no-such-daemon\.sock \(DOCKER_HOST\)[^]*start it/,
    );
  });

  test.runIf(asRoot)('a caller who may not use the daemon: 5, and what to do', async () => {
    const { code, err } = await call(['docker-all'], { group: gid + 1 }).ended;
    expect(code).toBe(5);
    expect(err).toMatch(/may not use the Docker daemon[^]*usermod -aG docker/);
  });

  test('a base that is none: 2; one that cannot be fetched or used: 5; each with what to do', async () => {
    const nonsense = await call(['docker-all', '--base', '../x']).ended;
    expect(nonsense.code).toBe(2);
    expect(nonsense.err).toContain("got '../x'");

    const away = await call(['docker-all', '--base', 'localhost:1/nobody/nothing:1']).ended;
    expect(away.code).toBe(5);
    expect(away.err).toMatch(/pulling localhost:1\/nobody\/nothing[^]*--base bootstrap/);

    const empty = archive([{ path: 'file', content: 'x', mode: 0o644 }]);
    await engine.importImage(Readable.from([empty]), 'stopwatch-empty:1', {}, never);
    const unusable = await call(['docker-all', '--base', 'stopwatch-empty:1']).ended;
    expect(unusable.code, unusable.out).toBe(5);
    expect(unusable.err).toMatch(/stopwatch-empty:1 cannot be the base[^]*Debian 13/);
  });

  test('KVM is refused, for the container has no devices', async () => {
    const { code, err } = await dockerAll(['--realtime', '--accel', 'kvm']);
    expect(code).toBe(2);
    expect(err).toContain('no devices of the host');
  });
});
