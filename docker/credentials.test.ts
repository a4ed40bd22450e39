// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { type Credentials, credentialsFor, registryOf, type RunHelper } from './credentials.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const noHelper: RunHelper = () => Promise.reject(new Error('no helper is to be run'));

async function noFile(): Promise<undefined> {}

/** A helper that ends so; what it is asked is added to `asked`. */
function saying(exitCode: number | undefined, stdout: string, asked: unknown[] = []): RunHelper {
  return async (...all) => {
    asked.push(all);
    return { exitCode, stdout };
  };
}

function find(
  config: unknown,
  reference: string,
  run: RunHelper = noHelper,
): Promise<Credentials | undefined> {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  const readFile = async (path: string) => (path === '/home/ann/.docker/config.json' ? text : undefined);
  return credentialsFor({ env: {}, home: '/home/ann', readFile }, reference, run);
}

test('the registry of a name', () => {
  const hub = 'https://index.docker.io/v1/';
  for (const name of ['debian', 'debian:13', 'library/debian', 'docker.io/library/debian@sha256:0'])
    expect(registryOf(name)).toBe(hub);
  expect(registryOf('ghcr.example/a/b:1')).toBe('ghcr.example');
  expect(registryOf('localhost:5000/a@sha256:0')).toBe('localhost:5000');
  expect(registryOf('localhost/a')).toBe('localhost');
});

describe('config.json', () => {
  const auths = {
    'reg.example': { auth: base64('ann:se:cret') },
    'https://old.example/v1/': { auth: base64('bob:pw\0\0') },
    'token.example': { identitytoken: 'abc' },
    'https://index.docker.io/v1/': { username: 'hub', password: 'pw' },
    'empty.example': {},
  };

  test('name and password, whatever is in the password', async () => {
    const ann = { username: 'ann', password: 'se:cret', serveraddress: 'reg.example' };
    expect(await find({ auths }, 'reg.example/base:1')).toEqual(ann);
    expect(await find({ auths }, 'old.example/base')).toMatchObject({ username: 'bob', password: 'pw' });
    expect(await find({ auths }, 'debian:13')).toMatchObject({ username: 'hub', password: 'pw' });
  });

  test('a token', async () => {
    const token = { identitytoken: 'abc', serveraddress: 'token.example' };
    expect(await find({ auths }, 'token.example/base')).toEqual(token);
  });

  test('nothing known, and no file', async () => {
    expect(await find({ auths }, 'other.example/base')).toBeUndefined();
    expect(await find({ auths }, 'empty.example/base')).toBeUndefined();
    expect(
      await credentialsFor({ env: {}, home: '/', readFile: noFile }, 'a.example/b', noHelper),
    ).toBeUndefined();
  });

  test('what cannot be read is said without its words', async () => {
    await expect(find('{"auths": "secret', 'a.example/b')).rejects.toThrow(
      /^\/home\/ann\/\.docker\/config\.json is not JSON$/,
    );
    const broken = { auths: { 'a.example': { auth: base64('secret') } } };
    await expect(find(broken, 'a.example/b')).rejects.toThrow(
      /^The entry of a\.example in .* no name and password$/,
    );
  });
});

describe('credential helpers', () => {
  const config = { credsStore: 'store', credHelpers: { 'reg.example': 'own' } };

  test('the registry’s own goes before that for all', async () => {
    const asked: unknown[] = [];
    const run = saying(0, '{"ServerURL":"x","Username":"ann","Secret":"pw"}', asked);
    expect(await find(config, 'reg.example/base', run)).toEqual({
      username: 'ann',
      password: 'pw',
      serveraddress: 'reg.example',
    });
    await find(config, 'debian', run);
    expect(asked).toEqual([
      ['docker-credential-own', ['get'], 'reg.example'],
      ['docker-credential-store', ['get'], 'https://index.docker.io/v1/'],
    ]);
  });

  test('a token, and nobody logged in', async () => {
    const token = saying(0, '{"Username":"<token>","Secret":"abc"}');
    expect(await find(config, 'debian', token)).toMatchObject({ identitytoken: 'abc' });
    const none = saying(1, 'credentials not found in native keychain\n');
    expect(await find(config, 'debian', none)).toBeUndefined();
  });

  test('one that fails or is not there', async () => {
    await expect(find(config, 'debian', saying(1, 'the secret is locked'))).rejects.toThrow(
      /^The credential helper docker-credential-store gave no name and password for .* \(exit code 1\)$/,
    );
    await expect(find(config, 'debian', saying(undefined, ''))).rejects.toThrow(
      'names the credential helper docker-credential-store, which cannot be run',
    );
  });
});
