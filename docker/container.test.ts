// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { DaemonInfo } from './api.js';
import { containerOptions, mounts, type RunRequest } from './container.js';
import { parseOwner } from './leftovers.js';

const info: DaemonInfo = {
  architecture: 'amd64',
  rootless: false,
  remapsUsers: false,
  selinux: false,
  hasBridge: true,
};
const request: RunRequest = {
  image: 'i',
  command: ['true'],
  directory: '/p',
  directories: ['/p'],
  env: {},
  user: { uid: 1000, gid: 100, name: 'ann' },
  work: '/p/.stopwatch',
  owner: { host: 'h', boot: 'b', pid: 1, start: '2' },
  main: '/p/main.js',
};
const options = (changes: Partial<RunRequest> = {}, other: Partial<DaemonInfo> = {}) =>
  containerOptions({ ...request, ...changes }, { ...info, ...other }, undefined);

describe('what the container is made of', () => {
  test('it runs as the caller, without privileges, on the daemon’s own network', () => {
    const { User, HostConfig } = options();
    expect(User).toBe('1000:100');
    expect(HostConfig).toMatchObject({ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] });
    expect(HostConfig?.NetworkMode).toBeUndefined();
    expect(HostConfig?.UsernsMode).toBeUndefined();
  });

  test('a daemon without root, or with mapped users, must not map the caller', () => {
    expect(options({}, { rootless: true }).User).toBe('0:0');
    expect(options({}, { remapsUsers: true }).HostConfig?.UsernsMode).toBe('host');
  });

  test('SELinux would forbid the bind mounts', () => {
    expect(options({}, { selinux: true }).HostConfig?.SecurityOpt).toContain('label=disable');
  });

  test('a daemon without a bridge leaves the host’s network, unless another one is asked for', () => {
    expect(options({}, { hasBridge: false }).HostConfig?.NetworkMode).toBe('host');
    expect(options({ network: 'none' }, { hasBridge: false }).HostConfig?.NetworkMode).toBe('none');
  });

  test('its labels name the work directory and the owner', () => {
    const { Labels } = options();
    expect(Labels?.['stopwatch.work']).toBe('/p/.stopwatch');
    expect(parseOwner(Labels?.['stopwatch.owner'])).toEqual(request.owner);
  });

  test('HOME is writable there unless the caller says otherwise', () => {
    expect(options().Env).toEqual(['HOME=/home/stopwatch']);
    expect(options({ env: { HOME: '/p' } }).Env).toEqual(['HOME=/p']);
  });
});

describe('mounts', () => {
  test('what is inside another one needs none of its own', () => {
    expect(mounts(['/p/a', '/p', '/pq', '/p'], []).map(({ Source }) => Source)).toEqual(['/p', '/pq']);
  });

  test('a read-only directory inside a writable one comes after it; one that is both is writable', () => {
    expect(mounts(['/p', '/w'], ['/p/src', '/w'])).toEqual([
      { Type: 'bind', Source: '/p', Target: '/p', ReadOnly: false },
      { Type: 'bind', Source: '/w', Target: '/w', ReadOnly: false },
      { Type: 'bind', Source: '/p/src', Target: '/p/src', ReadOnly: true },
    ]);
  });

  test.each(['/', '/usr', '/usr/src/p', '/etc/x', '/proc', 'relative'])('%s is refused', (path) => {
    expect(() => mounts([path], [])).toThrow(`${path} cannot be mounted`);
  });

  test('a package that is installed for all users is not the image’s either', () => {
    expect(mounts([], ['/usr/lib/node_modules'])).toHaveLength(1);
  });

  test('/home/ann, /srv, /opt, /tmp and /usrlocal are not the image’s', () => {
    expect(mounts(['/home/ann', '/srv', '/opt/x', '/tmp/x', '/usrlocal'], [])).toHaveLength(5);
  });
});

test('a label that is not ours is no owner', () => {
  expect([undefined, '', '{', '{}', '{"host":"h","boot":"b","start":"s","pid":"1"}'].map(parseOwner)).toEqual(
    Array(5).fill(undefined),
  );
});
