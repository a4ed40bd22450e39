// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { archive } from './archive.js';

test('tar reads what is written, and equal files make equal archives', () => {
  const files = [
    { path: 'a/b', content: 'x'.repeat(1000), mode: 0o755 },
    { path: 'empty', content: '', mode: 0o644 },
    { path: 'block', content: 'y'.repeat(512), mode: 0o600 },
  ];
  const bytes = archive(files);
  expect(bytes.length % 512).toBe(0);
  expect(archive(files)).toEqual(bytes);
  const listing = execFileSync('tar', ['-tv', '--numeric-owner'], {
    input: bytes,
    encoding: 'utf8',
    env: { TZ: 'UTC', PATH: process.env['PATH'] },
  });
  expect(listing.replaceAll(/ +/g, ' ').trim().split('\n')).toEqual([
    '-rwxr-xr-x 0/0 1000 1970-01-01 00:00 a/b',
    '-rw-r--r-- 0/0 0 1970-01-01 00:00 empty',
    '-rw------- 0/0 512 1970-01-01 00:00 block',
  ]);
  expect(execFileSync('tar', ['-xO', 'a/b'], { input: bytes, encoding: 'utf8' })).toBe('x'.repeat(1000));
});

test('a path that needs an extended header is refused', () => {
  expect(() => archive([{ path: 'p'.repeat(300), content: '', mode: 0o644 }])).toThrow('does not fit');
});
