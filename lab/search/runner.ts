// SPDX-License-Identifier: MIT
/** Runs plans, one after the other, on a QEMU that is kept while it agrees with them. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MachineError, type MachinePorts, type MachineRequest, SearchMachine } from './machine.js';
import type { Action, Exchange, Plan } from './plan.js';
import { changeSavedState } from './saved-state.js';

/** `operation`: index in the script. -1 is the machine's start; the number of operations is the reset at the script's end. */
export type PlanOutcome =
  | { readonly result: 'agree' }
  | {
      readonly result: 'differs';
      readonly operation: number;
      /** The compared part: the plan's name for the answer. */
      readonly part: string;
      readonly expected: string;
      readonly actual: string;
    }
  | {
      /** QEMU ended by itself, or was silent for too long. */
      readonly result: 'crashed' | 'hung';
      readonly operation: number;
      readonly what: string;
      readonly stderr: readonly string[];
    };

export type Failed = Exclude<PlanOutcome, { readonly result: 'agree' }>;

export interface PlanRun {
  readonly outcome: PlanOutcome;
  readonly plan: Plan;
}

/** An answer, with the interrupts that preceded it. */
export interface ObservedAnswer {
  readonly operation: number;
  readonly part: string;
  readonly interrupts: readonly string[];
  readonly answer: string;
}

/** How long a QEMU that failed may take to exit. */
const EXIT_MS = 10_000;
/** Virtual time ends at 2^63 ns. A machine older than this is replaced; no script takes as long as what is left. */
const OLD_NS = 1n << 61n;

/** The result of a load that did not go as planned. */
type WrongLoad = 'accepted' | 'refused' | 'not saved';

/** Counts the files of this process, so that each has its own name. */
let saves = 0;

export class PlanRunner {
  #machine: SearchMachine | undefined;
  /** Virtual time of the machine; the next plan must start at it. */
  #now = 0n;
  #saveFile = '';

  constructor(
    private readonly request: MachineRequest,
    private readonly ports: MachinePorts,
    private readonly startMachine: typeof SearchMachine.start = async (...of) => SearchMachine.start(...of),
  ) {}

