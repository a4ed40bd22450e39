// SPDX-License-Identifier: MIT
/**
 * Against a real daemon, whose address is in STOPWATCH_TEST_DOCKER (unix:///…); CI starts one of its own.
 * The first run makes the base and the image, which takes minutes; later ones find them.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baseEnvironment } from '../lib/environment.js';
import { createProcesses } from '../lib/process/process.js';
import type Docker from 'dockerode';
import { archive, daemonInfo, findImage } from './api.js';
import { containerOptions, type RunRequest, type RunStreams, runInContainer } from './container.js';
import { connect } from './daemon.js';
import { ensureImage, type ImageDeps, type ImageRequest, KEPT_IMAGES } from './image.js';
import { thisOwner } from '../lib/process/owner.js';
import { containersOf, OWNER_LABEL, removeLeftovers } from './leftovers.js';

const address = process.env['STOPWATCH_TEST_DOCKER'];
const MINUTES = 60_000;
const dockerfile = await readFile(new URL('Dockerfile', import.meta.url), 'utf8');
/** Somebody who is neither root nor known to the image. */
const UID = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 0);
const GID = process.getgid?.() === 0 ? 12_346 : (process.getgid?.() ?? 0);

class Collect extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.emit('more');
    done();
  }
  /** Resolves when the output holds this. */
  async holds(part: string): Promise<void> {
    while (!this.text.includes(part)) await once(this, 'more');
  }
}

function imageRequest(changes: Partial<ImageRequest> = {}): ImageRequest {
  return { dockerfile, base: 'bootstrap', rebuild: false, ...changes };
}

