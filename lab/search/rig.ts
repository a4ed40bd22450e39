// SPDX-License-Identifier: MIT
/** Carries plans out, one after the other, on a QEMU that is kept as long as it agrees. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FuzzMachine, MachineError, type MachinePorts, type MachineRequest } from './machine.js';
import type { Action, Exchange, Plan } from './plan.js';
import { changeSavedState } from './saved-state.js';

/** How a plan ended. `operation`: index in the script; -1 is the machine as it starts, the script's length the reset at its end. */
export type Outcome =
  | { readonly result: 'agree' }
  | {
      readonly result: 'differs';
      readonly operation: number;
      /** What was being compared: the plan's word for the answer. */
      readonly part: string;
      readonly expected: string;
      readonly actual: string;
    }
  | {
      /** QEMU ended by itself, or a sanitizer ended it; hung: it was silent for too long. */
      readonly result: 'crashed' | 'hung';
      readonly operation: number;
      readonly what: string;
      readonly stderr: readonly string[];
    };

/** A QEMU that is about to end needs a moment for its last words. */
const LAST_WORDS_MS = 10_000;
/** Virtual time ends at 2^63 ns; a script stays within a fraction of what is left here. */
const OLD_NS = 1n << 61n;

/** What has been saved in this process: each file has a name of its own. */
let saves = 0;

export class Rig {
  #machine: FuzzMachine | undefined;
  /** Virtual time of the machine; a plan must have been made for it. */
  #now = 0n;
  /** What is being saved. */
  #file = '';
  /** Seconds of processor time of QEMUs that have ended. */
  #spent = 0;

  constructor(
    private readonly request: MachineRequest,
    private readonly ports: MachinePorts,
  ) {}

  /** Seconds of processor time of all its QEMUs so far. */
  get processor(): number {
    return this.#spent + (this.#machine?.processor ?? 0);
  }

  /** Virtual time at which the next plan must start. */
  get base(): bigint {
    return this.#now < OLD_NS ? this.#now : 0n;
  }

  /** Carries a plan out. Rejects only when QEMU cannot be started at all. */
  async run(plan: Plan): Promise<Outcome> {
    if (this.#machine !== undefined && this.#now !== plan.base) await this.end();
    const machine = (this.#machine ??= await this.#start(plan.base));
    const outcome = await this.#steps(machine, plan);
    if (outcome.result === 'agree') this.#now = plan.end;
    else await this.end();
    return outcome;
  }

  async #start(base: bigint): Promise<FuzzMachine> {
    this.#now = base;
    if (base !== 0n) throw new Error(`A new machine starts at 0, the plan at ${base}`);
    return FuzzMachine.start(this.request, this.ports);
  }

  async #steps(first: FuzzMachine, plan: Plan): Promise<Outcome> {
    let machine = first;
    let operation = -1;
    try {
      for (const one of plan.steps) {
        if (one.kind === 'exchange') {
          const heard = await machine.tape.exchange(one.send, one.expect, one.marks);
          if (heard.heard === 'same') continue;
          if (heard.heard === 'different') {
            const { at, expected, actual } = heard.difference;
            return { result: 'differs', ...answerAt(one, at), expected, actual };
          }
          ({ operation } = answerAt(one, heard.at));
          throw new MachineError('No answer', heard.heard === 'nothing');
        }
        ({ operation } = one);
        const done = await this.#act(machine, one);
        if (typeof done === 'string')
          return {
            result: 'differs',
            operation,
            part: 'load',
            expected: one.kind === 'forge' && one.refused ? 'refused' : 'taken',
            actual: done,
          };
        machine = done;
      }
      return { result: 'agree' };
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      return this.#gone(this.#machine ?? machine, operation, error);
    }
  }

  /**
   * Carries a plan out without comparing, up to the operation, and gives what was answered to it: for a report.
   * The parts that QEMU did not live to answer are missing.
   */
  async observe(plan: Plan, operation: number): Promise<readonly Observed[]> {
    await this.end();
    const observed: Observed[] = [];
    let machine = (this.#machine = await this.#start(plan.base));
    try {
      for (const one of plan.steps) {
        if (one.kind === 'exchange') {
          const lines = await machine.tape.record(one.send, one.ends.length, LAST_WORDS_MS);
          const told = tell(lines, one).filter((answer) => answer.operation === operation);
          observed.push(...told);
          if (one.operations.some((index) => index > operation)) break;
        } else if (one.operation > operation) break;
        else {
          const done = await this.#act(machine, one);
          if (typeof done === 'string') break;
          machine = done;
        }
      }
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
    }
    await this.end();
    return observed;
  }

  /** The machine with which the plan goes on; a word where a load ended otherwise than it must. */
  async #act(machine: FuzzMachine, action: Action): Promise<FuzzMachine | 'taken' | 'refused' | 'not saved'> {
    switch (action.kind) {
      case 'reload':
        return this.#reload(machine, action.now);
      case 'forge':
        return this.#forge(machine, action);
      case 'save':
        await this.#save(machine);
        return machine;
      case 'reset':
      case 'stop':
      case 'cont':
      default:
        await machine[action.kind]();
        return machine;
    }
  }