  /** Virtual time at which the next plan must start. */
  get #base(): bigint {
    return this.#now < OLD_NS ? this.#now : 0n;
  }

  /** Makes a plan that starts at the machine's time, and runs it. Rejects only if QEMU cannot be started. */
  async run(planAt: (base: bigint) => Promise<Plan>): Promise<PlanRun> {
    let plan: Plan;
    // Another worker that finds a failure may end the machine while the plan is made, which sets the time to 0.
    do plan = await planAt(this.#base);
    while (plan.base !== this.#base);
    if (this.#machine !== undefined && this.#now !== plan.base) await this.end();
    const outcome = await this.#steps(this.#machine ?? (await this.#start()), plan);
    if (outcome.result === 'agree') this.#now = plan.end;
    else await this.end();
    return { outcome, plan };
  }

  async #start(): Promise<SearchMachine> {
    this.#now = 0n;
    return (this.#machine = await this.startMachine(this.request, this.ports));
  }

  async #steps(first: SearchMachine, plan: Plan): Promise<PlanOutcome> {
    let machine = first;
    let operation = -1;
    try {
      for (const step of plan.steps) {
        if (step.kind === 'exchange') {
          const answered = await machine.qtest.exchange(step.send, step.expect, step.marks);
          if (answered.result === 'same') continue;
          if (answered.result === 'different') {
            const { at, expected, actual } = answered.mismatch;
            return { result: 'differs', ...answerAt(step, at), expected, actual };
          }
          ({ operation } = answerAt(step, answered.at));
          throw new MachineError('No answer', answered.result === 'silent');
        }
        ({ operation } = step);
        const next = await this.#act(machine, step);
        if (typeof next === 'string') {
          const expected = step.kind === 'corrupt' && step.refused ? 'refused' : 'accepted';
          return { result: 'differs', operation, part: 'load', expected, actual: next };
        }
        machine = next;
      }
      return { result: 'agree' };
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      return failure(this.#machine ?? machine, operation, error);
    }
  }

  /**
   * Runs a plan, which starts at 0, on a new machine up to the operation, without comparing, and
   * returns the answers to that operation. Answers that QEMU did not give
   * before it ended are missing.
   */
  async observe(plan: Plan, operation: number): Promise<readonly ObservedAnswer[]> {
    await this.end();
    const observed: ObservedAnswer[] = [];
    let machine = await this.#start();
    try {
      for (const step of plan.steps) {
        if (step.kind === 'exchange') {
          const lines = await machine.qtest.record(step.send, step.ends.length, EXIT_MS);
          observed.push(...answersIn(lines, step).filter((answer) => answer.operation === operation));
          if (step.operations.some((index) => index > operation)) break;
        } else {
          const next = step.operation > operation ? 'done' : await this.#act(machine, step);
          if (typeof next === 'string') break;
          machine = next;
        }
      }
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
    }
    await this.end();
    return observed;
  }

  /** Returns the machine to continue with, or how a load went wrong. */
  async #act(machine: SearchMachine, action: Action): Promise<SearchMachine | WrongLoad> {
    switch (action.kind) {
      case 'reload':
        return this.#reload(machine, action.now);
      case 'corrupt':
        return this.#corrupt(machine, action);
      case 'save':
        saves += 1;
        this.#saveFile = join(this.request.directory, `vm-${process.pid}-${saves}.state`);
        await machine.beginSave(this.#saveFile);
        return machine;
      case 'reset':
      case 'stop':
      case 'cont':
      default:
        await machine[action.kind]();
        return machine;
    }
  }

  async #reload(from: SearchMachine, now: bigint): Promise<SearchMachine> {
    const file = this.#saveFile;
    try {
      const [to] = await Promise.all([
        SearchMachine.start(this.request, this.ports, { now }),
        from.finishSave(),
      ]);
      this.#machine = to;
      await from.end();
      await to.load(file);
      return to;
    } finally {
      await rm(file, { force: true });
    }
  }

  async #corrupt(
    from: SearchMachine,
    { now, section, changes, refused }: Extract<Action, { kind: 'corrupt' }>,
  ): Promise<SearchMachine | WrongLoad> {
    const file = this.#saveFile;
    const corrupted = `${file}.corrupted`;
    const start = async (request: MachineRequest): Promise<SearchMachine> =>
      (this.#machine = await SearchMachine.start(request, this.ports, { now }));
    try {
      await from.finishSave();
      await from.end();
      try {
        await writeFile(corrupted, changeSavedState(await readFile(file), section, changes));
      } catch {
        return 'not saved';
      }
      // A process that refuses the state has nothing to trace.
      const first = await start(refused ? { ...this.request, trace: undefined } : this.request);
      const accepted = await first.accepts(corrupted);
      if (accepted === refused) return accepted ? 'accepted' : 'refused';
      if (accepted) return first;
      await first.end();
      const second = await start(this.request);
      await second.load(file);
      return second;
    } finally {
      await Promise.all([rm(file, { force: true }), rm(corrupted, { force: true })]);
    }
  }

  /** Ends QEMU; the next plan starts a new one. */
  async end(): Promise<void> {
    const machine = this.#machine;
    this.#machine = undefined;
    this.#now = 0n;
    await machine?.end();
    if (this.#saveFile !== '') await rm(this.#saveFile, { force: true });
    this.#saveFile = '';
  }
}

async function failure(machine: SearchMachine, operation: number, error: MachineError): Promise<PlanOutcome> {
  const exit = error.hung ? undefined : await machine.exit(EXIT_MS);
  const how =
    exit === undefined
      ? 'QEMU is still running'
      : exit.signal === undefined
        ? `QEMU ended with exit code ${exit.exitCode}`
        : `QEMU was ended by ${exit.signal}`;
  const result = exit === undefined ? 'hung' : 'crashed';
  return { result, operation, what: `${error.message}: ${how}`, stderr: [...machine.stderr] };
}

function answersIn(lines: readonly string[], { operations, parts }: Exchange): ObservedAnswer[] {
  const answers: ObservedAnswer[] = [];
  let interrupts: string[] = [];
  for (const line of lines) {
    if (line.startsWith('IRQ ')) {
      interrupts.push(line);
      continue;
    }
    const index = answers.length;
    answers.push({ operation: operations[index] ?? -1, part: parts[index] ?? '', interrupts, answer: line });
    interrupts = [];
  }
  return answers;
}

/** The answer that the byte at this offset belongs to. */
function answerAt({ ends, operations, parts }: Exchange, at: number): { operation: number; part: string } {
  const index = ends.findIndex((end) => end > at);
  const found = index < 0 ? ends.length - 1 : index;
  return { operation: operations[found] ?? -1, part: parts[found] ?? '' };
}
