// SPDX-License-Identifier: MIT
/** The real ccache, gcc, Redis and nginx: one directory finds on the server what another one compiled. */
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
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcesses } from '../../lib/process/process.js';
import {
  BUILD,
  CI,
  freePort,
  type Server,
  startNginx,
  startRedis,
} from '../../test/support/cache-servers.js';
import { createCompileCache } from './compile-cache.js';

const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'stopwatch-cache-'));
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

const FILES = 6;

interface Build {
  readonly address: string;
  readonly login?: { readonly user: string; readonly password: string };
  readonly readOnly?: boolean;
  /** What is compiled: other text, other results. */
  readonly text?: string;
  /** Before the last of the files. */
  readonly late?: (directory: string) => unknown;
}

/** Compiles in a new directory with an empty local cache. */
async function build({ address, login, readOnly = false, text = 'a', late }: Build) {
  const directory = mkdtempSync(join(root, 'build-'));
  const home = join(directory, 'home');
  mkdirSync(join(home, '.config', 'ccache'), { recursive: true });
  writeFileSync(
    join(home, '.config', 'ccache', 'ccache.conf'),
    'max_size = 3G\nremote_storage = http://own\n',
  );
  const warnings: string[] = [];
  const cache = createCompileCache({
    settings: { remote: address, readOnly, timeoutSeconds: 1 },
    work: directory,
    environment: { STOPWATCH_CACHE_USER: login?.user, STOPWATCH_CACHE_PASSWORD: login?.password },
    toolEnv: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      CCACHE_DEPEND: '1',
      CCACHE_BASEDIR: directory,
      CCACHE_NOHASHDIR: '1',
      CCACHE_REMOTE_STORAGE: 'http://own',
    },
    processes: createProcesses(),
    signal: new AbortController().signal,
    warn: (warning) => warnings.push(warning),
  });
  await cache.start(true);
  writeFileSync(join(directory, 'text.h'), `#define TEXT "${text}"\n`);
  for (let index = 0; index < FILES; index++) {
    if (index === FILES - 1) await late?.(directory);
    const name = `f${index}`;
    writeFileSync(
      join(directory, `${name}.c`),
      `#include "text.h"\nconst char *${name}(void) { return TEXT "${index}"; }\n`,
    );
    const args = ['gcc', '-MMD', '-c', `${name}.c`, '-o', `${name}.o`];
    await run('ccache', args, { env: cache.env, cwd: directory });
    expect(statSync(join(directory, `${name}.o`)).size).toBeGreaterThan(0);
  }
  cache.stop();
  return { ...cache.use(), warnings, env: cache.env, directory };
}

const compiled = { hits: 0, misses: FILES, errors: 0 };
const found = { hits: FILES, misses: 0, errors: 0 };

