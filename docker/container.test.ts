// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { binds, containerSpec, type RunRequest } from './container.js';
import type { EngineInfo } from './engine.js';
import { parseOwner } from './owner.js';

const info: EngineInfo = {
  version: 'Docker 1',
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

describe('what the container is made of', () => {
  test('it runs as the caller, without new privileges, on the daemon’s own network', () => {
    const spec = containerSpec(request, info, undefined);
    expect(spec).toMatchObject({ user: '1000:100', network: undefined, userNamespace: undefined });
    expect(spec.securityOptions).toEqual(['no-new-privileges']);
  });

  test('a daemon without root, or with mapped users, must not map the caller', () => {
    expect(containerSpec(request, { ...info, rootless: true }, undefined).user).toBe('0:0');
    expect(containerSpec(request, { ...info, remapsUsers: true }, undefined).userNamespace).toBe('host');
  });

  test('SELinux would forbid the bind mounts', () => {
    expect(containerSpec(request, { ...info, selinux: true }, undefined).securityOptions).toContain(
      'label=disable',
    );
  });

  test('a daemon without a bridge leaves the host’s network; a wish goes before', () => {
    const bare = { ...info, hasBridge: false };
    expect(containerSpec(request, bare, undefined).network).toBe('host');
    expect(containerSpec({ ...request, network: 'none' }, bare, undefined).network).toBe('none');
  });

  test('its labels name the work directory and the owner', () => {
    const { labels } = containerSpec(request, info, undefined);
    expect(labels['stopwatch.work']).toBe('/p/.stopwatch');
    expect(parseOwner(labels['stopwatch.owner'])).toEqual(request.owner);
  });

  test('HOME is writable there unless the caller says otherwise', () => {
    expect(containerSpec(request, info, undefined).env['HOME']).toBe('/home/stopwatch');
    expect(containerSpec({ ...request, env: { HOME: '/p' } }, info, undefined).env['HOME']).toBe('/p');
  });
});

describe('mounts', () => {
  test('what is inside another one needs none of its own', () => {
    expect(binds(['/p/a', '/p', '/pq', '/p'], []).map(({ source }) => source)).toEqual(['/p', '/pq']);
  });

  test('a read-only directory inside a writable one comes after it; one that is both is writable', () => {
    expect(binds(['/p', '/w'], ['/p/src', '/w'])).toEqual([
      { source: '/p', target: '/p', readOnly: false },
      { source: '/w', target: '/w', readOnly: false },
      { source: '/p/src', target: '/p/src', readOnly: true },
    ]);
  });

  test.each(['/', '/usr', '/usr/src/p', '/etc/x', '/proc', 'relative'])('%s is refused', (path) => {
    expect(() => binds([path], [])).toThrow(`${path} cannot be mounted`);
  });

  test('a package that is installed for all users is not the image’s either', () => {
    expect(binds([], ['/usr/lib/node_modules'])).toHaveLength(1);
  });

  test('/home/ann, /srv, /opt, /tmp and /usrlocal are not the image’s', () => {
    expect(binds(['/home/ann', '/srv', '/opt/x', '/tmp/x', '/usrlocal'], [])).toHaveLength(5);
  });
});

test('a label that is not ours is no owner', () => {
  expect([undefined, '', '{', '{}', '{"host":"h","boot":"b","start":"s","pid":"1"}'].map(parseOwner)).toEqual(
    Array(5).fill(undefined),
  );
});
