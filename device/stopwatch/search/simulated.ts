// SPDX-License-Identifier: MIT
/** A stopwatch that keeps the contract, as a guest sees it: the reference model behind its registers and `mem`. */
import {
  announced,
  DATA_SIZE,
  LAPS_BYTES,
  LAPS_ENTRIES,
  LAPS_HEAD,
  LAPS_SIZE,
  MEM_DATA,
  MEM_DATA_LEN,
  MEM_LAPS,
  MEM_PAGE,
  MEM_REQUESTS,
  MEM_SIZE,
  offsetOf,
  PAGE,
  PAGE_MAGIC,
  PAGE_SIZE,
  PAGE_VERSION,
  REQUEST_BYTES,
  REQUEST_COUNTER,
  REQUEST_SPLIT,
  REQUESTS_BYTES,
  REQUESTS_CAPACITY,
  REQUESTS_ENTRIES,
  REQUESTS_HEAD,
  REQUESTS_TAIL,
} from '../contract/contract.js';
import {
  commandOperation,
  decisionIndex,
  doorbellOperation,
  type OperationName,
  timeoutOperation,
} from '../contract/decisions.js';
import { keys } from '../contract/names.js';
import {
  decode,
  initialState,
  irqLevel,
  type LoadStimulus,
  type ModelState,
  type PageFields,
  type Requests,
  ringsDoorbell,
  step,
  type Stimulus,
} from '../model/index.js';
import { MEM, pieces, readBytes, REGS, writeBytes } from './bus.js';

const COMMAND_AT = BigInt(offsetOf('COMMAND'));
const TIMEOUT_NS_AT = BigInt(offsetOf('TIMEOUT_NS'));
const DOORBELL_AT = BigInt(offsetOf('DOORBELL'));

/** Of the counter of the processor that `virt` has by itself, a Cortex-A15. */
export const FREQUENCY = 62_500_000n;

/** Parts of `mem` that are compared with one command each. */
export const WINDOWS = {
  text: { from: 0, to: MEM_DATA + DATA_SIZE },
  page: { from: MEM_PAGE, to: MEM_PAGE + PAGE_SIZE },
  laps: { from: MEM_LAPS, to: MEM_LAPS + LAPS_BYTES },
  requests: { from: MEM_REQUESTS, to: MEM_REQUESTS + REQUESTS_BYTES },
} as const;
export type Window = keyof typeof WINDOWS;
const ALL = keys(WINDOWS);

type PageFieldName = (typeof PAGE)[number]['name'];
const HEAD = MEM_LAPS + LAPS_HEAD;
const CAPACITY = MEM_LAPS + LAPS_SIZE;
const ENTRIES = MEM_LAPS + LAPS_ENTRIES;
const REQUESTS_AT = MEM_REQUESTS + REQUESTS_HEAD;
const TAIL = MEM_REQUESTS + REQUESTS_TAIL;

/** Offset in `mem` of the entry of request `number`. */
export const entryAt = (number: bigint): number =>
  MEM_REQUESTS + REQUESTS_ENTRIES + REQUEST_BYTES * Number(BigInt.asUintN(64, number) % REQUESTS_CAPACITY);

export class Simulated {
  readonly #mem = Buffer.alloc(MEM_SIZE);
  /** Cached results of `window`, until `mem` changes there. */
  readonly #texts: { [name in Window]?: string | undefined } = {};
  /** Windows that have changed since `changed` was last called. */
  readonly #changed = new Set<Window>();
  #state: ModelState = initialState;
  /** Indices of the contract's decisions that were exercised. */
  readonly decided = new Set<number>();

  /** `now`: virtual time. `onLine` is called for each change of the interrupt line. */
  constructor(
    public now: bigint,
    private readonly startAtBoot: boolean,
    private readonly onLine: (level: boolean) => void,
  ) {
    this.#apply({ stimulus: 'reset', now, startAtBoot, writes: true, frequency: FREQUENCY });
  }

  get state(): ModelState {
    return this.#state;
  }

  /** Machine reset. A timeout that is due and was not served is gone. */
  reset(): void {
    this.#mem.fill(0);
    this.#touch(0, MEM_SIZE);
    const { now, startAtBoot } = this;
    this.#apply({ stimulus: 'reset', now, startAtBoot, writes: true, frequency: FREQUENCY });
  }

