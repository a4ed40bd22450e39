// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { hasCredentials, withoutCredentials } from './credentials.js';

test.each([
  ['http://ann:secret@proxy:3128', 'http://…@proxy:3128'],
  ['http://ann@proxy:3128', 'http://…@proxy:3128'],
  [
    'sudo -S env https_proxy=http://ann:s@cr@t@proxy:1 apt-get',
    'sudo -S env https_proxy=http://…@proxy:1 apt-get',
  ],
  ["env 'HTTP_PROXY=http://ann:a/b?c#d@proxy:1' x", "env 'HTTP_PROXY=http://…@proxy:1' x"],
  ['all_proxy=ann:secret@proxy:1', 'all_proxy=…@proxy:1'],
  ['Acquire::http::Proxy "http://ann:secret@proxy:1";', 'Acquire::http::Proxy "http://…@proxy:1";'],
  ['http://a:b@one,http://c:d@two/x', 'http://…@one,http://…@two/x'],
  ['ftp://a:b@x\nredis://:pw@y', 'ftp://…@x\nredis://…@y'],
])('%s', (text, hidden) => {
  expect(withoutCredentials(text)).toBe(hidden);
  expect(hasCredentials(text)).toBe(true);
});

test.each([
  'http://proxy:3128',
  'https://packages.example.org/@scope/name@1.2',
  'ann@example.com',
  'git@example.com:a/b.git',
  'http_proxy=http://proxy:1 NO_PROXY=localhost,.example.com',
])('%s has none', (text) => {
  expect(withoutCredentials(text)).toBe(text);
  expect(hasCredentials(text)).toBe(false);
});

test.each(['://', '@', 'a', '_proxy=', '://@', '_', '@://a'])(
  'a megabyte of %j takes no longer than a megabyte of text',
  (piece) => {
    // Quadratic work would take minutes, and end the test.
    expect(withoutCredentials(piece.repeat(2 ** 20 / piece.length)).length).toBeGreaterThan(0);
    expect(withoutCredentials(`@${piece.repeat(2 ** 20 / piece.length)}`).length).toBeGreaterThan(0);
  },
);
