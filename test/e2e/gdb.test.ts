// SPDX-License-Identifier: MIT
/** `run --gdb`: the machine waits for a debugger, stops where the kernel's symbols say, and goes on. Speaks gdb's remote protocol itself. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { type Laboratory, laboratory } from './laboratory.js';
import { left } from './project.js';

let lab: Laboratory;
beforeAll(async () => {
  lab = await laboratory();
  const { code, out, err } = await lab.project.stopwatch(['update']);
  expect(code, out + err).toBe(0);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A client of the stub: packets `$data#sum`, each acknowledged with '+'. */
class Stub {
  #data = '';

  constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#data += chunk.toString('latin1');
    });
  }

  static async attach(port: number): Promise<Stub> {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Stub(socket);
  }

  async ask(text: string): Promise<string> {
    this.send(text);
    for (let tries = 0; tries < 600; tries++) {
      const found = /\$([^#]*)#../.exec(this.#data);
      if (found !== null) {
        this.#data = this.#data.slice(found.index + found[0].length);
        this.socket.write('+');
        return found[1] ?? '';
      }
      await sleep(100);
    }
    throw new Error(`The stub does not answer '${text}', but says '${this.#data}'`);
  }

  send(text: string): void {
    const sum = [...Buffer.from(text)].reduce((total, byte) => (total + byte) & 0xff, 0);
    this.socket.write(`$${text}#${sum.toString(16).padStart(2, '0')}`);
  }

  /** The program counter, number 32 of aarch64's registers; little-endian. */
  async counter(): Promise<bigint> {
    const bytes = Buffer.from(await this.ask('p20'), 'hex');
    return bytes.readBigUInt64LE();
  }

  close(): void {
    this.socket.destroy();
  }
}

test('without a terminal it is refused', async () => {
  const { code, err } = await lab.project.stopwatch(['run', '--gdb']);
  expect(code).toBe(2);
  expect(err).toContain('--gdb needs a terminal');
});

test('it stops at start_kernel, and then boots to its shell', async () => {
  const { project } = lab;
  const port = await freePort();
  const main = join(project.package, 'dist/tasks/cli/main.js');
  const line = `stty cols 200; exec ${process.execPath} ${main} run --gdb ${port}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: project.directory,
    env: { ...project.env, TERM: 'xterm' },
  });
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const closed = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  const shows = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (let tries = 0; tries < 600; tries++) {
      const found = pattern.exec(stripVTControlCharacters(shown).replaceAll('\r', ''));
      if (found !== null) return found;
      await sleep(100);
    }
    throw new Error(`Expected ${pattern}, got:\n${shown}`);
  };
  let stub: Stub | undefined;
  try {
    const command = await shows(
      /To attach:\n {2}(\S+) (\S+\/vmlinux) -ex .*target remote 127\.0\.0\.1:(\d+)/,
    );
    expect(Number(command[3])).toBe(port);
    const vmlinux = command[2] ?? '';
    expect(existsSync(vmlinux)).toBe(true);
    const symbols = readFileSync(join(vmlinux, '..', 'System.map'), 'latin1');
    const [, address = ''] = /^([0-9a-f]{16}) T start_kernel$/m.exec(symbols) ?? [];

    for (let tries = 0; stub === undefined; tries++) {
      stub = await Stub.attach(port).catch((error: unknown) => {
        if (tries > 300) throw error;
        return undefined;
      });
      if (stub === undefined) await sleep(100);
    }
    expect(await stub.ask('?')).toMatch(/^T/);
    // Before its first instruction nothing was printed.
    expect(shown).not.toContain('Booting Linux');
    expect(await stub.ask(`Z1,${address},4`)).toBe('OK');
    expect(await stub.ask('c')).toMatch(/^T05/);
    expect(await stub.counter()).toBe(BigInt(`0x${address}`));
    expect(await stub.ask(`z1,${address},4`)).toBe('OK');
    expect(await stub.ask('D')).toBe('OK');
    await shows(/stopwatch:~# /);
    child.stdin.write('poweroff\r');
    expect(await closed).toBe(0);
  } finally {
    stub?.close();
    child.kill('SIGTERM');
    await closed;
  }
  expect(await left(project)).toEqual([]);
});
