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

function serve(socket: Socket, store: GuardedStore): void {
  const reader = new RespReader();
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
      const answer = answerTo(wordsOf(command), store);
      last = last.then(async () => {
        const bytes = await answer;
        if (!socket.destroyed) socket.write(bytes);
      });
    }
  });
}

async function answerTo(words: readonly Buffer[], store: GuardedStore): Promise<Buffer> {
  const [command, key, value] = words;
  switch (String(command).toUpperCase()) {
    case 'GET':
      return encodeBulk(await store.get(String(key)));
    case 'SET':
      if (value === undefined) return Buffer.from('-ERR SET wants a value\r\n');
      // A copy: the piece that it came in may be larger by far.
      store.put(String(key), Buffer.from(value));
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

function wordsOf(command: Reply): readonly Buffer[] {
  if (command.kind !== 'array') return [];
  return command.items.map((item) => (item.kind === 'bulk' ? (item.bytes ?? Buffer.of()) : Buffer.of()));
}
