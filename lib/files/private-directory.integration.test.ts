// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { makePrivateDirectory, shortEnough } from './private-directory.js';

it('makes a directory of our own in which a socket’s path fits, and removes it', async () => {
  const base = await mkdtemp(join(tmpdir(), 'private-'));
  const long = join(base, 'é'.repeat(40));
  mkdirSync(long);
  expect([shortEnough(base), shortEnough(long)]).toEqual([true, false]);
  for (const [preferred, parent] of [
    [base, base],
    [long, tmpdir()],
  ] as const) {
    const directory = await makePrivateDirectory(preferred);
    expect(dirname(directory.path)).toBe(parent);
    expect(statSync(directory.path).mode & 0o777).toBe(0o700);
    const server = createServer();
    // The longest name that a socket of ours may have.
    await new Promise<void>((resolve) => server.listen(join(directory.path, 'x'.repeat(16)), resolve));
    await new Promise((resolve) => server.close(resolve));
    await directory.remove();
    expect(existsSync(directory.path)).toBe(false);
  }
  await rm(base, { recursive: true });
});
