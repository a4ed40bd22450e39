// SPDX-License-Identifier: MIT
/** Tests the QMP client against correct and broken servers on real sockets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.js';
import { hostClock } from '../clock.js';
import { LineSplitter } from '../../lib/lines.js';
import { qmpFailureText, type Listener, listenOnce, QmpClient, type QmpEvent } from './qmp.js';

const GREETING =
  '{"QMP": {"version": {"qemu": {"major": 10, "minor": 0, "micro": 2}}, "capabilities": ["oob"]}}\r\n';

let directory: string;
let listener: Listener;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qmp-'));
  listener = await listenOnce(join(directory, 'qmp'));
});
afterEach(async () => {
  listener.close();
  await rm(directory, { recursive: true });
});

/** Acts as QEMU: connects, sends the greeting, and answers each command with this function. */
function qemu(
  greeting: string,
  answer: (command: { execute: string; id: number }, socket: Socket) => string,
): Socket {
  const socket = connect(join(directory, 'qmp'));
  socket.write(greeting);
  const splitter = new LineSplitter((line) => {
    const command: unknown = JSON.parse(line);
    if (isCommand(command)) socket.write(answer(command, socket));
  });
  socket.on('data', (chunk: Buffer) => splitter.push(chunk));
  socket.on('error', () => {});
  return socket;
}
function isCommand(value: unknown): value is { execute: string; id: number } {
  return typeof value === 'object' && value !== null && 'execute' in value && 'id' in value;
}
const good = ({ id }: { id: number }): string => `{"return": {}, "id": ${id}}\r\n`;

async function client(
  options: { clock?: ManualClock; onEvent?: (event: QmpEvent) => void } = {},
): Promise<QmpClient> {
  return new QmpClient(await listener.connection, {
    clock: options.clock ?? hostClock,
    timeoutMs: 10_000,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  });
}

describe('QmpClient', () => {
  it('negotiates, matches answers to commands by id, and passes events on', async () => {
    const held: number[] = [];
    qemu(GREETING, ({ execute, id }) => {
      if (execute === 'qmp_capabilities') return good({ id });
      held.push(id);
      if (held.length < 2) return '';
      // Out of order, with an event between them, two lines in one chunk.
      return `{"return": "second", "id": ${held[1]}}\r\n{"event": "STOP", "data": {"a": 1}, "timestamp": {}}\r\n{"return": "first", "id": ${held[0]}}\r\n`;
    });
    const events: QmpEvent[] = [];
    const qmp = await client({ onEvent: (event) => events.push(event) });
    expect(await qmp.ready).toEqual({ ok: true, value: {} });
    const answers = await Promise.all([qmp.execute('a'), qmp.execute('b', { c: 1 })]);
    expect(answers).toEqual([
      { ok: true, value: 'first' },
      { ok: true, value: 'second' },
    ]);
    expect(events).toEqual([{ event: 'STOP', data: { a: 1 } }]);
    qmp.close();
  });

  it('gives QEMU’s refusal as a value', async () => {
    qemu(GREETING, ({ execute, id }) =>
      execute === 'qmp_capabilities'
        ? good({ id })
        : `{"error": {"class": "CommandNotFound", "desc": "no such command"}, "id": ${id}}\n`,
    );
    const qmp = await client();
    const answer = await qmp.execute('nonsense');
    expect(answer.ok ? undefined : qmpFailureText(answer.failure)).toBe('CommandNotFound: no such command');
    qmp.close();
  });

  it('puts together what arrives byte by byte', async () => {
    const socket = qemu('', good);
    socket.setNoDelay(true);
    const qmp = await client();
    for (const byte of Buffer.from(GREETING)) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await qmp.ready).toEqual({ ok: true, value: {} });
    qmp.close();
  });

  it('times out when nothing greets, and when a command is not answered', async () => {
    const clock = new ManualClock();
    qemu('', () => '');
    const qmp = await client({ clock });
    const answer = qmp.execute('query-status');
    clock.advance(10_000);
    const timeout = { ok: false, failure: { kind: 'timeout', afterMs: 10_000 } };
    expect(await qmp.ready).toEqual(timeout);
    expect(await answer).toEqual(timeout);
    qmp.close();
  });

  it('fails what is under way when the connection goes, and everything after it', async () => {
    qemu(GREETING, ({ execute, id }, socket) => {
      if (execute === 'qmp_capabilities') return good({ id });
      socket.destroy();
      return '';
    });
    const qmp = await client();
    await qmp.ready;
    const gone = { ok: false, failure: { kind: 'disconnected', reason: 'QEMU closed the connection' } };
    expect(await qmp.execute('quit')).toEqual(gone);
    expect(await qmp.execute('quit')).toEqual(gone);
    expect(await qmp.closed).toBe('QEMU closed the connection');
  });

  it.each([
    ['no JSON', 'Segmentation fault\n'],
    ['JSON that is no object', '[1]\n'],
    ['an object of another protocol', '{"hello": 1}\n'],
  ])('gives up on a peer that does not speak QMP: %s', async (_name, text) => {
    qemu(text, good);
    const qmp = await client();
    const answer = await qmp.ready;
    expect(answer.ok ? '' : qmpFailureText(answer.failure)).toBe(
      `QEMU sent an invalid QMP message: ${text.trim()}`,
    );
  });

  it('does not keep a line without end in memory', async () => {
    const socket = qemu('', good);
    const qmp = await client();
    socket.write(`{"QMP": "${'x'.repeat(8 * 1024 * 1024)}"}\n`);
    expect(await qmp.closed).toMatch(/^QEMU sent an invalid QMP message: \{"QMP": "x+$/);
  });

  it('ignores the answer to a command that has timed out', async () => {
    const clock = new ManualClock();
    let late = '';
    const socket = qemu(GREETING, ({ execute, id }) => {
      if (execute === 'slow') late = good({ id });
      return execute === 'slow' ? '' : good({ id });
    });
    const qmp = await client({ clock });
    await qmp.ready;
    const slow = qmp.execute('slow');
    await qmp.execute('quick');
    clock.advance(10_000);
    expect((await slow).ok).toBe(false);
    socket.write(late);
    expect(await qmp.execute('quick')).toEqual({ ok: true, value: {} });
    qmp.close();
  });
});

describe('listenOnce', () => {
  it('rejects when it cannot listen', async () => {
    await expect(listenOnce(join(directory, 'missing', 'qmp'))).rejects.toThrow();
  });
});
