// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { baseEnvironment } from './environment.js';

test('lets through what tools need, and nothing that changes what they build', () => {
  const env = baseEnvironment({
    PATH: '/opt/bin:/bin',
    HOME: '/h',
    TMPDIR: '/t',
    CCACHE_DIR: '/c',
    LC_ALL: 'de_DE',
    TZ: 'Asia/Tokyo',
    CFLAGS: '-O0',
    MAKEFLAGS: '-k',
    ARCH: 'x',
    CROSS_COMPILE: 'y-',
    KBUILD_OUTPUT: '/k',
    PYTHONPATH: '/p',
  });
  expect(env).toEqual({
    PATH: '/opt/bin:/bin',
    HOME: '/h',
    TMPDIR: '/t',
    CCACHE_DIR: '/c',
    LC_ALL: 'C',
    TZ: 'UTC',
    TERM: 'dumb',
  });
});

test('has a PATH, a HOME and a TMPDIR in any case', () => {
  expect(baseEnvironment({})).toMatchObject({
    PATH: expect.stringContaining('/usr/bin'),
    HOME: '/',
    TMPDIR: '/tmp',
  });
});
