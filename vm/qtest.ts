// SPDX-License-Identifier: MIT
/**
 * QEMU's qtest protocol (system/qtest.c) over a stream: the device without a
 * guest, its clock driven by hand. Commands are pipelined: QEMU answers them in
 * order, so many can be under way.
 */
import type { Duplex } from 'node:stream';
import { LineSplitter } from './console/lines.js';

/** Bytes of a memory access. */
export type Width = 1 | 2 | 4 | 8;
const SUFFIX: Readonly<Record<Width, string>> = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' };

/** QEMU said FAIL or ERR, or is gone. A QEMU that gets a malformed command aborts, so it comes as the latter. */
export class QtestError extends Error {
  override readonly name = 'QtestError';
}

interface Pending {
  readonly command: string;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: QtestError) => void;
}

/** An interrupt line that changed, in order with the answers. */
export interface IrqChange {
  readonly line: number;
  readonly level: boolean;
}

export class QtestClient {
  readonly #stream: Duplex;
  readonly #onIrq: (change: IrqChange) => void;
  /** Oldest first; `#first` saves moving them all. */
  #pending: Pending[] = [];
  #first = 0;
  #lost: string | undefined;

  constructor(stream: Duplex, onIrq: (change: IrqChange) => void = () => {}) {
    this.#stream = stream;
    this.#onIrq = onIrq;
    const splitter = new LineSplitter((line) => this.#line(line));
    stream.on('data', (chunk: Buffer) => splitter.push(chunk));
    stream.on('close', () => this.#lose('QEMU closed the qtest connection'));
    stream.on('end', () => this.#lose('QEMU closed the qtest connection'));
    stream.on('error', (error: Error) => this.#lose(error.message));
  }

  async read(address: bigint, width: Width): Promise<bigint> {
    return BigInt(await this.command(`read${SUFFIX[width]} 0x${address.toString(16)}`));
  }

  async write(address: bigint, width: Width, value: bigint): Promise<void> {
    await this.command(`write${SUFFIX[width]} 0x${address.toString(16)} 0x${value.toString(16)}`);
  }

  /** Bytes of memory, as they lie there. */
  async readMemory(address: bigint, length: number): Promise<Buffer> {
    const hex = await this.command(`read 0x${address.toString(16)} ${length}`);
    return Buffer.from(hex.slice(2), 'hex');
  }

  async writeMemory(address: bigint, bytes: Uint8Array): Promise<void> {
    const hex = Buffer.from(bytes).toString('hex');
    await this.command(`write 0x${address.toString(16)} ${bytes.length} 0x${hex}`);
  }

  /** Moves virtual time on; gives the new time in nanoseconds. `ns` must be more than 0: QEMU 10 fails when time does not move. */
  async clockStep(ns: bigint): Promise<bigint> {
    return BigInt(await this.command(`clock_step ${ns}`));
  }

  /** From now on the changes of this device's outgoing lines come to `onIrq`, and no longer to the interrupt controller. */
  async interceptOut(qomPath: string, name: string): Promise<void> {
    await this.command(`irq_intercept_out ${qomPath} ${name}`);
  }

  /** Any command; gives what follows OK. Rejects with QtestError. */
  command(command: string): Promise<string> {
    if (/[\r\n]/.test(command))
      throw new TypeError(`Expected one qtest command, got ${JSON.stringify(command)}`);
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(new QtestError(`${command}: ${this.#lost}`));
        return;
      }
      this.#pending.push({ command, resolve, reject });
      this.#stream.write(`${command}\n`);
    });
  }

  close(): void {
    this.#lose('closed by us');
  }

  #line(line: string): void {
    const irq = /^IRQ (raise|lower) (\d+)$/.exec(line);
    if (irq !== null) {
      this.#onIrq({ line: Number(irq[2]), level: irq[1] === 'raise' });
      return;
    }
    const pending = this.#pending[this.#first];
    if (pending === undefined) {
      this.#lose(`QEMU answered what was not asked: ${line.slice(0, 200)}`);
      return;
    }
    this.#first += 1;
    if (this.#first > 4096) {
      this.#pending = this.#pending.slice(this.#first);
      this.#first = 0;
    }
    if (line === 'OK' || line.startsWith('OK ')) pending.resolve(line.slice(3).trim());
    else pending.reject(new QtestError(`${pending.command}: ${line}`));
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    for (const { command, reject } of this.#pending.slice(this.#first)) {
      reject(new QtestError(`${command}: ${reason}`));
    }
    this.#pending = [];
    this.#stream.destroy();
  }
}
