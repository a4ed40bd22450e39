// SPDX-License-Identifier: MIT
/** The ways in which a connection is made or fails, with real servers and real certificates. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type RequestListener, type Server, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type Docker from 'dockerode';
import { connect } from './daemon.js';
import { field } from './errors.js';

let directory: string;
const servers: Server[] = [];

/** Answers as a daemon to the one request that `connect` makes. */
const daemon: RequestListener = (request, response) => {
  const ok = request.url === '/version';
  response.writeHead(ok ? 200 : 404, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(ok ? { ApiVersion: '1.41' } : { message: 'not found' }));
};

async function listen(server: Server, where: string | undefined): Promise<string> {
  servers.push(server);
  if (where !== undefined) server.listen(where);
  else server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null
    ? `tcp://127.0.0.1:${address.port}`
    : `unix://${where}`;
}

async function find(
  env: Record<string, string>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Docker> {
  return connect({ env, home: directory }, signal);
}

/** Where a client's requests go. */
function addressOf({ modem }: Docker): string {
  const part = (key: string): string => String(field(modem, key));
  return field(modem, 'socketPath') === undefined
    ? `tcp://${part('host')}:${part('port')}`
    : `unix://${part('socketPath')}`;
}

/** Keys signed by themselves for 127.0.0.1, in a directory as DOCKER_CERT_PATH names one. */
function makeKeys(): string {
  const place = execFileSync('mktemp', ['-d', '-p', directory], { encoding: 'utf8' }).trim();
  const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')];
  const what = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...how, ...what, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  execFileSync('cp', [cert, join(place, 'ca.pem')]);
  return place;
}

async function tlsServer(keys: string): Promise<string> {
  const [key, cert, ca] = await Promise.all(
    ['key.pem', 'cert.pem', 'ca.pem'].map((name) => readFile(join(keys, name))),
  );
  const options = { key, cert, ca, requestCert: true, rejectUnauthorized: true };
  return await listen(createTlsServer(options, daemon), undefined);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stopwatch-connection-'));
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

test('a socket, found through DOCKER_HOST', async () => {
  const address = await listen(createServer(daemon), join(directory, 'a.sock'));
  expect(addressOf(await find({ DOCKER_HOST: address }))).toBe(address);
});

test('the rootless socket, when nothing was named', async () => {
  await listen(createServer(daemon), join(directory, 'docker.sock'));
  // Where this machine has a daemon of its own at the default place, that one comes first.
  const found = addressOf(await find({ XDG_RUNTIME_DIR: directory }));
  expect([`unix://${join(directory, 'docker.sock')}`, 'unix:///var/run/docker.sock']).toContain(found);
});

test('TCP', async () => {
  const address = await listen(createServer(daemon), undefined);
  expect(addressOf(await find({ DOCKER_HOST: address }))).toBe(address);
});

test('TLS, with the daemon’s certificate checked and ours shown', async () => {
  const keys = makeKeys();
  const address = await tlsServer(keys);
  const env = { DOCKER_HOST: address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: keys };
  expect(addressOf(await find(env))).toBe(address);
});

test('TLS with the keys of another daemon', async () => {
  const address = await tlsServer(makeKeys());
  const env = { DOCKER_HOST: address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: makeKeys() };
  await expect(find(env)).rejects.toMatchObject({
    code: 'docker-unreachable',
    message: expect.stringContaining('No secure connection to the Docker daemon'),
    hint: expect.stringContaining('ca.pem'),
  });
});

test('TLS asked of a daemon that speaks without', async () => {
  const address = await listen(createServer(daemon), undefined);
  const env = { DOCKER_HOST: address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: makeKeys() };
  await expect(find(env)).rejects.toMatchObject({
    code: 'docker-unreachable',
    hint: expect.stringContaining('DOCKER_TLS_VERIFY unset'),
  });
});

test('no server listens', async () => {
  const server = createServer(daemon);
  const address = await listen(server, undefined);
  server.close();
  await once(server, 'close');
  await expect(find({ DOCKER_HOST: address })).rejects.toMatchObject({
    code: 'docker-unreachable',
    message: expect.stringContaining('No Docker daemon answers at'),
  });
});

test('something else answers', async () => {
  const other = await listen(
    createServer((_, response) => response.end('hello')),
    undefined,
  );
  await expect(find({ DOCKER_HOST: other })).rejects.toMatchObject({
    code: 'docker-unreachable',
    message: expect.stringContaining('does not answer as a Docker daemon does'),
  });
});

test('interrupted while nothing comes back', async () => {
  const abort = new AbortController();
  const silent = await listen(
    createServer(() => abort.abort()),
    undefined,
  );
  await expect(find({ DOCKER_HOST: silent }, abort.signal)).rejects.toMatchObject({ code: 'interrupted' });
});
