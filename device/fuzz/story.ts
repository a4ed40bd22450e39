// SPDX-License-Identifier: MIT
/**
 * What a script does to a stopwatch that keeps the contract: the reference
 * model, driven by the script, and the bytes that qtest must then answer.
 *
 * After every operation all registers but COMMAND are read (one qtest command,
 * seven accesses of 8 bytes), and data_len and all of the text (one command);
 * changes of the interrupt line stand in the answers where they happen. At a
 * script's end all of `mem` is compared and the machine is reset, which is
 * compared too: the next script starts from there.
 */
import {
  DATA_SIZE,
  FEATURES,
  MAGIC,
  MEM_DATA,
  MEM_DATA_LEN,
  MEM_SIZE,
  registerAt,
  type RegisterName,
  REGISTERS,
  VERSION,
} from '../contract.js';
import { commandOperation, decisionIndex, timeoutOperation } from '../decisions.js';
import { decode, initialState, type ModelState, snapshotAt, step, type Stimulus } from '../model/index.js';
import { type Action, type Exchange, ExchangeBuilder, type Plan } from '../../vm/device-kit-fuzz.js';
import { addressOf, MEM, pieces, readBytes, REGS, writeBytes } from './bus.js';
import { forged } from './forge.js';
import type { Operation, Script } from './script.js';

/** STATUS to TIMEOUT_COUNT. */
const OBSERVED = { offset: 0x08, length: 0x38 } as const;
const TEXT_LENGTH = MEM_DATA + DATA_SIZE;
const OBSERVE_REGS = `b64read 0x${(REGS + OBSERVED.offset).toString(16)} ${OBSERVED.length}`;
const OBSERVE_TEXT = `b64read 0x${MEM.toString(16)} ${TEXT_LENGTH}`;
/** All of `mem`, in parts of which each answer fits into a FIFO. */
const HALF = MEM_SIZE / 2;
const OBSERVE_MEM = [0, HALF].map((from) => ({
  from,
  part: from === 0 ? 'mem' : `mem from 0x${from.toString(16)}`,
  command: `b64read 0x${(MEM + from).toString(16)} ${HALF}`,
}));
const SUFFIX = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' } as const;

/** After an operation, for a report. */
export interface Moment {
  readonly now: bigint;
  readonly state: ModelState;
}

export interface StoryOptions {
  /** Virtual time at which the script starts: the machine has just been reset. */
  readonly base: bigint;
  /** Called with the model's state after each operation and its observations; before the first (-1) and after the reset at the end too. */
  readonly each?: (index: number, moment: Moment) => void;
}

