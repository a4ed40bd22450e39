// SPDX-License-Identifier: MIT
/**
 * What ccache takes for its remote storage: a Redis on a socket of ours. So no
 * compiler's environment has the server's address or a password in it, one
 * connection serves thousands of compilers, and what to do about a server that
 * is slow or gone is decided in one place. Uses the commands that ccache does.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { GuardedStore } from './guarded-store.js';
import { encodeBulk, type Reply, RespReader } from './resp.js';

export interface Relay {
  /** Takes no more calls and removes the socket, at once. */
  close(): void;
}

/** Listens when it returns. Throws what the system says: a path too long, a directory that cannot be written. */
export function startRelay(socketPath: string, store: GuardedStore): Relay {
  mkdirSync(dirname(socketPath), { recursive: true });
  rmSync(socketPath, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A compiler that was killed.
    socket.on('error', () => socket.destroy());
    serve(socket, store);
  });
  server.on('error', () => {});
  server.listen({ path: socketPath, backlog: 511 });
  chmodSync(socketPath, 0o600);
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What was found and written on one connection, which is one call of ccache. */
interface Call {
  manifestFound: boolean;
  readonly results: Set<string>;
}

function serve(socket: Socket, store: GuardedStore): void {
  const reader = new RespReader();
  const call: Call = { manifestFound: false, results: new Set() };
  let last: Promise<void> = Promise.resolve();
  socket.on('data', (chunk) => {
    let commands: Reply[];
    try {
      commands = reader.push(chunk);
    } catch {
      socket.destroy();
      return;
    }
    for (const command of commands) {
      const answer = answerTo(wordsOf(command), call, store);
      last = last.then(async () => {
        const bytes = await answer;
        if (!socket.destroyed) socket.write(bytes);
      });
    }
  });
}

async function answerTo(words: readonly Buffer[], call: Call, store: GuardedStore): Promise<Buffer> {
  const [command, name, value] = words;
  const key = String(name);
  switch (String(command).toUpperCase()) {
    case 'GET':
      return encodeBulk(await read(key, call, store));
    case 'SET':
      if (value === undefined) return Buffer.from('-ERR SET wants a value\r\n');
      // A copy: the piece that it came in may be larger by far.
      write(key, Buffer.from(value), call, store);
      return Buffer.from('+OK\r\n');
    case 'EXISTS':
    case 'DEL':
      // Nothing is asked and nothing removed: what is written comes in the place of what was there.
      return Buffer.from(':0\r\n');
    case 'PING':
      return Buffer.from('+PONG\r\n');
    case 'SELECT':
      return Buffer.from('+OK\r\n');
    default:
      return Buffer.from('-ERR unknown command\r\n');
  }
}

/**
 * ccache keeps two entries for a compilation, the list of headers (manifest) and
 * the result. In depend mode both have one key when there are no headers, and on
 * a server, other than in a directory, the second takes the place of the first:
 * the dozens of such files by which the kernel's build tries out the compiler
 * would never be hits. So then the manifest has a key of its own.
 */
const manifestKey = (key: string): string => `${key}-manifest`;

/** By an entry's header: 0xCC 0xAC, version of the format, 0 for a result and 1 for a manifest. */
const isResult = (entry: Buffer): boolean => entry[0] === 0xcc && entry[1] === 0xac && entry[3] === 0;

async function read(key: string, call: Call, store: GuardedStore): Promise<Buffer | undefined> {
  const entry = await store.get(key);
  // The manifest is what is asked for first.
  if (entry === undefined || call.manifestFound) return entry;
  const manifest = isResult(entry) ? await store.get(manifestKey(key)) : entry;
  call.manifestFound = manifest !== undefined;
  return manifest ?? entry;
}

function write(key: string, entry: Buffer, { results }: Call, store: GuardedStore): void {
  if (isResult(entry)) results.add(key);
  store.put(!isResult(entry) && results.has(key) ? manifestKey(key) : key, entry);
}

function wordsOf(command: Reply): readonly Buffer[] {
  if (command.kind !== 'array') return [];
  return command.items.map((item) => (item.kind === 'bulk' ? (item.bytes ?? Buffer.of()) : Buffer.of()));
}
