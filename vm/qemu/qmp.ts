// SPDX-License-Identifier: MIT
/** A client for QMP (docs/interop/qmp-spec.rst): one JSON object per line. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.js';
import { LineSplitter } from '../../lib/lines.js';

/** Longer lines are not QMP: no answer that we request is this long. */
const LONGEST_LINE = 4 * 1024 * 1024;

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Why a command failed; `refused` carries QEMU's own error. */
export type QmpFailure =
  | { readonly kind: 'refused'; readonly class: string; readonly description: string }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'disconnected'; readonly reason: string };

export type QmpAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: QmpFailure };

interface Pending {
  readonly settle: (answer: QmpAnswer) => void;
  readonly cancelTimer: () => void;
}

/** One connection. Failures are values; no method rejects or throws. */
export class QmpClient {
  /** Resolves when the capabilities are negotiated and commands can be executed. */
  readonly ready: Promise<QmpAnswer>;
  /** Resolves with the reason when the connection is closed. */
  readonly closed: Promise<string>;
  readonly #stream: Duplex;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #onEvent: (event: QmpEvent) => void;
  #nextId = 1;
  #lost: string | undefined;
  #settleReady: (answer: QmpAnswer) => void = () => {};
  #settleClosed: (reason: string) => void = () => {};

  constructor(
    stream: Duplex,
    options: {
      readonly clock: Clock;
      /** How long QEMU may take for its greeting and for each answer. */
      readonly timeoutMs: number;
      readonly onEvent?: (event: QmpEvent) => void;
    },
  ) {
    this.#stream = stream;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#onEvent = options.onEvent ?? (() => {});
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.ready = new Promise((resolve) => {
      const cancel = this.#clock.after(this.#timeoutMs, () =>
        resolve({ ok: false, failure: { kind: 'timeout', afterMs: this.#timeoutMs } }),
      );
      this.#settleReady = (answer) => {
        cancel();
        resolve(answer);
      };
    });
    const splitter = new LineSplitter((line) => this.#line(line), { longest: LONGEST_LINE });
    stream.on('data', (chunk: Buffer) => splitter.push(chunk));
    stream.on('end', () => this.#lose('QEMU closed the connection'));
    stream.on('close', () => this.#lose('QEMU closed the connection'));
    stream.on('error', (error: Error) => this.#lose(error.message));
  }

  /** Executes a command and waits for its answer. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<QmpAnswer> {
    const lost = this.#lost;
    if (lost !== undefined) {
      return Promise.resolve({ ok: false, failure: { kind: 'disconnected', reason: lost } });
    }
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const cancelTimer = this.#clock.after(this.#timeoutMs, () => {
        this.#pending.delete(id);
        resolve({ ok: false, failure: { kind: 'timeout', afterMs: this.#timeoutMs } });
      });
      this.#pending.set(id, { settle: resolve, cancelTimer });
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** Closes the connection. Outstanding commands fail as disconnected. */
  close(): void {
    this.#lose('the connection was closed');
  }

  #line(line: string): void {
    if (this.#lost !== undefined || line.trim() === '') return;
    const message = parseObject(line);
    if (message === undefined) {
      this.#lose(`QEMU sent an invalid QMP message: ${line.slice(0, 200)}`);
    } else if ('QMP' in message) {
      void this.execute('qmp_capabilities').then(this.#settleReady);
    } else if (typeof message['event'] === 'string') {
      this.#onEvent({ event: message['event'], data: asObject(message['data']) ?? {} });
    } else if ('return' in message || 'error' in message) {
      this.#answer(message);
    } else {
      this.#lose(`QEMU sent an invalid QMP message: ${line.slice(0, 200)}`);
    }
  }

  #answer(message: Readonly<Record<string, unknown>>): void {
    const id = message['id'];
    const pending = typeof id === 'number' ? this.#pending.get(id) : undefined;
    // The answer to a command that has timed out.
    if (typeof id !== 'number' || pending === undefined) return;
    this.#pending.delete(id);
    pending.cancelTimer();
    const error = asObject(message['error']);
    pending.settle(
      error === undefined
        ? { ok: true, value: message['return'] }
        : {
            ok: false,
            failure: { kind: 'refused', class: String(error['class']), description: String(error['desc']) },
          },
    );
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    const answer: QmpAnswer = { ok: false, failure: { kind: 'disconnected', reason } };
    for (const { settle, cancelTimer } of this.#pending.values()) {
      cancelTimer();
      settle(answer);
    }
    this.#pending.clear();
    this.#settleReady(answer);
    this.#stream.destroy();
    this.#settleClosed(reason);
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Describes a failure for error messages. */
export function qmpFailureText(failure: QmpFailure): string {
  switch (failure.kind) {
    case 'refused':
      return `${failure.class}: ${failure.description}`;
    case 'timeout':
      return `no answer within ${failure.afterMs} ms`;
    case 'disconnected':
      return failure.reason;
    default:
      return failure satisfies never;
  }
}

/** A listening socket for one connection from QEMU. */
export interface Listener {
  readonly connection: Promise<Socket>;
  /** Stops listening and drops the connection. */
  close(): void;
}

/**
 * Listens on a UNIX socket for the connection that QEMU opens when it starts,
 * which avoids polling for a socket of QEMU's. Rejects if it cannot listen.
 */
export async function listenOnce(path: string): Promise<Listener> {
  const server: Server = createServer();
  let socket: Socket | undefined;
  const connection = new Promise<Socket>((resolve) => {
    server.once('connection', (accepted) => {
      socket = accepted;
      server.close();
      resolve(accepted);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    connection,
    close: () => {
      server.close();
      socket?.destroy();
    },
  };
}