/** Works a script out. The plan begins and ends with a machine that has just been reset. */
export function planOf(script: Script, options: StoryOptions): Plan {
  const work = planInSlices(script, options);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** The same, with a pause now and then for whoever has answers to read meanwhile. */
export function planInSlices(script: Script, options: StoryOptions): Generator<undefined, Plan> {
  return new Story(script, options).plan();
}

/** Operations that are worked out without a pause. */
const SLICE = 48;

class Story {
  readonly #steps: (Exchange | Action)[] = [];
  readonly #exchange = new ExchangeBuilder();
  readonly #mem = Buffer.alloc(MEM_SIZE);
  #text: string | undefined;
  readonly #observed = Buffer.alloc(OBSERVED.length);
  #state: ModelState;
  #now: bigint;
  /** The VM runs, and with it the serving of timers. */
  #running = true;
  /** It is being saved, and stopped for that; whether it will run again after. */
  #saving: { readonly running: boolean } | undefined;
  /** Before the first operation: -1. */
  #index = -1;
  #commands = 0;
  readonly #decided = new Set<number>();

  constructor(
    private readonly script: Script,
    private readonly options: StoryOptions,
  ) {
    this.#now = options.base;
    this.#state = initialState;
    this.#apply({ stimulus: 'reset', now: this.#now, startAtBoot: script.startAtBoot });
    this.#observed.writeBigUInt64LE((MAGIC << 32n) | VERSION, 0x10 - OBSERVED.offset);
    this.#observed.writeBigUInt64LE(FEATURES, 0x18 - OBSERVED.offset);
  }

  *plan(): Generator<undefined, Plan> {
    const { script, options } = this;
    this.#observe();
    options.each?.(-1, { now: this.#now, state: this.#state });
    for (const [index, operation] of script.operations.entries()) {
      this.#index = index;
      this.#perform(operation);
      options.each?.(index, { now: this.#now, state: this.#state });
      if (index % SLICE === SLICE - 1) yield;
    }
    this.#index = script.operations.length;
    if (this.#saving !== undefined) this.#reload(this.#now);
    if (!this.#running) this.#cont();
    this.#observeMem();
    this.#reset();
    this.#observe();
    options.each?.(this.#index, { now: this.#now, state: this.#state });
    this.#steps.push(this.#exchange.take());
    return {
      steps: this.#steps,
      base: options.base,
      end: this.#now,
      operations: script.operations.length,
      commands: this.#commands,
      decided: this.#decided,
    };
  }

  #perform(operation: Operation): void {
    const now = this.options.base + BigInt(operation.at);
    if (operation.op === 'reload' || operation.op === 'forge') {
      if (operation.op === 'forge') this.#forge(now, operation);
      else this.#reload(now);
      this.#observe();
      return;
    }
    this.#passTo(now);
    switch (operation.op) {
      case 'read': {
        const value = this.#readValue(addressOf(operation.region, operation.offset), operation.width);
        this.#ask(
          'answer',
          `read${SUFFIX[operation.width]} 0x${addressOf(operation.region, operation.offset).toString(16)}`,
          `OK 0x${value.toString(16).padStart(16, '0')}`,
        );
        break;
      }
      case 'write': {
        const { width, value } = operation;
        const address = addressOf(operation.region, operation.offset);
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(value);
        this.#write(address, bytes.subarray(0, width));
        this.#ask('answer', `write${SUFFIX[width]} 0x${address.toString(16)} 0x${value.toString(16)}`, 'OK');
        break;
      }
      case 'peek': {
        const address = addressOf(operation.region, operation.offset);
        const bytes = this.#read(address, operation.length);
        this.#ask(
          'answer',
          `b64read 0x${address.toString(16)} ${operation.length}`,
          `OK ${bytes.toString('base64')}`,
        );
        break;
      }
      case 'fill': {
        const address = addressOf(operation.region, operation.offset);
        this.#write(address, Buffer.alloc(operation.length, operation.byte));
        this.#ask(
          'answer',
          `memset 0x${address.toString(16)} ${operation.length} 0x${operation.byte.toString(16)}`,
          'OK',
        );
        break;
      }
      case 'tick':
        break;
      case 'mem':
        this.#observeMem();
        break;
      case 'reset':
        this.#reset();
        break;
      case 'stop':
        // Between the begin of the saving and its end nobody may stop the VM or let it go on.
        if (this.#saving !== undefined) break;
        this.#act({ kind: 'stop', operation: this.#index });
        this.#running = false;
        break;
      case 'cont':
        if (this.#saving === undefined) this.#cont();
        break;
      case 'save':
        this.#save();
        break;
      default:
        operation satisfies never;
    }
    this.#observe();
  }

  /** Time passes. While timers are served, an expiry comes at its deadline, and not a nanosecond later. */
  #passTo(now: bigint): void {
    const ns = now - this.#now;
    if (ns <= 0n) return;
    const { timeout, deadline } = this.#state;
    if (this.#running && timeout === 'PENDING' && deadline <= now) {
      this.#now = deadline;
      this.#expire();
    }
    this.#now = now;
    this.#ask('clock', `clock_step ${ns}`, `OK ${now}`);
  }

  #cont(): void {
    this.#act({ kind: 'cont', operation: this.#index });
    this.#running = true;
    this.#expire();
  }

  #reset(): void {
    this.#act({ kind: 'reset', operation: this.#index });
    this.#expire();
    this.#apply({ stimulus: 'reset', now: this.#now, startAtBoot: this.script.startAtBoot });
    this.#mem.fill(0);
    this.#text = undefined;
  }

  #save(): void {
    if (this.#saving !== undefined) return;
    this.#act({ kind: 'save', operation: this.#index });
    this.#saving = { running: this.#running };
    this.#running = false;
  }

  #reload(now: bigint): void {
    this.#save();
    this.#act({ kind: 'reload', operation: this.#index, now });
    this.#loaded(now);
  }

  /** What is saved is changed. The model says whether a stopwatch can be in the state that comes of it. */
  #forge(now: bigint, operation: Extract<Operation, { op: 'forge' }>): void {
    this.#save();
    const { changes, loaded } = forged(this.#state, now, operation);
    const refused = loaded === undefined;
    this.#act({ kind: 'forge', operation: this.#index, now, section: 'stopwatch', changes, refused });
    if (loaded !== undefined) this.#state = loaded;
    this.#loaded(now);
  }

  /** In a new process, whose clock says `now`. */
  #loaded(now: bigint): void {
    this.#running = this.#saving?.running ?? true;
    this.#saving = undefined;
    this.#now = now;
    // A process that loads a high line sees it rise.
    if (this.#state.timeout === 'FIRED') this.#exchange.before(irq(true));
    if (this.#running) this.#expire();
  }

  #act(action: Action): void {
    if (!this.#exchange.empty) this.#steps.push(this.#exchange.take());
    this.#steps.push(action);
  }

  #ask(part: string, command: string, answer: string): void {
    this.#commands += 1;
    this.#exchange.ask(this.#index, part, command, answer);
  }

  #observe(): void {
    this.#expire();
    const { status, elapsed, error, count } = snapshotAt(this.#state, this.#now);
    const { timeout, deadline } = this.#state;
    const bytes = this.#observed;
    bytes.writeBigUInt64LE(status, 0x08 - OBSERVED.offset);
    bytes.writeBigUInt64LE(error, 0x20 - OBSERVED.offset);
    bytes.writeBigUInt64LE(elapsed, 0x28 - OBSERVED.offset);
    bytes.writeBigUInt64LE(timeout === 'PENDING' ? deadline - this.#now : 0n, 0x30 - OBSERVED.offset);
    bytes.writeBigUInt64LE(count, 0x38 - OBSERVED.offset);
    this.#ask('registers', OBSERVE_REGS, `OK ${bytes.toString('base64')}`);
    this.#text ??= this.#mem.toString('base64', 0, TEXT_LENGTH);
    this.#ask('text', OBSERVE_TEXT, `OK ${this.#text}`);
  }

  #observeMem(): void {
    for (const { from, part, command } of OBSERVE_MEM)
      this.#ask(part, command, `OK ${this.#mem.toString('base64', from, from + HALF)}`);
  }

  #readValue(address: number, width: number): bigint {
    const bytes = Buffer.alloc(8);
    this.#read(address, width).copy(bytes);
    return bytes.readBigUInt64LE();
  }

  /** What QEMU makes of a read of many bytes: RAM is copied; registers are read in the largest powers of two; nothing reads as 0. */
  #read(address: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (const { kind, from, at, size } of pieces(address, length)) {
      if (kind === 'mem') this.#mem.copy(bytes, at, from - MEM, from - MEM + size);
      if (kind === 'regs') {
        this.#expire();
        const value = this.#apply({ stimulus: 'read', now: this.#now, offset: BigInt(from - REGS), size });
        writeBytes(bytes, at, size, value);
      }
    }
    return bytes;
  }

  #write(address: number, bytes: Buffer): void {
    for (const { kind, from, at, size } of pieces(address, bytes.length)) {
      if (kind === 'mem') {
        bytes.copy(this.#mem, from - MEM, at, at + size);
        if (from - MEM < TEXT_LENGTH) this.#text = undefined;
      }
      if (kind === 'regs') {
        this.#expire();
        const offset = BigInt(from - REGS);
        const value = readBytes(bytes, at, size);
        const dataLen = this.#mem.readBigUInt64LE(MEM_DATA_LEN);
        this.#decide(offset, size, value, dataLen);
        this.#apply({ stimulus: 'write', now: this.#now, offset, value, size, dataLen });
      }
    }
  }

  /** Notes which decision of the contract this write is, if it is one. */
  #decide(offset: bigint, size: number, value: bigint, dataLen: bigint): void {
    if (offset !== COMMAND_AT && offset !== TIMEOUT_NS_AT) return;
    const name = decode('write', offset, size)?.name;
    if (name !== 'COMMAND' && name !== 'TIMEOUT_NS') return;
    const operation = name === 'COMMAND' ? commandOperation(value, dataLen) : timeoutOperation(value);
    this.#decided.add(decisionIndex(operation, this.#state.status, this.#state.timeout));
  }

  /** An access, and whatever else looks at the device, finds an expiry that is due served, whether or not QEMU has come to it. */
  #expire(): void {
    const { timeout, deadline } = this.#state;
    if (timeout === 'PENDING' && this.#now >= deadline) this.#apply({ stimulus: 'timer', now: this.#now });
  }

  /** Gives the value of a read, 0 otherwise. */
  #apply(stimulus: Stimulus): bigint {
    const result = step(this.#state, stimulus);
    if (!result.ok)
      throw new Error(
        `The model refuses what the script made: ${result.failure}, ${result.expected}, got ${result.actual}`,
      );
    this.#state = result.state;
    let value = 0n;
    for (const effect of result.effects) {
      if (effect.effect === 'value') ({ value } = effect);
      else if (effect.effect === 'irq') this.#exchange.before(irq(effect.level));
      else if (effect.effect === 'text') {
        this.#mem.write(`${effect.text}\0`, MEM_DATA, 'latin1');
        this.#mem.writeBigUInt64LE(effect.dataLen, MEM_DATA_LEN);
        this.#text = undefined;
      }
    }
    return value;
  }
}

const offsetOf = (name: RegisterName): bigint =>
  BigInt(REGISTERS.find((register) => register.name === name)?.offset ?? -1);
const COMMAND_AT = offsetOf('COMMAND');
const TIMEOUT_NS_AT = offsetOf('TIMEOUT_NS');
const irq = (level: boolean): string => `IRQ ${level ? 'raise' : 'lower'} 0\n`;

/** The registers of an observation, by name, or undefined where the text is none. */
export function observedRegisters(answer: string): Readonly<Record<string, bigint>> | undefined {
  const match = /^OK ([A-Za-z0-9+/=]+)$/.exec(answer);
  const bytes = Buffer.from(match?.[1] ?? '', 'base64');
  if (bytes.length !== OBSERVED.length) return undefined;
  const values: Record<string, bigint> = {};
  for (let at = 0; at < bytes.length; at += 8) {
    const offset = OBSERVED.offset + at;
    values[registerAt(offset)?.name ?? `0x${offset.toString(16)}`] = bytes.readBigUInt64LE(at);
  }
  return values;
}
