// SPDX-License-Identifier: MIT
/** The real ccache, gcc, Redis and nginx: what one directory compiled, another one has from the server. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
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
import { makeCertificate } from '../../test/support/certificate.js';
import { BARE, type Build, build as buildIn, compile, environmentOf, FILES } from './build.test.support.js';

const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), 'stopwatch-cache-'));
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

const build = async (about: Omit<Build, 'root'>) => buildIn({ root, ...about });
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

/** By a process that trusts this certificate: Node reads which ones it does when it starts. */
async function buildTrusting(certificate: string | undefined, about: Omit<Build, 'root' | 'halfway'>) {
  const script = join(import.meta.dirname, 'build-one.test.support.ts');
  const { stdout } = await run(
    process.execPath,
    ['--import', 'jiti/register', script, JSON.stringify({ root, ...about })],
    {
      cwd: import.meta.dirname,
      env: {
        PATH: process.env['PATH'] ?? '',
        ...(certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate }),
      },
    },
  );
  const use: Omit<Awaited<ReturnType<typeof buildIn>>, 'env' | 'directory'> = JSON.parse(stdout);
  return use;
}

describe.each(['rediss', 'https'] as const)('over TLS (%s)', (scheme) => {
  let certificate: string;
  let address: string;
  let server: Server;
  beforeAll(async () => {
    const directory = join(root, scheme);
    mkdirSync(directory);
    const tls = makeCertificate(directory);
    certificate = tls.certificate;
    const port = await freePort();
    address = `${scheme}://localhost:${port}${scheme === 'https' ? '/ccache' : ''}`;
    server =
      scheme === 'https'
        ? await startNginx(
            directory,
            `listen 127.0.0.1:${port} ssl; ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`,
          )
        : await startRedis(directory, [
            `tls-port ${port}`,
            'bind 127.0.0.1',
            `tls-cert-file ${tls.certificate}`,
            `tls-key-file ${tls.key}`,
            'tls-auth-clients no',
            `tls-ca-cert-file ${tls.certificate}`,
          ]);
  });
  afterAll(async () => server?.stop());

  it('of a certificate that is trusted', async () => {
    const first = await buildTrusting(certificate, { address, credentials: password });
    expect(first).toMatchObject({ misses: FILES, warnings: [] });
    const second = await buildTrusting(certificate, { address, credentials: password });
    expect(second).toMatchObject({ ...whole, warnings: [] });
  });

  it('of one that nobody has vouched for: it is left out, and told neither user nor password', async () => {
    const { remote, ...story } = await buildTrusting(undefined, { address, credentials: password });
    expect(story).toMatchObject({ hits: 0, misses: FILES, errors: 0 });
    expect(story.warnings).toEqual([expect.stringMatching(/left out: .*self-signed certificate/)]);
    expect(remote).toMatchObject({ hits: 0, written: 0 });
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