  async #save(machine: FuzzMachine): Promise<void> {
    saves += 1;
    this.#file = join(this.request.directory, `vm-${process.pid}-${saves}.state`);
    await machine.beginSave(this.#file);
  }

  async #reload(from: FuzzMachine, now: bigint): Promise<FuzzMachine> {
    const file = this.#file;
    try {
      const [to] = await Promise.all([
        FuzzMachine.start(this.request, this.ports, { now }),
        from.finishSave(),
      ]);
      this.#machine = to;
      await this.#close(from);
      await to.load(file);
      return to;
    } finally {
      await rm(file, { force: true });
    }
  }

  async #forge(
    from: FuzzMachine,
    { now, section, changes, refused }: Extract<Action, { kind: 'forge' }>,
  ): Promise<FuzzMachine | 'taken' | 'refused' | 'not saved'> {
    const file = this.#file;
    const forged = `${file}.forged`;
    try {
      await from.finishSave();
      await this.#close(from);
      try {
        await writeFile(forged, changeSavedState(await readFile(file), section, changes));
      } catch {
        return 'not saved';
      }
      // The numbers of a trace are part of the state: one that is refused leaves a gap, and no evidence.
      const { trace: _, ...silent } = this.request;
      const request = refused ? silent : this.request;
      const first = (this.#machine = await FuzzMachine.start(request, this.ports, { now }));
      const taken = await first.takes(forged);
      if (taken === refused) return taken ? 'taken' : 'refused';
      if (taken) return first;
      await this.#close(first);
      const second = (this.#machine = await FuzzMachine.start(this.request, this.ports, { now }));
      await second.load(file);
      return second;
    } finally {
      await Promise.all([rm(file, { force: true }), rm(forged, { force: true })]);
    }
  }

  async #gone(machine: FuzzMachine, operation: number, error: MachineError): Promise<Outcome> {
    const exit = error.hung ? undefined : await machine.exit(LAST_WORDS_MS);
    const how =
      exit === undefined
        ? 'QEMU is still there'
        : exit.signal === undefined
          ? `QEMU ended with exit code ${exit.exitCode}`
          : `QEMU was ended by ${exit.signal}`;
    const result = exit === undefined ? 'hung' : 'crashed';
    return { result, operation, what: `${error.message}: ${how}`, stderr: [...machine.stderr] };
  }

  async #close(machine: FuzzMachine): Promise<void> {
    this.#spent += machine.processor;
    await machine.end();
  }

  /** Ends QEMU; the next plan gets a new one. */
  async end(): Promise<void> {
    const machine = this.#machine;
    this.#machine = undefined;
    this.#now = 0n;
    if (machine !== undefined) await this.#close(machine);
    if (this.#file !== '') await rm(this.#file, { force: true });
    this.#file = '';
  }
}

/** An answer, with the interrupts that came before it. */
export interface Observed {
  readonly operation: number;
  readonly part: string;
  readonly interrupts: readonly string[];
  readonly answer: string;
}

function tell(lines: readonly string[], { operations, parts }: Exchange): Observed[] {
  const told: Observed[] = [];
  let interrupts: string[] = [];
  for (const line of lines) {
    if (line.startsWith('IRQ ')) {
      interrupts.push(line);
      continue;
    }
    const index = told.length;
    told.push({ operation: operations[index] ?? -1, part: parts[index] ?? '', interrupts, answer: line });
    interrupts = [];
  }
  return told;
}

/** The answer that the byte at this offset belongs to. */
function answerAt(exchange: Exchange, at: number): { operation: number; part: string } {
  const index = exchange.ends.findIndex((end) => end > at);
  const last = index < 0 ? exchange.ends.length - 1 : index;
  return { operation: exchange.operations[last] ?? -1, part: exchange.parts[last] ?? '' };
}
