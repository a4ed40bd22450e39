// SPDX-License-Identifier: MIT
/** A web server that takes PUT as a store. Paths are those that ccache itself uses there ('subdirs'). */
import { Agent as HttpAgent, request as requestPlain, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestTls } from 'node:https';
import type { RemoteAddress } from './address.js';
import { type Credentials, type RemoteStore, StoreError } from './store.js';

type HttpAddress = Extract<RemoteAddress, { kind: 'http' }>;

/** Connections at once; reading does not wait for writing. */
const SOCKETS = 16;
/** No entry begins with it, so that asking for it tells of the server and of nothing else. */
const PROBE = 'ccache:zzprobe';

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export class HttpStore implements RemoteStore {
  private readonly agent: HttpAgent;
  private readonly base: string;
  private readonly authorization: string | undefined;

  constructor(
    private readonly address: HttpAddress,
    { user = '', password, token }: Credentials,
  ) {
    const options = { keepAlive: true, maxSockets: SOCKETS };
    this.agent = address.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
    this.base = address.url.pathname.replace(/\/*$/, '/');
    if (token !== undefined) this.authorization = `Bearer ${token}`;
    else if (password !== undefined) {
      this.authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    await this.get(PROBE, signal);
  }

  async get(key: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const { status, body } = await this.exchange('GET', key, undefined, signal);
    if (status === 200) return body;
    if (status === 404 || status === 410) return undefined;
    throw refused('GET', status);
  }

  async put(key: string, value: Buffer, signal: AbortSignal): Promise<void> {
    const { status } = await this.exchange('PUT', key, value, signal);
    if (status < 200 || status > 299) throw refused('PUT', status);
  }

  close(): void {
    this.agent.destroy();
  }

  private async exchange(
    method: 'GET' | 'PUT',
    key: string,
    value: Buffer | undefined,
    signal: AbortSignal,
    isRepeated = false,
  ): Promise<Answer> {
    const { url } = this.address;
    const request = (url.protocol === 'https:' ? requestTls : requestPlain)({
      agent: this.agent,
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      path: this.base + pathOf(key),
      method,
      signal,
      headers: {
        ...(this.authorization === undefined ? {} : { authorization: this.authorization }),
        ...(value === undefined
          ? {}
          : { 'content-type': 'application/octet-stream', 'content-length': value.length }),
      },
    });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        request.on('error', reject);
        request.on('response', (response) => bodyOf(response).then(resolve, reject));
        request.end(value);
      });
    } catch (error) {
      if (signal.aborted) throw new StoreError(messageOf(signal.reason));
      // A server may close a connection in the moment in which it is used again.
      if (request.reusedSocket && !isRepeated) return this.exchange(method, key, value, signal, true);
      throw new StoreError(messageOf(error));
    }
  }
}

async function bodyOf(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve, reject) => {
    response.on('end', resolve).on('error', reject);
    response.on('close', () => reject(new Error('the server closed the connection')));
  });
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
}

/** 'ccache:' is Redis' part of a key; the rest is kept below 256 directories. */
function pathOf(key: string): string {
  const name = key.replace(/^ccache:/, '');
  return `${encodeURIComponent(name.slice(0, 2))}/${encodeURIComponent(name.slice(2))}`;
}

function refused(method: string, status: number): StoreError {
  return new StoreError(`${method} was answered with HTTP ${status}`, {
    denied: status === 401 || status === 403,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
