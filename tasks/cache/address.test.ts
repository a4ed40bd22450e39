// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { parseRemote, withoutCredentials } from './address.js';

describe('parseRemote', () => {
  it.each([
    ['redis://cache', { tls: false, at: { host: 'cache', port: 6379 }, database: 0 }],
    ['redis://cache:7000/3', { tls: false, at: { host: 'cache', port: 7000 }, database: 3 }],
    ['rediss://[::1]:7000', { tls: true, at: { host: '::1', port: 7000 }, database: 0 }],
    ['redis+unix:/run/redis.sock', { at: { path: '/run/redis.sock' }, database: 0 }],
    ['redis+unix:///run/redis.sock?db=4', { at: { path: '/run/redis.sock' }, database: 4 }],
    ['http://cache:8080/ccache/', { kind: 'http' }],
    ['https://cache', { kind: 'http' }],
  ])('%s', (text, expected) => {
    expect(parseRemote(text)).toMatchObject({ ...expected, shown: text });
  });

  it.each([
    '',
    'cache',
    'cache:6379',
    'file:/tmp/cache',
    'redis://',
    'redis://cache/zero',
    'redis+unix:run/redis.sock',
    'redis+unix://host/run/redis.sock',
    'http://cache/#here',
    'http://cache http://other',
    'http://cache|read-only',
  ])('is none: %s', (text) => {
    expect(parseRemote(text)).toBeUndefined();
  });
});

describe.each([
  'redis://s3cret@cache',
  'redis://user:s3cret@cache:6379/0',
  'redis://user:s3@cret@cache',
  'http://user:s3cret@cache/path',
  'http://s3cret@',
  'user:s3cret@cache',
  'http://cache/path?token=s3cret',
  'http://cache|bearer-token=s3cret',
  'redis+unix://s3cret@localhost/run/redis.sock',
  'redis+unix:/run/redis.sock?password=s3cret',
])('an address with a secret in it: %s', (text) => {
  it('is refused, and is shown without it', () => {
    expect(parseRemote(text)).toBeUndefined();
    expect(withoutCredentials(text)).not.toMatch(/s3|cret/);
  });
});

it('shows where an address leads', () => {
  expect(withoutCredentials('http://user:s3cret@cache/path')).toBe('http://…@cache/path');
  expect(withoutCredentials('redis+unix:/run/redis.sock?db=1')).toBe('redis+unix:/run/redis.sock?db=1');
});
