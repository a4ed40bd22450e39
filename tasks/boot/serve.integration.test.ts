// SPDX-License-Identifier: MIT
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProcesses } from '../../lib/process/process.js';
import { LineSplitter } from '../../lib/lines.js';
import { addressFile, type ServerAddress, serving } from './serve.js';

let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'stopwatch-serve-'));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

test('a guest that asks a thousand times at once has one build, and is busy', async () => {
  const [host, guest] = await connected(join(work, 'line'));
  const disk = join(work, 'disk');
  writeFileSync(disk, '');
  const from = join(work, 'tool.sh');
  writeFileSync(from, '#!/bin/sh\n');
  const tool = { name: 'tool', device: undefined, from, path: '/usr/bin/tool', mode: 0o755 };
  let builds = 0;
  const built = new AbortController();
  const options = {
    services: {
      signal: new AbortController().signal,
      processes: async () => createProcesses(),
      loaded: { paths: { work } },
    },
    pushables: [{ ...tool, sources: [], module: undefined, targets: [] }],
    tests: [],
    splats: 'fail' as const,
    pausing: false,
    build: async () => {
      builds += 1;
      if (!built.signal.aborted) await once(built.signal, 'abort');
    },
  };
  const told = new Map<string, string>();
  let mark = '';
  await serving(options, async (ports) => {
    await new Promise<void>((resolve) => {
      const splitter = new LineSplitter((line) => {
        const [verb, key = '', ...rest] = line.split(' ');
        if (verb === 'secret') {
          mark = `\u0001${key} `;
          guest.write(`${mark}ready\n`);
          for (let each = 0; each < 1000; each++) guest.write(`${mark}ask ${each} tool\n`);
        } else if (verb === 'put') guest.write(`${mark}done ${key} 0 new\n`);
        else told.set(key, rest.join(' '));
        if (told.size === 999) built.abort();
        if (told.size === 1000) resolve();
      });
      guest.on('data', (chunk: Buffer) => splitter.push(chunk));
      ports.onDelivery?.(host, disk);
      guest.write('\u0001hello\n');
    });
    // And then it may ask again.
    await new Promise<void>((resolve) => {
      guest.on('data', () => told.has('again') && resolve());
      guest.write(`${mark}ask again tool\n`);
    });
  });
  guest.destroy();
  host.destroy();
  expect(told.get('0')).toBe('0 new');
  expect(told.get('again')).toBe('0 new');
  expect(
    [...told.values()].filter((answer) => answer.startsWith('1 busy with another request')),
  ).toHaveLength(999);
  expect(builds).toBe(2);
});

test('a client that waits when the VM ends gets the last lines of its console', async () => {
  let waiting: Promise<string> | undefined;
  const options = {
    services: {
      signal: new AbortController().signal,
      processes: async () => createProcesses(),
      loaded: { paths: { work } },
    },
    pushables: [],
    tests: [],
    splats: 'fail' as const,
    pausing: false,
    build: async () => new Promise<void>(() => {}),
  };
  await serving(options, async (ports) => {
    const { socket: path }: ServerAddress = JSON.parse(readFileSync(addressFile(work), 'utf8'));
    const client = connect(path);
    client.write(`${JSON.stringify({ names: [], test: false, silenceSeconds: 1 })}\n`);
    waiting = text(client);
    await once(client, 'connect');
    // The server has it, too.
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const line of ['init', 'Kernel panic - not syncing: \u001B[31mred']) ports.onConsoleLine?.(line);
  });
  expect(JSON.parse((await waiting) ?? '')).toMatchObject({
    error: {
      code: 'push-failed',
      message: 'The VM ended meanwhile',
      lastLines: ['init', 'Kernel panic - not syncing: red'],
    },
  });
});

async function connected(path: string): Promise<[Socket, Socket]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const guest = connect(path);
  const host = await accepted;
  server.close();
  return [host, guest];
}