describe.skipIf(address === undefined)('a real daemon (STOPWATCH_TEST_DOCKER)', () => {
  const never = new AbortController().signal;
  let directory: string;
  let docker: Docker;
  let tag: string;
  const lines: string[] = [];

  function remember(line: string): void {
    lines.push(line);
  }

  function deps(signal: AbortSignal = never): ImageDeps {
    const env = baseEnvironment();
    return {
      docker,
      processes: createProcesses(),
      env,
      userEnv: process.env,
      signal,
      onLine: remember,
    };
  }

  function runRequest(command: readonly string[], changes: Partial<RunRequest> = {}): RunRequest {
    const user = { uid: UID, gid: GID, name: 'ann' };
    const main = join(directory, 'main.js');
    const place = { directory, directories: [directory], work: directory, main };
    return { image: tag, command, env: {}, user, owner: thisOwner(), ...place, ...changes };
  }

  async function run(
    command: readonly string[],
    changes: Partial<RunRequest> = {},
    terminal?: RunStreams['terminal'],
  ): Promise<{ code: number; out: string; err: string }> {
    const [stdout, stderr] = [new Collect(), new Collect()];
    const streams = { stdout, stderr, ...(terminal === undefined ? {} : { terminal }) };
    const code = await runInContainer(docker, runRequest(command, changes), streams, never);
    return { code, out: stdout.text, err: stderr.text };
  }

  async function shell(script: string): Promise<{ code: number; out: string; err: string }> {
    return await run(['sh', '-c', script]);
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stopwatch-docker-'));
    await chown(directory, UID, GID);
    docker = await connect({ env: { DOCKER_HOST: address }, home: homedir() }, never);
    ({ tag } = await ensureImage(deps(), imageRequest()));
  }, 15 * MINUTES);

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  test('the image is small enough, and is there the second time', async () => {
    lines.length = 0;
    const again = await ensureImage(deps(), imageRequest());
    expect(again).toMatchObject({ tag, built: false });
    expect(again.sizeBytes).toBeLessThanOrEqual(1024 ** 3);
    expect(lines).toEqual([]);
  });

  test(
    'a changed Dockerfile is built, on the layers that did not change',
    async () => {
      lines.length = 0;
      const changed = `${dockerfile}LABEL stopwatch.test="${Date.now()}"\n`;
      const ready = await ensureImage(deps(), imageRequest({ dockerfile: changed }));
      expect(ready).toMatchObject({ built: true });
      expect(ready.tag).not.toBe(tag);
      expect(lines.filter((line) => line.includes('Using cache')).length).toBeGreaterThanOrEqual(3);
      expect(lines.some((line) => /^step 1\//i.test(line))).toBe(true);
    },
    5 * MINUTES,
  );

  test('exit code, both streams, user, files, home', async () => {
    const { code, out, err } = await shell(
      'id -u; id -g; id -un; echo made > made; echo oops >&2; touch ~/writable && pwd; exit 7',
    );
    expect({ code, out, err }).toEqual({
      code: 7,
      out: `${UID}\n${GID}\nann\n${directory}\n`,
      err: 'oops\n',
    });
    expect(await stat(join(directory, 'made'))).toMatchObject({ uid: UID, gid: GID, size: 5 });
  });

  test('no privileges, no socket of the daemon, an init', async () => {
    const { out } = await shell(
      'grep -E "^(CapEff|CapBnd|NoNewPrivs):" /proc/self/status; find / -xdev -name "docker*.sock" -o -name "podman*.sock" 2>/dev/null; cat /proc/1/comm',
    );
    expect(out.replaceAll('\t', ' ')).toBe(
      'CapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\ntini\n',
    );
  });

  test('every tool that a build calls for runs', async () => {
    const tools =
      'aarch64-linux-gnu-gcc gcc make ninja flex bison bc perl python3 tar xz ccache dtc flock setpriv git';
    const { code, out } = await shell(
      `for tool in ${tools}; do $tool --version >/dev/null 2>&1 || echo $tool; done; node -p 'process.versions.node.split(".").map(Number)[0] >= 20'`,
    );
    expect({ code, out }).toEqual({ code: 0, out: 'true\n' });
  });

  test('`stopwatch` inside is this program', async () => {
    await writeFile(join(directory, 'main.js'), 'console.log("args", ...process.argv.slice(2))');
    expect(await run(['stopwatch', 'all', 'a b'])).toMatchObject({ code: 0, out: 'args all a b\n' });
  });

  test('a megabyte on each stream arrives whole', async () => {
    const { out, err } = await shell('head -c 1000000 /dev/zero | tr "\\0" o | tee /dev/stderr; exit 0');
    expect([out.length, err.length]).toEqual([1_000_000, 1_000_000]);
  });

  test('a command that the image lacks', async () => {
    expect(await run(['no-such-program'])).toMatchObject({ code: 127 });
  });

  test('a read-only directory cannot be written to', async () => {
    await chown(directory, UID, GID);
    const { code, err } = await run(['touch', join(directory, 'x')], {
      directories: [],
      readOnly: [directory],
    });
    expect(code).toBe(1);
    expect(err).toContain('Read-only file system');
  });

  test('a directory that is not there', async () => {
    const gone = join(directory, 'gone');
    await expect(run(['true'], { readOnly: [gone] })).rejects.toMatchObject({
      code: 'file-unreadable',
      message: expect.stringContaining(gone),
    });
  });

  test('a terminal: one stream, its size, and changes of it', async () => {
    let size = { columns: 97, rows: 31 };
    const listeners = new Set<() => void>();
    const terminal = {
      size: () => size,
      onResize(callback: () => void) {
        listeners.add(callback);
        return () => void listeners.delete(callback);
      },
    };
    const [stdout, stderr] = [new Collect(), new Collect()];
    const script = `until_size() { until [ "$(stty size)" = "$1" ]; do sleep 0.02; done; }
      test -t 0 -a -t 1 -a -t 2 || exit 1
      until_size '31 97'; echo first
      until_size '10 20'; echo second >&2`;
    const ended = runInContainer(
      docker,
      runRequest(['sh', '-c', script]),
      { stdout, stderr, terminal },
      never,
    );
    await stdout.holds('first');
    size = { columns: 20, rows: 10 };
    for (const listener of listeners) listener();
    expect(await ended).toBe(0);
    expect([stdout.text, stderr.text, listeners.size]).toEqual(['first\r\nsecond\r\n', '', 0]);
  });

  test('aborted: the command gets SIGINT, and nothing stays', async () => {
    const abort = new AbortController();
    const [stdout, stderr] = [new Collect(), new Collect()];
    const script = 'trap "echo got SIGINT; exit 130" INT; echo up; while :; do sleep 0.05; done';
    const ended = runInContainer(
      docker,
      runRequest(['bash', '-c', script]),
      { stdout, stderr },
      abort.signal,
    );
    ended.catch(() => undefined);
    await stdout.holds('up');
    abort.abort();
    await expect(ended).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 });
    expect(stdout.text).toContain('got SIGINT');
    expect(await containersOf(docker, directory)).toEqual([]);
  });

  test('what a killed run left is removed; what is in use is not', async () => {
    const info = await daemonInfo(docker);
    const child = spawn('sleep', ['60']);
    const owner = { ...thisOwner(), pid: child.pid ?? 0, start: 'another' };
    const specs = [owner, thisOwner()].map((of) =>
      containerOptions(runRequest(['sleep', '60'], { owner: of }), info, undefined),
    );
    child.kill();
    const made = [];
    for (const spec of specs) {
      const container = await docker.createContainer(spec);
      await container.start();
      made.push(container);
    }
    expect(await removeLeftovers(docker, directory)).toEqual([made[0]?.id]);
    const left = await containersOf(docker, directory);
    expect(left.map(({ Id, State }) => ({ Id, State }))).toEqual([{ Id: made[1]?.id, State: 'running' }]);
    expect(left[0]?.Labels[OWNER_LABEL]).toBe(JSON.stringify(thisOwner()));
    await made[1]?.remove({ force: true });
  });

  test('images of older inputs go, but for the newest and for those in use', async () => {
    // Somebody works in the one of the other tests, which is older than all that are made here.
    const spec = containerOptions(runRequest(['true']), await daemonInfo(docker), undefined);
    const container = await docker.createContainer(spec);
    const made: { tag: string; removed: readonly string[] }[] = [];
    for (let number = 0; number <= KEPT_IMAGES; number++) {
      // Its time is in whole seconds, and decides which is older.
      if (number > 0) await sleep(1100);
      const changed = `ARG BASE=x\nFROM \${BASE}\nLABEL stopwatch.test="${Date.now()}"\n`;
      const ready = await ensureImage(deps(), imageRequest({ dockerfile: changed }));
      made.push({
        tag: ready.tag,
        removed: ready.removed.map((one) => one.tag.replace(/^docker\.io\/library\//, '')),
      });
    }
    const [first, ...rest] = made.map((each) => each.tag);
    expect(made.at(-1)?.removed).toEqual([first]);
    for (const each of [tag, ...rest]) expect(await findImage(docker, each)).toBeDefined();
    await container.remove();
    for (const each of rest) await docker.getImage(each).remove();
  });

  test('a pull that fails says what to do', async () => {
    const base = 'localhost:1/nobody/nothing:1';
    await expect(ensureImage(deps(), imageRequest({ base }))).rejects.toMatchObject({
      code: 'docker-failed',
      message: expect.stringContaining('pulling localhost:1/nobody/nothing:1'),
      hint: expect.stringContaining('--base bootstrap'),
    });
  });

  test('a build that fails shows the step and its output', async () => {
    const broken = 'ARG BASE=x\nFROM ${BASE}\nRUN echo "so it goes" >&2; exit 9\n';
    await expect(ensureImage(deps(), imageRequest({ dockerfile: broken }))).rejects.toMatchObject({
      code: 'docker-failed',
      message: expect.stringContaining('so it goes'),
      lastLines: expect.arrayContaining(['so it goes', expect.stringMatching(/^step 2\//i)]),
    });
  });

  test('a build is ended at once', async () => {
    const abort = new AbortController();
    const slow = 'ARG BASE=x\nFROM ${BASE}\nRUN echo running; sleep 50\n';
    const dependencies = deps(abort.signal);
    const onLine = (line: string): void => {
      if (line === 'running') abort.abort();
    };
    await expect(
      ensureImage({ ...dependencies, onLine }, imageRequest({ dockerfile: slow })),
    ).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('a base of another architecture', async () => {
    const { architecture } = await daemonInfo(docker);
    const other = architecture === 'arm64' ? 'amd64' : 'arm64';
    const base = 'stopwatch-other:1';
    await post('/images/load', savedImage(base, other));
    await expect(ensureImage(deps(), imageRequest({ base }))).rejects.toMatchObject({
      code: 'docker-failed',
      message: expect.stringContaining(`expected ${architecture}, which the daemon runs on, got ${other}`),
    });
  });

  test('nonsense as a base', async () => {
    for (const base of ['', 'a b', '-x', '../x'])
      await expect(ensureImage(deps(), imageRequest({ base }))).rejects.toMatchObject({ code: 'bad-usage' });
  });
});

/** An image as `docker save` writes it. */
function savedImage(tag: string, architecture: string): Buffer {
  const layer = archive([{ path: 'file', content: 'x', mode: 0o644 }]);
  const id = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  const config = { architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [id] } };
  const manifest = [{ Config: 'config.json', RepoTags: [tag], Layers: ['layer.tar'] }];
  return archive([
    { path: 'manifest.json', content: JSON.stringify(manifest), mode: 0o644 },
    { path: 'config.json', content: JSON.stringify(config), mode: 0o644 },
    { path: 'layer.tar', content: layer.toString('latin1'), mode: 0o644 },
  ]);
}

/** A request with a body of our own. */
async function post(path: string, body: Buffer): Promise<string> {
  const socketPath = (address ?? '').replace(/^unix:\/\//, '');
  const headers = { 'Content-Type': 'application/x-tar' };
  const request = httpRequest({ socketPath, path, method: 'POST', headers });
  Readable.from([body]).pipe(request);
  const [response] = await once(request, 'response');
  return await text(response);
}
