// SPDX-License-Identifier: MIT
/**
 * A base image out of a real registry that wants a name and a password (Debian's docker-registry), pulled by a real
 * daemon (STOPWATCH_TEST_DOCKER) for the real command line, with what `docker login` would have left behind.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../tasks/config/paths.js';
import { which } from '../lib/which.js';
import { environment, start } from '../test/e2e/project.js';
import { archive } from './archive.js';
import { connect } from './connection.js';
import { openEngine } from './dockerode.js';
import type { Engine } from './engine.js';

const address = process.env['STOPWATCH_TEST_DOCKER'];
const NAME = 'ann';
const PASSWORD = 'open sesame';
/** bcrypt, the one form that the registry takes. */
const HASH = '$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW';
const never = new AbortController().signal;

function base64(plain: string): string {
  return Buffer.from(plain).toString('base64');
}

/** Debian's registry; not installed, for that would start a service. Undefined where there is no apt. */
function registryProgram(directory: string): string | undefined {
  const installed = which('docker-registry', process.env['PATH']);
  if (installed.found) return installed.path;
  if (!which('apt-get', process.env['PATH']).found) return undefined;
  // apt's own user has no right to write into a directory of ours.
  execFileSync('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', 'docker-registry'], {
    cwd: directory,
    stdio: 'ignore',
  });
  const deb = readdirSync(directory).find((name) => name.endsWith('.deb')) ?? '';
  execFileSync('dpkg', ['-x', deb, 'unpacked'], { cwd: directory });
  return join(directory, 'unpacked/usr/bin/docker-registry');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const found = server.address();
  server.close();
  await once(server, 'close');
  return typeof found === 'object' && found !== null ? found.port : 0;
}

/** A request to the daemon that the product does not make; gives what it answered. */
async function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  const socketPath = (address ?? '').replace('unix://', '');
  const asked = request({ socketPath, method, path, headers });
  asked.end();
  const [answer]: Readable[] = await once(asked, 'response');
  return answer === undefined ? '' : await text(answer);
}

describe.skipIf(address === undefined)('a registry that wants a password (STOPWATCH_TEST_DOCKER)', () => {
  let directory: string;
  let registry: ChildProcess | undefined;
  let server: string;
  let image: string;
  let engine: Engine;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stopwatch-registry-'));
    // The daemon's own host needs no TLS.
    server = `127.0.0.1:${await freePort()}`;
    image = `${server}/private/base`;
    writeFileSync(join(directory, 'users'), `${NAME}:${HASH}\n`);
    const settings = {
      version: '0.1',
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      http: { addr: server },
      auth: { htpasswd: { realm: 'test', path: join(directory, 'users') } },
    };
    writeFileSync(join(directory, 'config.yml'), JSON.stringify(settings));
    const program = registryProgram(directory);
    if (program === undefined) return;
    registry = spawn(program, ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
    engine = await connect(
      { env: { DOCKER_HOST: address }, home: homedir(), readFile: () => Promise.resolve(undefined) },
      openEngine,
      never,
    );
    const nothing = archive([{ path: 'file', content: 'private', mode: 0o644 }]);
    await engine.importImage(Readable.from([nothing]), 'stopwatch-private:1', {}, never);
    await ask('POST', `/images/stopwatch-private:1/tag?repo=${encodeURIComponent(image)}&tag=1`);
    const login = base64(JSON.stringify({ username: NAME, password: PASSWORD, serveraddress: server }));
    let said = '';
    // It takes a moment until it listens.
    for (let tries = 0; tries < 50 && !said.includes('digest'); tries++) {
      if (tries > 0) await sleep(200);
      said = await ask('POST', `/images/${image}/push?tag=1`, { 'X-Registry-Auth': login });
    }
    expect(said).toContain('digest');
  });

  afterAll(async () => {
    for (const name of [`${image}:1`, 'stopwatch-private:1']) await engine?.removeImage(name);
    registry?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  /** The command line with this config.json; what it says on standard error. */
  async function pull(config: unknown): Promise<string> {
    for (const name of [`${image}:1`, 'stopwatch-private:1']) await engine.removeImage(name);
    const place = join(directory, 'docker');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'config.json'), JSON.stringify(config));
    const main = join(packageRoot(), 'dist/stopwatch.js');
    const { code, out, err } = await start(
      process.execPath,
      [main, 'docker', '--base', `${image}:1`, '--', 'true'],
      {
        cwd: directory,
        env: {
          ...environment(directory, join(directory, 'ccache')),
          PATH: `${directory}:${process.env['PATH'] ?? ''}`,
          DOCKER_HOST: address ?? '',
          DOCKER_CONFIG: place,
        },
      },
    ).ended;
    // It is no Debian: what can be pulled fails later.
    expect(code, out + err).toBe(5);
    expect(out + err).not.toContain(PASSWORD);
    expect(out + err).not.toContain(base64(`${NAME}:${PASSWORD}`));
    return err;
  }

  const pulled = /cannot be the base of the image/;

  test('without: what to do', async ({ skip }) => {
    if (registry === undefined) skip('there is no apt to get docker-registry with');
    expect(await pull({})).toMatch(/pulling [^]*docker login 127\.0\.0\.1:/);
  });

  test('with a wrong password: what to do', async ({ skip }) => {
    if (registry === undefined) skip('there is no apt to get docker-registry with');
    const auths = { [server]: { auth: base64(`${NAME}:wrong`) } };
    expect(await pull({ auths })).toMatch(/pulling [^]*does not take the name and password[^]*docker login/);
  });

  test('out of config.json', async ({ skip }) => {
    if (registry === undefined) skip('there is no apt to get docker-registry with');
    expect(await pull({ auths: { [server]: { auth: base64(`${NAME}:${PASSWORD}`) } } })).toMatch(pulled);
  });

  test('out of a credential helper', async ({ skip }) => {
    if (registry === undefined) skip('there is no apt to get docker-registry with');
    const helper = join(directory, 'docker-credential-test');
    const answer = JSON.stringify({ ServerURL: server, Username: NAME, Secret: PASSWORD });
    const script = `#!/bin/sh\nread -r asked\n[ "$1 $asked" = 'get ${server}' ] && echo '${answer}'\n`;
    writeFileSync(helper, script);
    chmodSync(helper, 0o755);
    expect(await pull({ credHelpers: { [server]: 'test' } })).toMatch(pulled);
    expect(await pull({ credsStore: 'missing' })).toContain('docker-credential-missing, which cannot be run');
  });
});
