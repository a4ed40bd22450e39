// SPDX-License-Identifier: MIT
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { StopwatchError } from '../lib/errors.js';
import { endpointAddress, connect, type Endpoint, endpoints, type Surroundings } from './daemon.js';

function surroundings(
  env: Record<string, string>,
  files: Readonly<Record<string, string>> = {},
): Surroundings {
  return { env, home: '/home/ann', readFile: (path) => Promise.resolve(files[path]) };
}

function context(
  name: string,
  docker: object,
  tls: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const id = createHash('sha256').update(name).digest('hex');
  const base = '/home/ann/.docker/contexts';
  const meta = { [`${base}/meta/${id}/meta.json`]: JSON.stringify({ Name: name, Endpoints: { docker } }) };
  const keys = Object.entries(tls).map(([file, text]) => [`${base}/tls/${id}/docker/${file}`, text]);
  return { ...meta, ...Object.fromEntries(keys) };
}

function config(text: string): Record<string, string> {
  return { '/home/ann/.docker/config.json': text };
}

async function addresses(where: Surroundings): Promise<string[]> {
  return (await endpoints(where)).map(endpointAddress);
}

describe('DOCKER_HOST', () => {
  test.each([
    ['unix:///run/d.sock', 'unix:///run/d.sock (DOCKER_HOST)'],
    ['tcp://box:1234', 'tcp://box:1234 (DOCKER_HOST)'],
    ['tcp://box', 'tcp://box:2375 (DOCKER_HOST)'],
    ['tcp://box:1234/', 'tcp://box:1234 (DOCKER_HOST)'],
    ['box:1234', 'tcp://box:1234 (DOCKER_HOST)'],
    ['tcp://[::1]:7', 'tcp://::1:7 (DOCKER_HOST)'],
  ])('%s', async (value, address) => {
    expect(await addresses(surroundings({ DOCKER_HOST: value }))).toEqual([address]);
  });

  test.each([
    ['ssh://ann@box', /'ssh:\/\/…@box' \(DOCKER_HOST\): .*this machine/],
    ['npipe:////./pipe/x', /expected the scheme unix or tcp, got npipe/],
    ['unix://relative', /absolute path/],
    ['tcp://', /host and a port/],
    ['tcp://box:1/v1', /host and a port/],
    ['::::', /host and a port/],
  ])('%s is refused', async (value, message) => {
    const where = surroundings({ DOCKER_HOST: value });
    await expect(endpoints(where)).rejects.toMatchObject({
      code: 'docker-unreachable',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/unix:\/\//),
    });
  });

  test('goes before a context', async () => {
    const files = context('far', { Host: 'tcp://far:1' });
    const where = surroundings({ DOCKER_HOST: 'unix:///a', DOCKER_CONTEXT: 'far' }, files);
    expect(await addresses(where)).toEqual(['unix:///a (DOCKER_HOST)']);
  });
});

