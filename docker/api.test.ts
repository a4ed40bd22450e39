// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { archive, follow } from './api.js';

async function linesOf(messages: readonly unknown[]): Promise<string[]> {
  const lines: string[] = [];
  const text = messages.map((message) => `${JSON.stringify(message)}\r\n`);
  await follow(Readable.from(text), (line) => lines.push(line));
  return lines;
}

test('a build’s text is cut at newlines, wherever the messages end', async () => {
  const messages = [{ stream: 'Step 1/2' }, { stream: ' : FROM x\n\n ---> 1' }, { stream: '23\r\ntail' }];
  expect(await linesOf(messages)).toEqual(['Step 1/2 : FROM x', ' ---> 123', 'tail']);
});

test('colours are taken off', async () => {
  expect(await linesOf([{ stream: '\u001b[91mE: no\n\u001b[0m' }])).toEqual(['E: no']);
});

function layer(id: string, status: string): object {
  return { id, status, progress: '[=>  ]' };
}

test('of a pull only changes become lines', async () => {
  const messages: object[] = [{ status: 'Pulling' }, layer('a', 'Downloading'), layer('a', 'Downloading')];
  messages.push(layer('b', 'Downloading'), layer('a', 'Pull complete'));
  expect(await linesOf(messages)).toEqual([
    'Pulling',
    'a: Downloading',
    'b: Downloading',
    'a: Pull complete',
  ]);
});

test('a failure is thrown after what came before it', async () => {
  const lines: string[] = [];
  const messages = ['{"stream":"half a line"}\n', '{"error":"pull access denied"}\n'];
  await expect(follow(Readable.from(messages), (line) => lines.push(line))).rejects.toThrow(
    'pull access denied',
  );
  expect(lines).toEqual(['half a line']);
});

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
