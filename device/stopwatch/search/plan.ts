// SPDX-License-Identifier: MIT
/**
 * Plans a script: drives the reference model with it, and works out the bytes
 * that qtest must answer.
 *
 * After every operation all registers but COMMAND are read (one qtest command,
 * seven accesses of 8 bytes), and the parts of `mem` that it changes, or else
 * the text, the live page, the laps or the requests, in turn (one command each);
 * changes of the interrupt line appear among the answers where they happen. At a
 * script's end all of `mem` is compared and the machine is reset, which is
 * compared too: the next script starts from there.
 */
import {
  FEATURES,
  MAGIC,
  MEM_REQUESTS,
  MEM_SIZE,
  offsetOf,
  registerAt,
  REQUEST_COUNTER,
  REQUESTS_HEAD,
  VERSION,
} from '../contract/contract.js';
import { keys } from '../contract/names.js';
import { counterAt, type LoadStimulus, type ModelState, snapshotAt } from '../model/index.js';
import { type Action, type Exchange, ExchangeBuilder, type Plan } from '../../../lab/search/device-kit.js';
import { addressOf, MEM, REGS } from './bus.js';
import { corrupted, savedState } from './corrupt.js';
import type { Operation, Script, Width } from './script.js';
import { entryAt, FREQUENCY, Simulated, type Window, WINDOWS } from './simulated.js';

/** STATUS to TIMEOUT_COUNT. */
const OBSERVED = { offset: 0x08, length: 0x38 } as const;
const OBSERVE_REGS = `b64read 0x${(REGS + OBSERVED.offset).toString(16)} ${OBSERVED.length}`;
const observeMem = ({ from, to }: { readonly from: number; readonly to: number }): string =>
  `b64read 0x${(MEM + from).toString(16)} ${to - from}`;
const OBSERVE: Readonly<Record<Window, string>> = {
  text: observeMem(WINDOWS.text),
  page: observeMem(WINDOWS.page),
  laps: observeMem(WINDOWS.laps),
  requests: observeMem(WINDOWS.requests),
};
/** All of `mem`, in two parts, so that each answer fits into a FIFO. */
const HALF = MEM_SIZE / 2;
const OBSERVE_ALL = [0, HALF].map((from) => ({
  from,
  part: from === 0 ? 'mem' : `mem from 0x${from.toString(16)}`,
  command: observeMem({ from, to: from + HALF }),
}));
/** Compared in turn where an operation changes none of them. */
const IN_TURN = keys(WINDOWS);
const SUFFIX = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' } as const;

/** After an operation, for a report. */
export interface Moment {
  readonly now: bigint;
  readonly state: ModelState;
}

export interface PlanOptions {
  /** Virtual time at which the script starts, just after a machine reset. */
  readonly base: bigint;
  /** Called with the model's state after each operation and its observations; before the first (-1) and after the reset at the end too. */
  readonly each?: ((index: number, moment: Moment) => void) | undefined;
}