  /** Loads a saved state into a new process. Of `mem`, only what the device writes changes. */
  load(saved: LoadStimulus['loaded'], now: bigint): void {
    this.now = now;
    // All of it must have been saved.
    this.#touch(0, MEM_SIZE);
    this.#apply({ stimulus: 'load', now, loaded: saved, writes: true, frequency: FREQUENCY });
    // A process that loads a high line sees it rise.
    if (irqLevel(this.#state)) this.onLine(true);
  }

  /** The VM continues after a stop in the same process. */
  resume(): void {
    this.#apply({ stimulus: 'resume', now: this.now });
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
        this.#touch(from - MEM, from - MEM + size);
      }
      if (kind === 'regs') {
        this.expire();
        const offset = BigInt(from - REGS);
        const value = readBytes(bytes, at, size);
        // The offset first: most pieces need no decoding.
        if (offset === DOORBELL_AT && ringsDoorbell({ offset, size })) {
          const requests = this.#requests();
          this.#exercise(doorbellOperation(this.#state.taken, requests.head));
          this.#apply({ stimulus: 'write', now: this.now, offset, value, size, requests });
          continue;
        }
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

  /** A window, in base64. */
  window(name: Window): string {
    const { from, to } = WINDOWS[name];
    return (this.#texts[name] ??= this.memory(from, to));
  }

  /** The windows that have changed since the last call. */
  changed(): readonly Window[] {
    const windows = [...this.#changed];
    this.#changed.clear();
    return windows;
  }

  #touch(from: number, to: number): void {
    for (const name of ALL) {
      if (from >= WINDOWS[name].to || to <= WINDOWS[name].from) continue;
      this.#texts[name] = undefined;
      this.#changed.add(name);
    }
  }

  #store(at: number, value: bigint, size: 4 | 8 = 8): void {
    writeBytes(this.#mem, at, size, value);
    this.#touch(at, at + size);
  }

  /** Records which decision of the contract this write exercises. */
  #decide(offset: bigint, size: number, value: bigint, dataLen: bigint): void {
    if (offset !== COMMAND_AT && offset !== TIMEOUT_NS_AT) return;
    const name = decode('write', offset, size)?.name;
    if (name !== 'COMMAND' && name !== 'TIMEOUT_NS') return;
    this.#exercise(name === 'COMMAND' ? commandOperation(value, dataLen) : timeoutOperation(value));
  }

  #exercise(operation: OperationName): void {
    this.decided.add(decisionIndex(operation, this.#state.status, this.#state.timeout));
  }

  /** What the device reads from the request ring. */
  #requests(): Requests {
    const head = this.#mem.readBigUInt64LE(REQUESTS_AT);
    const { taken } = this.#state;
    const counters = Array.from({ length: announced(taken, head) ?? 0 }, (_, index) =>
      this.#mem.readBigUInt64LE(entryAt(taken + BigInt(index)) + REQUEST_COUNTER),
    );
    return { head, counters };
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
      switch (effect.effect) {
        case 'value':
          ({ value } = effect);
          break;
        case 'irq':
          this.onLine(effect.level);
          break;
        case 'text':
          this.#mem.write(`${effect.text}\0`, MEM_DATA, 'latin1');
          this.#touch(MEM_DATA, MEM_DATA + effect.text.length);
          this.#store(MEM_DATA_LEN, effect.dataLen);
          break;
        case 'page':
          this.#writePage(effect);
          break;
        case 'lap':
          this.#store(ENTRIES + 8 * Number(effect.index), effect.split);
          this.#store(HEAD, effect.laps);
          break;
        case 'ring':
          this.#store(HEAD, effect.laps);
          this.#store(CAPACITY, effect.capacity);
          this.#store(TAIL, effect.taken);
          break;
        case 'answer':
          this.#store(entryAt(effect.number) + REQUEST_SPLIT, effect.split);
          break;
        case 'tail':
          this.#store(TAIL, effect.taken);
          break;
        case 'requests':
        case 'request':
        case 'mem':
        case 'error':
        case 'log':
        case 'state':
        default:
      }
    }
    return value;
  }

  #writePage({
    pageSeq,
    disruption,
    flags,
    state,
    accumulated,
    counter,
    frequency,
    error,
  }: PageFields): void {
    const values: Readonly<Record<PageFieldName, bigint>> = {
      MAGIC: PAGE_MAGIC,
      SIZE: BigInt(PAGE_SIZE),
      VERSION: PAGE_VERSION,
      SEQ: pageSeq,
      DISRUPTION: disruption,
      FLAGS: flags,
      STATE: state,
      ACCUMULATED: accumulated,
      COUNTER: counter,
      FREQUENCY: frequency,
      ERROR: error,
    };
    for (const { name, offset, bytes } of PAGE)
      writeBytes(this.#mem, MEM_PAGE + offset, bytes, BigInt.asUintN(64, values[name]));
    this.#touch(MEM_PAGE, MEM_PAGE + PAGE_SIZE);
  }
}
