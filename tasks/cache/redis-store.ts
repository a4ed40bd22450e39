// SPDX-License-Identifier: MIT
/** A Redis server, or what speaks its protocol, as a store. Keys are those that ccache itself uses there. */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RemoteAddress } from './address.js';
import { encodeCommand, RespReader, type Reply } from './resp.js';
import { type Credentials, type RemoteStore, StoreError } from './store.js';

type RedisAddress = Extract<RemoteAddress, { kind: 'redis' }>;

export class RedisStore implements RemoteStore {
  /** Two, so that no answer waits behind a large value on its way out. */
  private readonly reading: Connection;
  private readonly writing: Connection;

  constructor(address: RedisAddress, credentials: Credentials) {
    this.reading = new Connection(address, credentials);
    this.writing = new Connection(address, credentials);
  }

  async probe(signal: AbortSignal): Promise<void> {
    await this.reading.ask(['PING'], signal);
  }

  async get(key: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const reply = await this.reading.ask(['GET', key], signal);
    if (reply.kind === 'bulk') return reply.bytes ?? undefined;
    throw new StoreError(`expected a value from Redis, got ${reply.kind}`);
  }

  async put(key: string, value: Buffer, signal: AbortSignal): Promise<void> {
    await this.writing.ask(['SET', key, value], signal);
  }

  close(): void {
    this.reading.drop(new StoreError('the connection was closed'));
    this.writing.drop(new StoreError('the connection was closed'));
  }
}

interface Waiter {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** One connection, made when it is needed; commands are sent one after the other without waiting. */
class Connection {
  private socket: Socket | undefined;
  private ready: Promise<void> | undefined;
  private waiting: Waiter[] = [];

  constructor(
    private readonly address: RedisAddress,
    private readonly credentials: Credentials,
  ) {}

  /** The answer to a command; rejects for an error too. Aborted, it gives the connection up: answers come in order. */
  async ask(words: readonly (string | Buffer)[], signal: AbortSignal): Promise<Reply> {
    const giveUp = (): void => this.drop(new StoreError(reasonOf(signal)));
    if (signal.aborted) throw new StoreError(reasonOf(signal));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      this.ready ??= this.open();
      await this.ready;
      return await this.send(words);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** All that wait for an answer get this error; the next command connects anew. */
  drop(error: Error): void {
    const { waiting, socket } = this;
    this.waiting = [];
    this.socket = undefined;
    this.ready = undefined;
    socket?.destroy();
    for (const waiter of waiting) waiter.reject(error);
  }

  private async open(): Promise<void> {
    const { at, tls, database } = this.address;
    const socket = tls && 'host' in at ? connectTls({ ...at, ...serverName(at.host) }) : connectPlain(at);
    this.socket = socket;
    const reader = new RespReader();
    const lost = (error: Error): void => {
      if (this.socket === socket) this.drop(error);
    };
    socket.setNoDelay(true);
    socket.on('error', (error) => lost(new StoreError(error.message)));
    socket.on('close', () => lost(new StoreError('the server closed the connection')));
    socket.on('data', (chunk) => {
      try {
        for (const reply of reader.push(chunk)) this.waiting.shift()?.resolve(reply);
      } catch (error) {
        lost(new StoreError(error instanceof Error ? error.message : String(error)));
      }
    });
    // Written at once: the socket keeps it until it is connected.
    const { user, password } = this.credentials;
    const first: Promise<Reply>[] = [];
    if (password !== undefined) {
      first.push(this.send(user === undefined ? ['AUTH', password] : ['AUTH', user, password]));
    }
    if (database !== 0) first.push(this.send(['SELECT', String(database)]));
    await Promise.all(first);
  }

  private async send(words: readonly (string | Buffer)[]): Promise<Reply> {
    const { socket } = this;
    if (socket === undefined) throw new StoreError('the connection was lost');
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      socket.write(encodeCommand(words));
    });
    if (reply.kind === 'error') {
      throw new StoreError(`Redis said: ${reply.text}`, {
        denied: /^(WRONGPASS|NOAUTH|NOPERM|ERR.*AUTH)/.test(reply.text),
      });
    }
    return reply;
  }
}

function reasonOf(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
}

/** The name that a certificate is for; an IP address is none. */
function serverName(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
