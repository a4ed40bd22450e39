// SPDX-License-Identifier: MIT
/** The qtest client against a server that speaks the protocol over a real socket, from a memory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineSplitter } from './console/lines.js';
import { type Listener, listenOnce } from './qmp.js';
import { type IrqChange, QtestClient, QtestError } from './qtest.js';

let directory: string;
let listener: Listener;
let qtest: QtestClient;
let irqs: IrqChange[];
let server: Socket;

const BYTES: Readonly<Record<string, number>> = { b: 1, w: 2, l: 4, q: 8 };

/** One answer per command, as system/qtest.c gives them; a malformed one ends the connection, as it aborts QEMU. */
function answerer(): (line: string) => string | undefined {
  const memory = Buffer.alloc(256);
  let now = 0n;
  return (line) => {
    const [word = '', ...args] = line.split(' ');
    const access = /^(read|write)([bwlq])$/.exec(word);
    if (access !== null) {
      const size = BYTES[access[2] ?? ''] ?? 0;
      const at = Number(args[0]);
      if (access[1] === 'read') {
        const bytes = Buffer.from(memory.subarray(at, at + size)).reverse();
        return `OK 0x${bytes.toString('hex').padStart(16, '0')}`;
      }
      let value = BigInt(args[1] ?? '');
      for (let byte = 0; byte < size; byte++, value >>= 8n) memory[at + byte] = Number(value & 0xffn);
      return 'OK';
    }
    if (word === 'read')
      return `OK 0x${memory.subarray(Number(args[0]), Number(args[0]) + Number(args[1])).toString('hex')}`;
    if (word === 'write') {
      memory.write(args[2]?.slice(2) ?? '', Number(args[0]), 'hex');
      return 'OK';
    }
    if (word === 'clock_step') return `IRQ raise 0\nOK ${(now += BigInt(args[0] ?? ''))}`;
    if (word === 'irq_intercept_out')
      return args.join(' ') === '/machine/d sysbus-irq' ? 'OK' : 'FAIL Unknown device';
    if (word === 'abort') return undefined;
    return `FAIL Unknown command '${word}'`;
  };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qtest-'));
  listener = await listenOnce(join(directory, 'qtest'));
  server = connect(join(directory, 'qtest'));
  server.on('error', () => {});
  const answer = answerer();
  const splitter = new LineSplitter((line) => {
    const text = answer(line);
    if (text === undefined) server.destroy();
    else server.write(`${text}\n`);
  });
  server.on('data', (chunk: Buffer) => splitter.push(chunk));
  irqs = [];
  qtest = new QtestClient(await listener.connection, (change) => irqs.push(change));
});
afterEach(async () => {
  qtest.close();
  listener.close();
  await rm(directory, { recursive: true });
});

describe('QtestClient', () => {
  it.each([1, 2, 4, 8] as const)('writes and reads %i bytes', async (width) => {
    await qtest.write(0x10n, 8, 0x1122334455667788n);
    await qtest.write(0x10n, width, 0n);
    const mask = (1n << BigInt(8 * width)) - 1n;
    expect(await qtest.read(0x10n, 8)).toBe(0x1122334455667788n & ~mask);
    expect(await qtest.read(0x10n, width)).toBe(0n);
  });

  it('copies memory', async () => {
    await qtest.writeMemory(8n, Buffer.from('0.00 seconds'));
    expect((await qtest.readMemory(8n, 12)).toString()).toBe('0.00 seconds');
  });

  it('drives the clock, and gives interrupts in order with the answers', async () => {
    await qtest.interceptOut('/machine/d', 'sysbus-irq');
    const step = qtest.clockStep(5n).then((now) => [now, [...irqs]]);
    expect(await step).toEqual([5n, [{ line: 0, level: true }]]);
    expect(await qtest.clockStep(7n)).toBe(12n);
  });

  it('has thousands of commands under way and keeps their answers apart', async () => {
    const values = Array.from({ length: 10_000 }, (_, index) => BigInt(index));
    const reads = values.flatMap((value) => {
      void qtest.write(0n, 8, value);
      return [qtest.read(0n, 8)];
    });
    expect(await Promise.all(reads)).toEqual(values);
  });

  it('rejects what QEMU refuses, and goes on', async () => {
    const refused = expect(qtest.command('nonsense')).rejects.toThrow(
      "nonsense: FAIL Unknown command 'nonsense'",
    );
    const next = qtest.read(0n, 1);
    await refused;
    expect(await next).toBe(0n);
  });

  it('rejects everything under way when QEMU goes', async () => {
    const lost = [qtest.command('abort'), qtest.read(0n, 1)].map((command) =>
      command.catch((error: unknown) => error),
    );
    for (const error of await Promise.all(lost)) expect(error).toBeInstanceOf(QtestError);
    await expect(qtest.read(0n, 1)).rejects.toThrow(
      /^readb 0x0: (?:QEMU closed the qtest connection|read ECONNRESET)$/,
    );
  });

  it('gives up on answers that were not asked for', async () => {
    server.write('OK\n');
    await new Promise((resolve) => server.once('close', resolve));
    await expect(qtest.read(0n, 1)).rejects.toThrow('QEMU answered what was not asked: OK');
  });

  it('lets nobody write two commands as one', () => {
    expect(() => qtest.command('a\nb')).toThrow(TypeError);
  });
});
