// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { crossesNetwork, isRemoteAddress, shownAddress } from './cache-address.js';

it.each([
  'redis://cache',
  'redis://cache:7000/3',
  'redis+unix:/run/redis.sock',
  'redis+unix:///run/redis.sock?db=4',
  'http://cache:8080/ccache/',
  'http://10.0.0.1',
])('accepts %s', (text) => {
  expect(isRemoteAddress(text)).toBe(true);
});

it.each([
  '',
  'cache',
  'cache:6379',
  'file:/tmp/cache',
  'https://cache',
  'rediss://cache',
  'redis://',
  'redis://cache:99999',
  'redis://cache/zero',
  // ccache 4.7 does not take a bracketed address.
  'redis://[::1]:7000',
  'redis+unix:run/redis.sock',
  'redis+unix://host/run/redis.sock',
  'http://cache/#here',
  'http://cache http://other',
  'http://cache|read-only',
  'http://cache\nread_only = true',
])('refuses %j', (text) => {
  expect(isRemoteAddress(text)).toBe(false);
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
    expect(isRemoteAddress(text)).toBe(false);
    expect(shownAddress(text)).not.toMatch(/s3|cret/);
  });
});

it('keeps where an address leads', () => {
  expect(shownAddress('http://user:s3cret@cache/path')).toBe('http://…@cache/path');
  expect(shownAddress('redis+unix:/run/redis.sock?db=1')).toBe('redis+unix:/run/redis.sock?db=1');
});

it.each([
  ['http://cache:8080/x', true],
  ['redis://10.0.0.7/1', true],
  ['http://localhost.example.org', true],
  ['http://127.0.0.1.example.org', true],
  ['http://localhost:80/x', false],
  ['redis://127.0.0.1:6379', false],
  ['redis+unix:/run/redis.sock', false],
])('%s crosses a network: %s', (address, crosses) => {
  expect(isRemoteAddress(address)).toBe(true);
  expect(crossesNetwork(address)).toBe(crosses);
});
