// SPDX-License-Identifier: MIT
/** `run --gdb`: the machine waits for a debugger, stops where the kernel's symbols say, and goes on. With debug builds: test/full/debug-gdb.test.ts. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { runOnTerminal } from './interactive.js';
import { laboratory } from './laboratory.js';
import { left } from './project.js';

const { project } = laboratory();
// Built beforehand: what is shown on a terminal is waited for only for some minutes.
beforeAll(() => project.passes(['update']));

/** A client of the stub: packets `$data#sum`, each acknowledged with '+'. */
class Stub {
  #data = '';

  constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#data += chunk.toString('latin1');
    });
  }

  static async attach(path: string): Promise<Stub> {
    const socket = connect(path);
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
  const { err } = await project.exits(2, ['run', '--gdb']);
  expect(err).toContain('--gdb needs a terminal');
});

test('it stops at start_kernel, and then boots to its shell', async () => {
  const machine = runOnTerminal(project, 'run --gdb');
  let stub: Stub | undefined;
  try {
    const [, , vmlinux = '', socket = ''] = await machine.find(
      /To attach:\n {2}(\S+) (\S+\/vmlinux) -ex .*target remote (\/[^' ]+)/,
    );
    // Who reaches the stub can run programs as us.
    expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
    expect(existsSync(vmlinux)).toBe(true);
    const symbols = readFileSync(join(vmlinux, '..', 'System.map'), 'latin1');
    const [, address = ''] = /^([0-9a-f]{16}) T start_kernel$/m.exec(symbols) ?? [];

    for (let tries = 0; stub === undefined; tries++) {
      stub = await Stub.attach(socket).catch((error: unknown) => {
        if (tries > 300) throw error;
        return undefined;
      });
      if (stub === undefined) await sleep(100);
    }
    expect(await stub.ask('?')).toMatch(/^T/);
    // Before its first instruction nothing was printed.
    expect(machine.output).not.toContain('Booting Linux');
    expect(await stub.ask(`Z1,${address},4`)).toBe('OK');
    expect(await stub.ask('c')).toMatch(/^T05/);
    expect(await stub.counter()).toBe(BigInt(`0x${address}`));
    expect(await stub.ask(`z1,${address},4`)).toBe('OK');
    expect(await stub.ask('D')).toBe('OK');
    await machine.waitFor(/stopwatch:~# /);
    machine.type('poweroff\r');
    expect(await machine.closed).toBe(0);
  } finally {
    stub?.close();
    machine.child.kill();
    await machine.closed;
  }
  expect(await left(project)).toEqual([]);
});

test('what is for gdb without gdb is refused', async () => {
  const { err } = await project.exits(2, ['run', '--', '-x', 'file']);
  expect(err).toContain('--gdb-qemu');
});
