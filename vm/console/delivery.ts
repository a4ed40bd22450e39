// SPDX-License-Identifier: MIT
/**
 * Sends files to a running guest. This is the host side of
 * guest_fs/base/network_update.sh, which documents the protocol.
 *
 * Commands and answers use a second serial line; content uses a disk that is
 * read-only for the guest. The kernel needs no extra drivers for them. Guest
 * errors are returned as values, never thrown.
 */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../clock.js';
import { errnoOf } from '../../lib/errno.js';
import { LineSplitter } from '../../lib/lines.js';
import { printable } from '../../lib/printable.js';
import { MessageSplitter } from './messages.js';
import { type Listener, listenOnce } from '../qemu/qmp.js';

/** Serial number by which the guest finds the disk. */
export const DISK_SERIAL = 'delivery';
/** The largest file, bytes. The disk is sparse. */
export const DISK_BYTES = 64 * 1024 * 1024;
/** Maximum bytes to buffer for a guest that does not read; further commands are dropped. */
const UNREAD_BYTES = 1024 * 1024;

/** Absolute paths to pass to QEMU. */
export interface DeliveryEndpoints {
  /** Listening UNIX socket; QEMU connects to it. */
  readonly line: string;
  readonly disk: string;
}

/** Both ends, created before the machine starts. */
export interface DeliveryEnds {
  readonly endpoints: DeliveryEndpoints;
  readonly listener: Listener;
}

/** Creates the socket and the disk. `directory` must be private to this user. */
export async function makeDeliveryEnds(directory: string): Promise<DeliveryEnds> {
  const endpoints = { line: join(directory, 'line'), disk: join(directory, 'disk') };
  const disk = openSync(endpoints.disk, 'wx', 0o600);
  ftruncateSync(disk, DISK_BYTES);
  closeSync(disk);
  return { endpoints, listener: await listenOnce(endpoints.line) };
}

/** One file and its destination in the guest. */
export interface FileTransfer {
  readonly content: Uint8Array;
  /** Path in the guest; must not contain blanks. */
  readonly path: string;
  readonly mode: number;
  /** Name of the module to reload from this file. If that fails, the old one is restored. */
  readonly module: string | undefined;
}

/** `text`: 'new', 'same', or the reason for the failure. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface DeliveryOptions {
  readonly clock: Clock;
  /** How long the guest may take to answer, host milliseconds. */
  readonly timeoutMs: number;
  /** Called when the guest's user requests a file by name. */
  readonly onAsk: (name: string) => Promise<Answer>;
}

/** The host's end while the machine runs. It never rejects. Requests must not overlap: await each answer. */
export class Delivery {
  /** Resolves when the guest is listening. */
  readonly ready: Promise<void>;
  readonly #line: Duplex;
  readonly #disk: string;
  readonly #options: DeliveryOptions;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #onReady: () => void = () => {};
  #onOutput: ((line: string) => void) | undefined;
  readonly #output = new LineSplitter((line) => this.#onOutput?.(line));
  #lost = false;

  constructor(line: Duplex, disk: string, options: DeliveryOptions) {
    this.#line = line;
    this.#disk = disk;
    this.#options = options;
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    const decoder = new StringDecoder('utf8');
    const secret = newId();
    const splitter = new MessageSplitter(secret, {
      onHello: () => this.#send(`secret ${secret}`),
      onText: (text) => this.#output.push(text),
      onMessage: (message) => this.#take(message),
    });
    line.on('data', (chunk: Buffer) => splitter.push(decoder.write(chunk)));
    for (const event of ['end', 'close', 'error']) line.on(event, () => this.#lose());
  }

  /** Sends a file. Status 0 means that the guest has it. */
  async put({ content, path, mode, module }: FileTransfer): Promise<Answer> {
    if (content.length > DISK_BYTES)
      return { status: 1, text: `expected at most ${DISK_BYTES} bytes, got ${content.length}` };
    this.#fill(content);
    const sum = createHash('sha256').update(content).digest('hex');
    const words = [content.length, sum, mode.toString(8), path, ...(module === undefined ? [] : [module])];
    const id = newId();
    const answer = this.#answer(id);
    this.#send(`put ${id} ${words.join(' ')}`);
    return this.#within(id, answer);
  }

  /** Runs a program in the guest and resolves with its exit status. Blanks separate arguments. Aborting the signal kills it: status 137. */
  async run(program: string, onOutput: (line: string) => void, signal: AbortSignal): Promise<Answer> {
    const id = newId();
    const answer = this.#answer(id);
    this.#onOutput = onOutput;
    this.#send(`run ${id} ${program}`);
    const onAbort = (): void => {
      this.#send(`stop ${id}`);
      // Give up if the guest does not answer this either.
      void this.#within(id, answer);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    const ended = await answer;
    signal.removeEventListener('abort', onAbort);
    this.#onOutput = undefined;
    return ended;
  }

  /** No fsync needed: QEMU reads through the same page cache. */
  #fill(content: Uint8Array): void {
    const disk = openSync(this.#disk, 'r+');
    try {
      for (let at = 0; at < content.length; ) at += writeSync(disk, content, at, content.length - at, at);
    } finally {
      closeSync(disk);
    }
  }

  #send(line: string): void {
    if (!this.#lost && this.#line.writableLength < UNREAD_BYTES) this.#line.write(`${line}\n`);
  }

  async #answer(id: string): Promise<Answer> {
    if (this.#lost) return GONE;
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  async #within(id: string, answer: Promise<Answer>): Promise<Answer> {
    const { clock, timeoutMs } = this.#options;
    const cancel = clock.after(timeoutMs, () =>
      this.#settle(id, { status: 1, text: `the guest did not answer within ${timeoutMs / 1000} s` }),
    );
    const settled = await answer;
    cancel();
    return settled;
  }

  #settle(id: string, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #take(message: string): void {
    const [, verb, id = '', rest = ''] = /^(\w+)(?: (\S*))?(?: ([^]*))?$/.exec(message) ?? [];
    if (verb === 'ready') this.#onReady();
    else if (verb === 'ask') {
      void this.#options
        .onAsk(rest)
        .catch((cause: unknown) => ({ status: 1, text: `the host failed: ${errnoOf(cause).message}` }))
        .then(({ status, text }) => this.#send(`tell ${id} ${status} ${printable(text)}`));
    } else if (verb === 'done') {
      const [, status = '', text = ''] = /^(\d+)(?: ([^]*))?$/.exec(rest) ?? [];
      // The last output line may lack a newline.
      this.#output.end();
      if (status !== '') this.#settle(id, { status: Number(status), text });
    }
  }

  #lose(): void {
    this.#lost = true;
    for (const id of this.#waiting.keys()) this.#settle(id, GONE);
  }
}

/** The answer of a machine that has ended. */
export const GONE: Answer = { status: 1, text: 'the machine has ended' };

/** Random, so that a guest program cannot forge an answer. */
function newId(): string {
  return randomBytes(6).toString('hex');
}
