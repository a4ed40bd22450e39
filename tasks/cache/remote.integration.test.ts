// SPDX-License-Identifier: MIT
/** The real ccache, gcc, Redis and nginx: what one directory compiled, another one has from the server. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  BUILD,
  CI,
  freePort,
  type Server,
  startNginx,
  startRedis,
} from '../../test/support/cache-servers.js';
import { createCompileCache } from './compile-cache.js';
import type { Credentials } from './store.js';

const FILES = 12;
/** Of these, files without a header: for one, ccache 4.7 gives both of its entries one key. */
const BARE = 2;
const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'stopwatch-cache-'));
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

interface Build {
  readonly address: string;
  readonly credentials?: Credentials;
  readonly readOnly?: boolean;
  readonly timeoutSeconds?: number;
  /** What is compiled; other text, other results. */
  readonly text?: string;
  /** Between the first half of the files and the second. */
  readonly halfway?: () => Promise<void>;
}

let serial = 0;
/** Compiles in a new directory with an empty local cache, one file after the other. */
async function build({
  address,
  credentials = {},
  readOnly = false,
  timeoutSeconds = 2,
  text = 'a',
  halfway,
}: Build) {
  const directory = join(root, `build-${++serial}`);
  mkdirSync(directory);
  const warnings: string[] = [];
  const cache = await createCompileCache({
    settings: { remote: address, readOnly, timeoutSeconds },
    work: directory,
    jobs: 1,
    credentials,
    warn: (warning) => warnings.push(warning),
    features: async () => (await run('ccache', ['--version'])).stdout,
  });
  const env = environmentOf(directory, cache.env);
  cache.start();
  for (let index = 0; index < FILES; index++) {
    if (index === FILES / 2) await halfway?.();
    await compile(directory, index, text, env);
  }
  cache.stop();
  await cache.finish({ hurry: false });
  const use = cache.use();
  if (use?.remote == null) throw new Error('Expected figures of a shared cache');
  return { ...use, remote: use.remote, warnings, env, directory };
}

function environmentOf(directory: string, more: Readonly<Record<string, string>>): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    CCACHE_DIR: join(directory, 'ccache'),
    CCACHE_DEPEND: '1',
    CCACHE_BASEDIR: directory,
    CCACHE_NOHASHDIR: '1',
    ...more,
  };
}

async function compile(
  directory: string,
  index: number,
  text: string,
  env: Record<string, string>,
): Promise<void> {
  const name = `f${index}`;
  writeFileSync(join(directory, 'text.h'), `#define TEXT "${text}"\n`);
  const source =
    index < BARE
      ? `const char *${name}(void) { return "${text}${index}"; }\n`
      : `#include "text.h"\nconst char *${name}(void) { return TEXT "${index}"; }\n`;
  writeFileSync(join(directory, `${name}.c`), source);
  await run('ccache', ['gcc', '-MMD', '-c', `${name}.c`, '-o', `${name}.o`], { env, cwd: directory });
  expect(statSync(join(directory, `${name}.o`)).size).toBeGreaterThan(0);
}

const password = { user: BUILD.user, password: BUILD.password };
const whole = { hits: FILES, misses: 0, errors: 0 };

