// SPDX-License-Identifier: MIT
/** A stopwatch that keeps the contract, as a guest sees it: the reference model behind its registers and `mem`. */
import { DATA_SIZE, MEM_DATA, MEM_DATA_LEN, MEM_SIZE, offsetOf } from '../contract/contract.js';
import { commandOperation, decisionIndex, timeoutOperation } from '../contract/decisions.js';
import { decode, initialState, type ModelState, step, type Stimulus } from '../model/index.js';
import { MEM, pieces, readBytes, REGS, writeBytes } from './bus.js';

/** data_len and the text. */
export const TEXT_LENGTH = MEM_DATA + DATA_SIZE;
const COMMAND_AT = BigInt(offsetOf('COMMAND'));
const TIMEOUT_NS_AT = BigInt(offsetOf('TIMEOUT_NS'));

export class Simulated {
  readonly #mem = Buffer.alloc(MEM_SIZE);
  /** Cached result of `text`, until `mem` changes. */
  #text: string | undefined;
  #state: ModelState = initialState;
  /** Indices of the contract's decisions that were exercised. */
  readonly decided = new Set<number>();

  /** `now`: virtual time. `onLine` is called for each change of the interrupt line. */
  constructor(
    public now: bigint,
    private readonly startAtBoot: boolean,
    private readonly onLine: (level: boolean) => void,
  ) {
    this.#apply({ stimulus: 'reset', now, startAtBoot });
  }

  get state(): ModelState {
    return this.#state;
  }

  /** Machine reset. A timeout that is due and was not served is gone. */
  reset(): void {
    this.#apply({ stimulus: 'reset', now: this.now, startAtBoot: this.startAtBoot });
    this.#mem.fill(0);
    this.#text = undefined;
  }

  /** Loads a saved state into a new process. `mem` is unchanged. */
  load(state: ModelState, now: bigint): void {
    this.#state = state;
    this.now = now;
    // A process that loads a high line sees it rise.
    if (state.timeout === 'FIRED') this.onLine(true);
  }

  /** Serves a due expiry. Every access does this first, whether or not QEMU's timer has been served yet. */
  expire(): void {
    const { timeout, deadline } = this.#state;
    if (timeout === 'PENDING' && this.now >= deadline) this.#apply({ stimulus: 'timer', now: this.now });
  }

  /** Reads as QEMU does: copies RAM, reads registers in the largest powers of two, and reads 0 where there is nothing. */
  read(address: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (const { kind, from, at, size } of pieces(address, length)) {
      if (kind === 'mem') this.#mem.copy(bytes, at, from - MEM, from - MEM + size);
      if (kind === 'regs') {
        this.expire();
        const value = this.#apply({ stimulus: 'read', now: this.now, offset: BigInt(from - REGS), size });
        writeBytes(bytes, at, size, value);
      }
    }
    return bytes;
  }

  write(address: number, bytes: Buffer): void {
    for (const { kind, from, at, size } of pieces(address, bytes.length)) {
      if (kind === 'mem') {
        bytes.copy(this.#mem, from - MEM, at, at + size);
        if (from - MEM < TEXT_LENGTH) this.#text = undefined;
      }
      if (kind === 'regs') {
        this.expire();
        const offset = BigInt(from - REGS);
        const value = readBytes(bytes, at, size);
        const dataLen = this.#mem.readBigUInt64LE(MEM_DATA_LEN);
        this.#decide(offset, size, value, dataLen);
        this.#apply({ stimulus: 'write', now: this.now, offset, value, size, dataLen });
      }
    }
  }

  /** A part of `mem`, in base64. */
  memory(from: number, to: number): string {
    return this.#mem.toString('base64', from, to);
  }

  /** data_len and the text, in base64. */
  text(): string {
    this.#text ??= this.memory(0, TEXT_LENGTH);
    return this.#text;
  }

  /** Records which decision of the contract this write exercises. */
  #decide(offset: bigint, size: number, value: bigint, dataLen: bigint): void {
    if (offset !== COMMAND_AT && offset !== TIMEOUT_NS_AT) return;
    const name = decode('write', offset, size)?.name;
    if (name !== 'COMMAND' && name !== 'TIMEOUT_NS') return;
    const operation = name === 'COMMAND' ? commandOperation(value, dataLen) : timeoutOperation(value);
    this.decided.add(decisionIndex(operation, this.#state.status, this.#state.timeout));
  }

  /** Returns the value of a read, else 0. */
  #apply(stimulus: Stimulus): bigint {
    const result = step(this.#state, stimulus);
    if (!result.ok)
      throw new Error(
        `The model rejects the script: ${result.failure}, ${result.expected}, got ${result.actual}`,
      );
    this.#state = result.state;
    let value = 0n;
    for (const effect of result.effects) {
      if (effect.effect === 'value') ({ value } = effect);
      else if (effect.effect === 'irq') this.onLine(effect.level);
      else if (effect.effect === 'text') {
        this.#mem.write(`${effect.text}\0`, MEM_DATA, 'latin1');
        this.#mem.writeBigUInt64LE(effect.dataLen, MEM_DATA_LEN);
        this.#text = undefined;
      }
    }
    return value;
  }
}