/** The plan begins and ends with a machine that has just been reset. */
export function planOf(script: Script, options: PlanOptions): Plan {
  const work = planInSlices(script, options);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** The same, yielding now and then, so that answers can be read meanwhile. */
export function planInSlices(script: Script, options: PlanOptions): Generator<undefined, Plan> {
  return new Planner(script, options).plan();
}

/** Operations planned between two yields. */
const SLICE = 48;

class Planner {
  readonly #steps: (Exchange | Action)[] = [];
  readonly #exchange = new ExchangeBuilder();
  readonly #observed = Buffer.alloc(OBSERVED.length);
  readonly #device: Simulated;
  /** The VM runs, so timers are served. */
  #running = true;
  /** The VM was stopped in this process. */
  #stopped = false;
  /** Set while the VM is being saved, and stopped for that. `running`: whether it will run afterwards. */
  #saving: { readonly running: boolean } | undefined;
  /** Index of the operation; -1 before the first. */
  #index = -1;
  #commands = 0;
  #turn = 0;

  constructor(
    private readonly script: Script,
    private readonly options: PlanOptions,
  ) {
    this.#device = new Simulated(options.base, script.startAtBoot, (level) =>
      this.#exchange.before(irq(level)),
    );
    this.#observed.writeBigUInt64LE((MAGIC << 32n) | VERSION, 0x10 - OBSERVED.offset);
    this.#observed.writeBigUInt64LE(FEATURES, 0x18 - OBSERVED.offset);
  }

  *plan(): Generator<undefined, Plan> {
    const { script, options } = this;
    this.#observe();
    options.each?.(-1, this.#moment());
    for (const [index, operation] of script.operations.entries()) {
      this.#index = index;
      this.#perform(operation);
      options.each?.(index, this.#moment());
      if (index % SLICE === SLICE - 1) yield;
    }
    this.#index = script.operations.length;
    if (this.#saving !== undefined) this.#reload(this.#device.now);
    if (!this.#running) this.#cont();
    this.#observeMem();
    this.#reset();
    this.#observe();
    options.each?.(this.#index, this.#moment());
    this.#steps.push(this.#exchange.take());
    return {
      steps: this.#steps,
      base: options.base,
      end: this.#device.now,
      operations: script.operations.length,
      commands: this.#commands,
      decided: this.#device.decided,
    };
  }

  #moment(): Moment {
    return { now: this.#device.now, state: this.#device.state };
  }

  #perform(operation: Operation): void {
    const now = this.options.base + BigInt(operation.at);
    if (operation.op === 'reload' || operation.op === 'corrupt') {
      if (operation.op === 'corrupt') this.#corrupt(now, operation);
      else this.#reload(now);
      this.#observe();
      return;
    }
    this.#passTo(now);
    switch (operation.op) {
      case 'read': {
        const { width } = operation;
        const address = addressOf(operation.region, operation.offset);
        const bytes = Buffer.alloc(8);
        this.#device.read(address, width).copy(bytes);
        const value = bytes.readBigUInt64LE().toString(16).padStart(16, '0');
        this.#ask('answer', `read${SUFFIX[width]} 0x${address.toString(16)}`, `OK 0x${value}`);
        break;
      }
      case 'write':
        this.#write(addressOf(operation.region, operation.offset), operation.width, operation.value);
        break;
      case 'request': {
        const { taken } = this.#device.state;
        const counter = counterAt(now, FREQUENCY);
        for (const [index, ago] of operation.ago.entries()) {
          const at = entryAt(taken + BigInt(index)) + REQUEST_COUNTER;
          this.#write(MEM + at, 8, BigInt.asUintN(64, counter - ago));
        }
        this.#write(MEM + MEM_REQUESTS + REQUESTS_HEAD, 8, BigInt.asUintN(64, taken + operation.ahead));
        this.#write(REGS + offsetOf('DOORBELL'), 8, 0n);
        break;
      }
      case 'peek': {
        const address = addressOf(operation.region, operation.offset);
        const bytes = this.#device.read(address, operation.length);
        this.#ask(
          'answer',
          `b64read 0x${address.toString(16)} ${operation.length}`,
          `OK ${bytes.toString('base64')}`,
        );
        break;
      }
      case 'fill': {
        const address = addressOf(operation.region, operation.offset);
        this.#device.write(address, Buffer.alloc(operation.length, operation.byte));
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
        // QEMU does not allow stopping or continuing a VM while it is being saved.
        if (this.#saving !== undefined) break;
        this.#act({ kind: 'stop', operation: this.#index });
        if (this.#running) this.#stopped = true;
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

  #write(address: number, width: Width, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    this.#device.write(address, bytes.subarray(0, width));
    this.#ask('answer', `write${SUFFIX[width]} 0x${address.toString(16)} 0x${value.toString(16)}`, 'OK');
  }

  /**
   * Lets time pass. While timers are served, an expiry happens exactly at its deadline: the clock stops just before it and
   * at it, because a timer that is early or late, as after a load, does not show where time passes both in one step.
   */
  #passTo(now: bigint): void {
    const { timeout, deadline } = this.#device.state;
    if (this.#running && timeout === 'PENDING' && deadline <= now) {
      this.#stepTo(deadline - 1n);
      this.#stepTo(deadline);
    }
    this.#stepTo(now);
  }

  #stepTo(now: bigint): void {
    const device = this.#device;
    const ns = now - device.now;
    if (ns <= 0n) return;
    device.now = now;
    if (this.#running) device.expire();
    this.#ask('clock', `clock_step ${ns}`, `OK ${now}`);
  }

  #cont(): void {
    this.#act({ kind: 'cont', operation: this.#index });
    if (this.#stopped) this.#device.resume();
    this.#stopped = false;
    this.#running = true;
    this.#device.expire();
  }

  #reset(): void {
    this.#act({ kind: 'reset', operation: this.#index });
    this.#device.reset();
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
    this.#loaded(savedState(this.#device.state, now), now);
  }

  /** Changes the saved state. The model decides whether a stopwatch can be in the changed one. */
  #corrupt(now: bigint, operation: Extract<Operation, { op: 'corrupt' }>): void {
    this.#save();
    const { state } = this.#device;
    const { changes, loaded } = corrupted(state, now, operation);
    const refused = loaded === undefined;
    this.#act({ kind: 'corrupt', operation: this.#index, now, section: 'stopwatch', changes, refused });
    this.#loaded(loaded ?? savedState(state, now), now);
  }

  /** The VM is loaded into a new process whose clock is at `now`. */
  #loaded(saved: LoadStimulus['loaded'], now: bigint): void {
    this.#running = this.#saving?.running ?? true;
    this.#saving = undefined;
    this.#stopped = false;
    this.#device.load(saved, now);
    if (this.#running) this.#device.expire();
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
    const device = this.#device;
    device.expire();
    const { status, elapsed, error, count } = snapshotAt(device.state, device.now);
    const { timeout, deadline } = device.state;
    const bytes = this.#observed;
    bytes.writeBigUInt64LE(status, 0x08 - OBSERVED.offset);
    bytes.writeBigUInt64LE(error, 0x20 - OBSERVED.offset);
    bytes.writeBigUInt64LE(elapsed, 0x28 - OBSERVED.offset);
    bytes.writeBigUInt64LE(timeout === 'PENDING' ? deadline - device.now : 0n, 0x30 - OBSERVED.offset);
    bytes.writeBigUInt64LE(count, 0x38 - OBSERVED.offset);
    this.#ask('registers', OBSERVE_REGS, `OK ${bytes.toString('base64')}`);
    const changed = device.changed();
    for (const name of changed.length > 0 ? changed : [IN_TURN[(this.#turn += 1) % IN_TURN.length] ?? 'text'])
      this.#ask(name, OBSERVE[name], `OK ${device.window(name)}`);
  }

  #observeMem(): void {
    for (const { from, part, command } of OBSERVE_ALL)
      this.#ask(part, command, `OK ${this.#device.memory(from, from + HALF)}`);
  }
}

const irq = (level: boolean): string => `IRQ ${level ? 'raise' : 'lower'} 0\n`;

/** The registers in an observation, by name; undefined if the text is not one. */
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