describe.each(['redis', 'nginx'] as const)('%s, configured as the page says', (kind) => {
  let server: Server;
  beforeAll(async () => {
    const directory = join(root, kind);
    server = await (kind === 'redis' ? startRedis(directory) : startNginx(directory));
    const first = await build({ address: server.address, credentials: password });
    expect(first).toMatchObject({ hits: 0, misses: FILES, errors: 0, warnings: [] });
    // Of each compilation the list of headers and the result.
    expect(first.remote).toMatchObject({ hits: 0, errors: 0, written: 2 * FILES, notWritten: 0 });
  });
  afterAll(async () => server?.stop());

  it('a second directory with an empty local cache compiles nothing', async () => {
    const { remote, ...second } = await build({ address: server.address, credentials: password });
    expect(second).toMatchObject({ ...whole, warnings: [] });
    expect(remote).toMatchObject({
      place: server.address,
      hits: 2 * FILES + BARE,
      misses: 0,
      errors: 0,
      written: 0,
    });
  });

  it('ccache without stopwatch finds what stopwatch wrote', async () => {
    const directory = join(root, `plain-${kind}`);
    mkdirSync(directory);
    const log = join(directory, 'log');
    const { user, password: secret } = BUILD;
    const address = server.address
      .replace('redis+unix:', `redis+unix://${user}:${secret}@localhost`)
      .replace('http://', `http://${user}:${secret}@`);
    const env = environmentOf(directory, {
      CCACHE_STATSLOG: log,
      CCACHE_REMOTE_STORAGE: `${address}|read-only`,
    });
    for (let index = 0; index < FILES; index++) await compile(directory, index, 'a', env);
    const counted = readFileSync(log, 'utf8').split('\n');
    expect(counted.filter((line) => line === 'remote_storage_hit')).toHaveLength(FILES - BARE);
  });

  it('read-only: takes, and writes nothing', async () => {
    const credentials = kind === 'redis' ? CI : {};
    const other = await build({ address: server.address, credentials, readOnly: true, text: 'read-only' });
    expect(other).toMatchObject({ misses: FILES, warnings: [] });
    expect(other.remote).toMatchObject({ errors: 0, written: 0, notWritten: 0 });
    const same = await build({ address: server.address, credentials, readOnly: true });
    expect(same).toMatchObject({ ...whole, warnings: [] });
  });

  it('who may only read is told so once, and has the hits all the same', async () => {
    const credentials = kind === 'redis' ? CI : { user: BUILD.user, password: 'wrong' };
    const refused = await build({ address: server.address, credentials, text: 'refused' });
    expect(refused).toMatchObject({ misses: FILES });
    expect(refused.remote).toMatchObject({ written: 0, notWritten: 2 * FILES });
    expect(refused.warnings).toEqual([
      expect.stringMatching(kind === 'redis' ? /not written to any more: Redis said: NOPERM/ : /HTTP 401/),
    ]);
    const same = await build({ address: server.address, credentials });
    expect(same).toMatchObject({ ...whole, warnings: [] });
  });

  it('gone in the middle: the rest is compiled, and the warning is one', async () => {
    const own = join(root, `${kind}-that-goes`);
    const dying = await (kind === 'redis' ? startRedis(own) : startNginx(own));
    const halfway = async (): Promise<void> => dying.stop();
    const { remote, ...story } = await build({ address: dying.address, credentials: password, halfway });
    expect(story).toMatchObject({ hits: 0, misses: FILES });
    expect(story.warnings.length).toBeGreaterThan(0);
    expect(story.warnings.filter((text) => text.includes('is left out'))).toHaveLength(1);
    expect(remote.written + remote.notWritten).toBe(2 * FILES);
    expect(remote.notWritten).toBeGreaterThan(0);
  });

  it('no compiler is told the address or the password, and no file has the password', async () => {
    const { env, directory, warnings } = await build({ address: server.address, credentials: password });
    const told = JSON.stringify([env, warnings]);
    expect(told).not.toContain(BUILD.password);
    expect(told).not.toContain(server.address);
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect(readFileSync(join(entry.parentPath, entry.name), 'latin1')).not.toContain(BUILD.password);
    }
    expect(existsSync(join(directory, 'run', 'ccache.sock'))).toBe(false);
  });
});

