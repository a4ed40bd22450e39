// SPDX-License-Identifier: MIT
/** The host's ends of a command's ports, with real sockets. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import { connectPorts, makePortEnds, parseCommandEnd, portArguments } from './guest-ports.js';

const opened: (Server | Socket | { close(): void })[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) {
    if ('destroy' in one) one.destroy();
    else one.close();
  }
});
const directory = async (): Promise<string> => (await makePrivateDirectory(tmpdir())).path;

/** What QEMU does with an argument. */
async function joined(path: string | undefined): Promise<Socket> {
  const socket = connect(path ?? '');
  opened.push(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}
const heard = async (socket: Socket): Promise<string> =>
  new Promise((resolve) => socket.once('data', (bytes) => resolve(String(bytes))));

describe('makePortEnds', () => {
  it('gives each port to the end of its name, whichever QEMU connects first', async () => {
    const ends = await makePortEnds(await directory(), { stdin: true });
    opened.push(ends);
    const { stdin, stdout, stderr, status } = ends.paths;
    const guest = {
      status: await joined(status),
      stderr: await joined(stderr),
      stdout: await joined(stdout),
      stdin: await joined(stdin),
    };
    const host = await ends.ports;
    opened.push(host.stdout, host.stderr, host.status);
    for (const name of ['stdout', 'stderr', 'status'] as const) {
      guest[name].write(name);
      expect(await heard(host[name])).toBe(name);
    }
    host.stdin?.end('typed');
    expect(await heard(guest.stdin)).toBe('typed');
  });

  it('without a standard input there are three', async () => {
    const ends = await makePortEnds(await directory(), { stdin: false });
    opened.push(ends);
    expect(Object.keys(ends.paths)).toEqual(['stdout', 'stderr', 'status']);
    await Promise.all(Object.values(ends.paths).map(async (path) => joined(String(path))));
    expect((await ends.ports).stdin).toBeUndefined();
  });
});

describe('connectPorts', () => {
  it('connects to each where QEMU listens, and rejects where it does not', async () => {
    const there = await directory();
    const { paths } = await makePortEnds(await directory(), { directory: there });
    const names: string[] = [];
    for (const name of ['stdin', 'stdout', 'stderr', 'status'] as const) {
      const server = createServer((socket) => {
        opened.push(socket);
        socket.once('data', (bytes) => names.push(`${name} ${bytes.toString()}`));
        socket.write(name);
      });
      opened.push(server);
      await new Promise<void>((resolve) => server.listen(paths[name], resolve));
    }
    const ports = await connectPorts(there);
    opened.push(ports.stdout, ports.stderr, ports.status);
    expect(await heard(ports.stderr)).toBe('stderr');
    ports.stdin?.end('typed');
    await expect.poll(() => names).toEqual(['stdin typed']);
    await expect(connectPorts(await directory())).rejects.toThrow(/ENOENT/);
  });
});

describe('portArguments', () => {
  it('names each port for the guest, and doubles commas, which QEMU takes for the end of a value', () => {
    expect(portArguments(undefined)).toEqual([]);
    const args = portArguments({ stdout: '/tmp/a,b/stdout', status: '/tmp/a,b/status' });
    expect(args.filter((arg) => arg.startsWith('socket,'))).toEqual([
      'socket,id=port-stdout,path=/tmp/a,,b/stdout',
      'socket,id=port-status,path=/tmp/a,,b/status',
    ]);
    expect(args.at(-1)).toBe('virtserialport,chardev=port-status,name=stopwatch.status');
    expect(portArguments({ status: '/s', qemuListens: true })).toContain(
      'socket,id=port-status,path=/s,server=on,wait=off',
    );
  });
});

describe('parseCommandEnd', () => {
  it.each([
    ['0 0 0', { status: 0, stdoutBytes: 0, stderrBytes: 0 }],
    ['143 12 3456789', { status: 143, stdoutBytes: 12, stderrBytes: 3_456_789 }],
    ['0 0', undefined],
    ['0 0 0 0', undefined],
    ['-1 0 0', undefined],
    ['1000 0 0', undefined],
    ['', undefined],
  ])('%j', (line, end) => {
    expect(parseCommandEnd(line)).toEqual(end);
  });
});
