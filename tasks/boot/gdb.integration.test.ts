// SPDX-License-Identifier: MIT
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { gdbStub, withGdbAddress } from './gdb.js';

test('the stub is a socket in a directory that only this user can enter, for as long as the machine runs', async () => {
  const directory = await withGdbAddress({ port: undefined }, async (address) => {
    expect(gdbStub(address)).toEqual(['-S', '-gdb', `unix:${address},server=on,wait=off`]);
    const { mode, uid } = statSync(dirname(address));
    expect([mode & 0o777, uid]).toEqual([0o700, process.getuid?.()]);
    return dirname(address);
  });
  expect(existsSync(directory)).toBe(false);
});

test('a port that another program has is refused by its name', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  try {
    await expect(withGdbAddress({ port }, async () => {})).rejects.toMatchObject({
      code: 'address-unavailable',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  } finally {
    server.close();
  }
});

test('it is a TCP port of the loopback only where one was asked for', async () => {
  await withGdbAddress({ port: 1234 }, async (address) => {
    expect(gdbStub(address)).toEqual(['-S', '-gdb', 'tcp:127.0.0.1:1234']);
  });
});