describe('a server that is no good costs one warning, and the build nothing', () => {
  const running: Server[] = [];
  const kept = <T extends Server>(server: T): T => {
    running.push(server);
    return server;
  };
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop();
  });
  const compiled = { hits: 0, misses: FILES, errors: 0 };

  it('a full Redis', async () => {
    const server = kept(await startRedis(join(root, 'full'), ['maxmemory 1', 'maxmemory-policy noeviction']));
    const { remote, ...story } = await build({ address: server.address, credentials: password });
    expect(story).toMatchObject(compiled);
    expect(story.warnings).toEqual([expect.stringMatching(/not written to any more: Redis said: OOM/)]);
    expect(remote).toMatchObject({ written: 0, notWritten: 2 * FILES });
    // Asked to the end all the same.
    expect(remote.misses).toBeGreaterThanOrEqual(FILES);
  });

  it('a wrong password for Redis', async () => {
    const server = kept(await startRedis(join(root, 'password')));
    const { remote, ...story } = await build({
      address: server.address,
      credentials: { user: BUILD.user, password: 'not-this-one' },
    });
    expect(story).toMatchObject(compiled);
    expect(story.warnings).toEqual([
      expect.stringMatching(/left out: Redis said: WRONGPASS.*STOPWATCH_CACHE_PASSWORD/),
    ]);
    expect(story.warnings.join()).not.toContain('not-this-one');
    expect(remote).toMatchObject({ hits: 0, misses: 0, errors: 1, written: 0 });
  });

  it.each([403, 500])('a web server that answers %d', async (status) => {
    const server = kept(await startNginx(join(root, `status-${status}`), `return ${status};`));
    const { remote, ...story } = await build({ address: server.address, credentials: password });
    expect(story).toMatchObject(compiled);
    expect(story.warnings).toEqual([expect.stringContaining(`HTTP ${status}`)]);
    expect(remote).toMatchObject({ errors: 1, written: 0 });
  });

  it.each([507, 405])('a web server that answers PUT with %d', async (status) => {
    const server = kept(
      await startNginx(join(root, `put-${status}`), `if ($request_method = PUT) { return ${status}; }`),
    );
    const { remote, ...story } = await build({ address: server.address, credentials: password });
    expect(story).toMatchObject(compiled);
    expect(story.warnings).toEqual([
      expect.stringContaining(`not written to any more: PUT was answered with HTTP ${status}`),
    ]);
    expect(remote).toMatchObject({ written: 0, notWritten: 2 * FILES });
  });

  it.each(['http', 'redis'])('a port at which nobody listens (%s)', async (scheme) => {
    const address = `${scheme}://127.0.0.1:${await freePort()}`;
    const { remote, ...story } = await build({ address });
    expect(story).toMatchObject(compiled);
    expect(story.warnings).toEqual([expect.stringMatching(/left out: .*ECONNREFUSED/)]);
    expect(remote).toMatchObject({ errors: 1 });
  });

  it.each(['http', 'redis'])('one that takes calls and never answers (%s) is called once', async (scheme) => {
    const hole = await listen(() => {});
    const { remote, ...story } = await build({ address: `${scheme}://${hole.at}`, timeoutSeconds: 0.5 });
    expect(story).toMatchObject(compiled);
    expect(story.warnings).toEqual([expect.stringMatching(/left out: no answer within 0.5 s/)]);
    expect(remote).toMatchObject({ errors: 1 });
    expect(hole.calls()).toBe(1);
    hole.close();
  });

  it.each(['http', 'redis'])('one that speaks something else (%s)', async (scheme) => {
    const stranger = await listen((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    const { remote, ...story } = await build({ address: `${scheme}://${stranger.at}` });
    expect(story).toMatchObject(compiled);
    expect(story.warnings).toHaveLength(1);
    expect(remote).toMatchObject({ errors: 1 });
    stranger.close();
  });

  it('a slow one is asked no more when it costs more than it saves', async () => {
    const directory = join(root, 'slow');
    const server = kept(await startRedis(directory));
    await build({ address: server.address, credentials: password });
    // Each answer half a second late: five seconds are granted, and a hit is worth far less.
    const slow = await listen((socket) => {
      const behind = connect(join(directory, 'redis.sock'));
      socket.pipe(behind);
      behind.on('data', (chunk) => setTimeout(() => socket.write(chunk), 700));
      socket.on('error', () => behind.destroy()).on('close', () => behind.destroy());
    });
    const { remote, ...story } = await build({ address: `redis://${slow.at}`, credentials: password });
    expect(story.hits).toBeGreaterThan(0);
    expect(story.misses).toBeGreaterThan(0);
    expect(story.warnings).toEqual([expect.stringMatching(/costs more time than it saves/)]);
    expect(remote.hits).toBeLessThan(2 * FILES);
    slow.close();
  });
});

interface Listener {
  /** HOST:PORT */
  readonly at: string;
  calls(): number;
  close(): void;
}

async function listen(onCall: (socket: Socket) => void): Promise<Listener> {
  let calls = 0;
  const sockets = new Set<Socket>();
  const server: NetServer = createServer((socket) => {
    calls++;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onCall(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a port');
  return {
    at: `127.0.0.1:${address.port}`,
    calls: () => calls,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