describe('TLS from the environment', () => {
  const files = { '/keys/ca.pem': 'CA', '/keys/cert.pem': 'CERT', '/keys/key.pem': 'KEY' };

  test('DOCKER_TLS_VERIFY takes the keys, and another default port', async () => {
    const env = { DOCKER_HOST: 'tcp://box', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/keys' };
    expect(await endpoints(surroundings(env, files))).toEqual([
      {
        kind: 'tcp',
        host: 'box',
        port: 2376,
        tls: { ca: 'CA', cert: 'CERT', key: 'KEY', verify: true },
        from: 'DOCKER_HOST',
      },
    ]);
  });

  test('DOCKER_TLS alone does not check the certificate', async () => {
    const [found] = await endpoints(surroundings({ DOCKER_HOST: 'tcp://box:1', DOCKER_TLS: '1' }));
    expect(found).toMatchObject({ tls: { verify: false, ca: undefined } });
  });

  test('without a CA there is nothing to verify with', async () => {
    const env = { DOCKER_HOST: 'tcp://box:1', DOCKER_TLS_VERIFY: '1' };
    await expect(endpoints(surroundings(env))).rejects.toThrow('/home/ann/.docker/ca.pem');
  });

  test('empty values do not count', async () => {
    const [found] = await endpoints(surroundings({ DOCKER_HOST: 'tcp://box:1', DOCKER_TLS_VERIFY: '' }));
    expect(found).toMatchObject({ tls: undefined });
  });
});

describe('contexts', () => {
  test('the current one of config.json', async () => {
    const files = { ...config('{"currentContext":"far"}'), ...context('far', { Host: 'unix:///far.sock' }) };
    expect(await addresses(surroundings({}, files))).toEqual(['unix:///far.sock (context far)']);
  });

  test('DOCKER_CONTEXT goes before it, with its keys', async () => {
    const files = {
      ...config('{"currentContext":"other"}'),
      ...context('far', { Host: 'tcp://far:9' }, { 'ca.pem': 'CA', 'key.pem': 'KEY', 'cert.pem': 'CERT' }),
    };
    const [found] = await endpoints(surroundings({ DOCKER_CONTEXT: 'far' }, files));
    expect(found).toMatchObject({
      host: 'far',
      port: 9,
      tls: { ca: 'CA', key: 'KEY', cert: 'CERT', verify: true },
    });
  });

  test('SkipTLSVerify', async () => {
    const files = context('far', { Host: 'tcp://far:9', SkipTLSVerify: true });
    const [found] = await endpoints(surroundings({ DOCKER_CONTEXT: 'far' }, files));
    expect(found).toMatchObject({ tls: { verify: false } });
  });

  test('DOCKER_CONFIG moves all of it', async () => {
    const files = { '/conf/config.json': '{"currentContext":"gone"}' };
    await expect(endpoints(surroundings({ DOCKER_CONFIG: '/conf' }, files))).rejects.toThrow(
      /no Docker context 'gone': expected \/conf\/contexts\/meta\/[0-9a-f]{64}\/meta.json/,
    );
  });

  test('one without an address, and broken JSON, are named', async () => {
    const nowhere = surroundings({ DOCKER_CONTEXT: 'nil' }, context('nil', {}));
    await expect(endpoints(nowhere)).rejects.toThrow("The Docker context 'nil' names no daemon");
    await expect(endpoints(surroundings({}, config('{')))).rejects.toThrow('config.json is not JSON');
  });

  test('the context called default means the usual sockets', async () => {
    expect((await endpoints(surroundings({ DOCKER_CONTEXT: 'default' }))).length).toBeGreaterThan(1);
  });
});

test('without any wish: the usual sockets, Docker’s before podman’s', async () => {
  expect(await addresses(surroundings({ XDG_RUNTIME_DIR: '/run/user/7' }))).toEqual([
    'unix:///var/run/docker.sock (default socket)',
    'unix:///run/user/7/docker.sock (rootless socket)',
    'unix:///home/ann/.docker/run/docker.sock (Docker Desktop’s socket)',
    'unix:///run/user/7/podman/podman.sock (podman’s socket)',
    'unix:///run/podman/podman.sock (podman’s system socket)',
  ]);
});

/** Opens nothing: each socket fails with this errno, ENOENT if it is not listed. */
function failing(codes: Readonly<Record<string, string>>): (endpoint: Endpoint) => Promise<never> {
  return (endpoint) => {
    const code = codes[endpoint.kind === 'unix' ? endpoint.path : ''] ?? 'ENOENT';
    return Promise.reject(Object.assign(new Error('connect'), { code }));
  };
}

/** What `connect` gives or throws. */
async function attempt(
  env: Record<string, string>,
  codes: Readonly<Record<string, string>>,
): Promise<unknown> {
  try {
    return await connect(surroundings(env), new AbortController().signal, failing(codes));
  } catch (error) {
    if (!(error instanceof StopwatchError)) throw error;
    return error;
  }
}

describe('connect', () => {
  test('nothing anywhere: all places are listed', async () => {
    const error = await attempt({}, {});
    expect(error).toMatchObject({ code: 'docker-unreachable', message: 'No Docker daemon was found' });
    expect(error).toMatchObject({ lastLines: { length: 3 } });
  });

  test('a socket that refuses this user says more than those that are missing', async () => {
    expect(await attempt({}, { '/var/run/docker.sock': 'EACCES' })).toMatchObject({
      code: 'permission-denied',
      hint: expect.stringContaining('usermod -aG docker'),
    });
    expect(await attempt({}, { '/run/podman/podman.sock': 'EACCES' })).toMatchObject({
      code: 'permission-denied',
    });
  });

  test('the one that was named is the only one tried', async () => {
    expect(await attempt({ DOCKER_HOST: 'unix:///a' }, { '/a': 'ECONNREFUSED' })).toMatchObject({
      code: 'docker-unreachable',
      message: expect.stringContaining('unix:///a (DOCKER_HOST)'),
    });
  });
});
