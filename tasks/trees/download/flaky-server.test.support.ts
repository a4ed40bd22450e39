// SPDX-License-Identifier: MIT
/** A real HTTP server that misbehaves on request and records what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
  /** Bytes of the body that were handed to the connection. */
  sent: number;
}

export type Behaviour = (request: IncomingMessage, response: ServerResponse, asked: Asked) => void;

export interface FlakyServer {
  readonly url: string;
  readonly asked: Asked[];
  /** Behaviours for a path, one per request; the last one stays. */
  on(path: string, ...behaviours: Behaviour[]): void;
  close(): Promise<void>;
}

export async function startFlakyServer(): Promise<FlakyServer> {
  const scripts = new Map<string, Behaviour[]>();
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const entry: Asked = { path, range: request.headers.range, sent: 0 };
    asked.push(entry);
    const script = scripts.get(path) ?? [status(404)];
    const behaviour = script.length > 1 ? script.shift() : script[0];
    behaviour?.(request, response, entry);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('Expected a TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    on: (path, ...behaviours) => void scripts.set(path, behaviours),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface FileOptions {
  /** Take no notice of Range. */
  readonly ignoreRange?: boolean;
  /** Answer a Range with one that begins so many bytes later. */
  readonly rangeOffset?: number;
  /** Of the body, after which the connection is broken. */
  readonly cutAfter?: number;
  /** Waits until the client has kept this many bytes: a broken connection takes along what was not yet read. */
  readonly kept?: (bytes: number) => Promise<unknown>;
  /** Of the body, after which nothing more comes. */
  readonly stallAfter?: number;
  /** Said instead of the true length. */
  readonly contentLength?: number;
  /** Say no length: the body is chunked. */
  readonly noLength?: boolean;
  readonly type?: string;
}

/** Serves a file as a good server does, but for the options. */
export function file(content: Buffer, options: FileOptions = {}): Behaviour {
  return (request, response, asked) => {
    const wanted = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const isWhole = wanted === undefined || options.ignoreRange === true;
    const start = isWhole ? 0 : Number(wanted) + (options.rangeOffset ?? 0);
    if (start > 0 && start >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const body = content.subarray(start);
    const headers: Record<string, string | number> = {
      'content-type': options.type ?? 'application/octet-stream',
    };
    if (options.noLength !== true) headers['content-length'] = options.contentLength ?? body.length;
    if (start > 0) headers['content-range'] = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.strictContentLength = false;
    response.writeHead(start > 0 ? 206 : 200, headers);
    const limit = options.cutAfter ?? options.stallAfter;
    const part = limit === undefined ? body : body.subarray(0, limit);
    asked.sent = part.length;
    if (limit === undefined) {
      response.end(part);
    } else if (options.cutAfter !== undefined) {
      response.write(part);
      const broken = options.kept?.(start + part.length) ?? Promise.resolve();
      void broken.finally(() => response.destroy());
    } else {
      response.write(part);
    }
  };
}

export function status(code: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => void response.writeHead(code, headers).end();
}

export function redirect(to: string): Behaviour {
  return status(302, { location: to });
}

/** Accepts the request and never answers. */
export const silent: Behaviour = () => undefined;