describe.each(['redis', 'nginx'] as const)('%s, configured as the page says', (kind) => {
  let server: Server;
  beforeAll(async () => {
    const directory = join(root, kind);
    server = await (kind === 'redis' ? startRedis(directory) : startNginx(directory));
    expect(await build({ address: server.address, login: BUILD })).toMatchObject({
      ...compiled,
      warnings: [],
      // Of each compilation the list of headers and the result.
      remote: { hits: 0, errors: 0, written: 2 * FILES },
    });
  });
  afterAll(async () => server?.stop());

  it('a second directory with an empty local cache compiles nothing', async () => {
    expect(await build({ address: server.address, login: BUILD })).toMatchObject({
      ...found,
      warnings: [],
      remote: { place: server.address, hits: 2 * FILES, misses: 0, errors: 0, written: 0 },
    });
  });

  it('across a network is used, with a warning that it has no TLS', async () => {
    // Also this host, but by an address that could be any.
    const address = server.address.replace('127.0.0.1', '0.0.0.0');
    expect(await build({ address, login: BUILD })).toMatchObject({
      ...found,
      warnings:
        kind === 'redis'
          ? [] // By its socket.
          : [expect.stringContaining(`The shared compile cache ${address} has no TLS`)],
    });
  });

  it('read-only: reads, and writes nothing', async () => {
    const about = { address: server.address, ...(kind === 'redis' ? { login: CI } : {}), readOnly: true };
    expect(await build({ ...about, text: 'read-only' })).toMatchObject({
      ...compiled,
      warnings: [],
      remote: { errors: 0, written: 0 },
    });
    expect(await build(about)).toMatchObject({ ...found, warnings: [] });
  });

  it('a user who may only read has hits; what is not written is counted', async () => {
    const login = kind === 'redis' ? CI : { user: BUILD.user, password: 'wrong' };
    const refused = await build({ address: server.address, login, text: 'refused' });
    expect(refused).toMatchObject({ misses: FILES, remote: { written: 0 } });
    expect(refused.remote?.errors).toBeGreaterThanOrEqual(FILES);
    expect(await build({ address: server.address, login })).toMatchObject(found);
  });

  it('a password is in one file that only the user can read, and that goes with the run', async () => {
    let mode = 0;
    let shown = '';
    const late = async (directory: string): Promise<void> => {
      const file = join(directory, 'run', 'ccache.conf');
      mode = statSync(file).mode;
      expect(readFileSync(file, 'utf8')).toContain(BUILD.password);
      const env = { PATH: process.env['PATH'] ?? '', HOME: join(directory, 'home'), CCACHE_CONFIGPATH: file };
      shown = (await run('ccache', ['--get-config', 'max_size'], { env })).stdout;
    };
    const { env, directory } = await build({ address: server.address, login: BUILD, late });
    expect(mode & 0o777).toBe(0o600);
    // The user's own settings stay in force.
    expect(shown.trim()).toBe('3.0G');
    expect(JSON.stringify(env)).not.toContain(BUILD.password);
    expect(JSON.stringify(env)).not.toContain(server.address);
    expect(existsSync(join(directory, 'run', 'ccache.conf'))).toBe(false);
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true }))
      if (entry.isFile())
        expect(readFileSync(join(entry.parentPath, entry.name), 'latin1')).not.toContain(BUILD.password);
  });

  it('a server that goes away in mid-build costs the rest of the hits, and not the build', async () => {
    const own = join(root, `${kind}-that-goes`);
    const dying = await (kind === 'redis' ? startRedis(own) : startNginx(own));
    const late = async (): Promise<void> => dying.stop();
    const use = await build({ address: dying.address, login: BUILD, late });
    expect(use).toMatchObject({ ...compiled, remote: { written: 2 * (FILES - 1) } });
    expect(use.remote?.errors).toBeGreaterThan(0);
  });
});

describe('a server that cannot be used costs one warning, and is not asked again', () => {
  const SECRET = { user: 'build', password: 'not:th@s one' };
  const refused = async (address: string, why: RegExp): Promise<void> => {
    const { warnings, ...use } = await build({ address, login: SECRET });
    expect(warnings).toEqual([expect.stringMatching(why)]);
    expect(warnings[0]).toContain(`Building without the shared compile cache ${address}: `);
    expect(warnings[0]).not.toContain(SECRET.password);
    expect(use).toMatchObject({ ...compiled, remote: { hits: 0, misses: 0, errors: 0, written: 0 } });
  };

  it('a wrong password for Redis', async () => {
    const server = await startRedis(join(root, 'password'));
    await refused(server.address, /Redis said: WRONGPASS.*STOPWATCH_CACHE_PASSWORD/).finally(async () =>
      server.stop(),
    );
  });

  it.each([403, 500])('a web server that answers %d', async (status) => {
    const server = await startNginx(join(root, `status-${status}`), `return ${status};`);
    await refused(server.address, new RegExp(`HTTP ${status}`)).finally(async () => server.stop());
  });

  it.each(['http', 'redis'])('no server at all (%s)', async (scheme) => {
    await refused(`${scheme}://127.0.0.1:${await freePort()}`, /ECONNREFUSED/);
  });

  it.each(['http', 'redis'])('one that never answers (%s)', async (scheme) => {
    const silent = await listen(() => {});
    await refused(`${scheme}://${silent.at}`, /no answer within 1 s/);
    expect(silent.connections()).toBe(1);
    silent.close();
  });

  it.each(['http', 'redis'])('one that speaks something else (%s)', async (scheme) => {
    const other = await listen((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await refused(`${scheme}://${other.at}`, /Parse Error|does not speak/);
    other.close();
  });
});

async function listen(onConnection: (socket: Socket) => void) {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a port');
  return {
    at: `127.0.0.1:${address.port}`,
    connections: () => connections,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
