// SPDX-License-Identifier: MIT
/** Search: random scripts, one after the other, until one fails or the budget is spent; the one that fails is made short. */
import { minimise } from './minimise.js';
import type { MachinePorts, MachineRequest } from './machine.js';
import type { Plan } from './plan.js';
import { type Observed, type Outcome, Rig } from './rig.js';

/** What the search must know of a device. `S`: a script, `O`: one of its operations. */
export interface FuzzTarget<O, S extends { readonly operations: readonly O[] }> {
  /** The script with this number of the campaign with this seed: always the same. `eventful`: with what costs a new process. */
  sample(seed: number, index: number, eventful: boolean): S;
  /** QEMU's type and properties of the device that the script is for. */
  device(script: S): string;
  plan(script: S, base: bigint): Generator<undefined, Plan>;
  withOperations(script: S, operations: readonly O[]): S;
  simpler(operation: O, before: O | undefined): readonly O[];
  /** The device's decision table, as names: a campaign says which of them it has carried out. */
  readonly decisions?: readonly string[];
}

/** A machine for any of the device's properties. */
export type FuzzRequest = Omit<MachineRequest, 'device'>;

export interface CampaignOptions extends FuzzRequest {
  readonly seed: number;
  /** Ends after this many operations, or seconds, whichever comes first. */
  readonly operations: number;
  readonly seconds: number;
  /** This part of the campaign's scripts; `index` from 1. */
  readonly shard: { readonly index: number; readonly count: number };
  /** One script in this many saves and loads the VM. */
  readonly eventfulEvery: number;
  /** So many scripts are under way at once: while one QEMU is being reset, or its next script worked out, another one works. */
  readonly lanes: number;
  /** What making a script short may cost. */
  readonly shrink: { readonly tries: number; readonly seconds: number };
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly scripts: number;
  readonly operations: number;
  /** qtest commands, all of whose answers were compared. */
  readonly commands: number;
  /** Saved, ended, and loaded into a new process. */
  readonly reloads: number;
  readonly seconds: number;
  /** Resident memory of this process, bytes. */
  readonly memory: number;
  /** Processor time, seconds: of this process since the campaign began, and of all its QEMUs. */
  readonly processor: { readonly own: number; readonly qemu: number };
}

export type Failed = Exclude<Outcome, { readonly result: 'agree' }>;

export interface Finding<S> {
  readonly outcome: Failed;
  /** The shortest script found that fails. */
  readonly script: S;
  /** Number of the script in the campaign, and its operations before it was made short. */
  readonly index: number;
  readonly from: number;
  /** Operations of the campaign up to and including the one that failed, and seconds until then. */
  readonly after: number;
  readonly afterSeconds: number;
  readonly tries: number;
  readonly minimal: boolean;
}

export interface CampaignResult<S> extends Progress {
  readonly finding?: Finding<S>;
  /** How much of the decision table was carried out, and compared; where the device has one. */
  readonly decisions?: {
    readonly total: number;
    readonly reached: number;
    readonly missed: readonly string[];
  };
}

/** How long QEMU may be silent while a script is made short. */
const IMPATIENT_MS = 3000;
/** Milliseconds between two reports of progress. */
const PROGRESS_MS = 1000;

/** Rejects only when QEMU cannot be started. */
export async function campaign<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  options: CampaignOptions,
  ports: MachinePorts,
): Promise<CampaignResult<S>> {
  return new Campaign(target, options, ports).run();
}

class Campaign<O, S extends { readonly operations: readonly O[] }> {
  readonly #started = performance.now();
  readonly #processor = process.cpuUsage();
  readonly #counts = { scripts: 0, operations: 0, commands: 0, reloads: 0 };
  readonly #decided = new Set<number>();
  readonly #idle = new Map<string, Rig[]>();
  /** Scripts that are under way, by their numbers. */
  readonly #working = new Map<number, Rig>();
  #told = this.#started;
  /** The next script, and the operations of all before it. */
  #next: number;
  #begun = 0;
  #found:
    | { readonly index: number; readonly script: S; readonly outcome: Failed; readonly at: At }
    | undefined;

  constructor(
    private readonly target: FuzzTarget<O, S>,
    private readonly options: CampaignOptions,
    private readonly ports: MachinePorts,
  ) {
    this.#next = options.shard.index - 1;
  }

  async run(): Promise<CampaignResult<S>> {
    try {
      const lanes = Array.from({ length: this.options.lanes }, () => this.#lane());
      const ended = await Promise.allSettled(lanes);
      for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
    } finally {
      await Promise.all([...this.#idle.values()].flat().map((rig) => rig.end()));
    }
    const found = this.#found;
    if (found === undefined) return { ...this.#progress(), ...this.#decisions() };
    const { index, script, outcome, at } = found;
    const { options, ports } = this;
    // To wait as long for each try as for the first one would take hours.
    const impatient = { ...options, silenceMs: Math.min(options.silenceMs, IMPATIENT_MS) };
    const short = await shorten(
      this.target,
      script,
      outcome,
      new Rig({ ...impatient, device: this.target.device(script) }, ports),
      {
        ...options.shrink,
        signal: ports.signal,
      },
    );
    return { ...this.#progress(), finding: { index, ...at, from: script.operations.length, ...short } };
  }

  /** One script after the other, until there are enough or one has failed. */
  async #lane(): Promise<void> {
    const { target } = this;
    for (;;) {
      const { operations, seconds } = this.options;
      if (this.#begun >= operations || this.#seconds() >= seconds) return;
      if (this.#found !== undefined || this.ports.signal.aborted) return;
      const { index, script } = this.#take();
      const device = target.device(script);
      const rig = this.#idle.get(device)?.pop() ?? new Rig({ ...this.options, device }, this.ports);
      this.#working.set(index, rig);
      let outcome: Outcome;
      try {
        const plan = await planned(target.plan(script, rig.base));
        outcome = await rig.run(plan);
        if (outcome.result === 'agree') this.#count(plan);
      } catch (error) {
        // The others need not go on.
        this.#next = Number.POSITIVE_INFINITY;
        this.#begun = Number.POSITIVE_INFINITY;
        await rig.end();
        throw error;
      } finally {
        this.#working.delete(index);
      }
      this.#idle.set(device, [...(this.#idle.get(device) ?? []), rig]);
      if (outcome.result !== 'agree') await this.#fail(index, script, outcome);
    }
  }

  #take(): { readonly index: number; readonly script: S } {
    const { seed, eventfulEvery, shard } = this.options;
    const index = this.#next;
    this.#next += shard.count;
    // Not by the number alone: every part of a campaign has its share of them.
    const nth = Math.floor(index / shard.count);
    const eventful = nth % eventfulEvery === Math.min(7, eventfulEvery - 1);
    const script = this.target.sample(seed, index, eventful);
    this.#begun += script.operations.length;
    return { index, script };
  }

  #count(plan: Plan): void {
    const counts = this.#counts;
    counts.scripts += 1;
    counts.operations += plan.operations;
    counts.commands += plan.commands;
    counts.reloads += plan.steps.filter(({ kind }) => kind === 'reload' || kind === 'forge').length;
    for (const decision of plan.decided ?? []) this.#decided.add(decision);
    if (performance.now() - this.#told < PROGRESS_MS) return;
    this.#told = performance.now();
    this.options.onProgress?.(this.#progress());
  }

  /** Of several scripts that fail at once, the first one counts; those after it are not waited for. */
  async #fail(index: number, script: S, outcome: Failed): Promise<void> {
    if (this.#found !== undefined && this.#found.index < index) return;
    const after = this.#counts.operations + Math.min(outcome.operation + 1, script.operations.length);
    this.#found = { index, script, outcome, at: { after, afterSeconds: this.#seconds() } };
    const later = [...this.#working].filter(([other]) => other > index);
    await Promise.all(later.map(([, rig]) => rig.end()));
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  #decisions(): Pick<CampaignResult<S>, 'decisions'> {
    const { decisions } = this.target;
    if (decisions === undefined) return {};
    const missed = decisions.filter((_, index) => !this.#decided.has(index));
    return { decisions: { total: decisions.length, reached: decisions.length - missed.length, missed } };
  }

  #progress(): Progress {
    const { user, system } = process.cpuUsage(this.#processor);
    const rigs = [...this.#idle.values()].flat().concat(...this.#working.values());
    const qemu = rigs.reduce((sum, rig) => sum + rig.processor, 0);
    return {
      ...this.#counts,
      seconds: this.#seconds(),
      memory: process.memoryUsage.rss(),
      processor: { own: (user + system) / 1e6, qemu },
    };
  }
}

type At = Pick<Finding<unknown>, 'after' | 'afterSeconds'>;

/** Does one script, and no more. */
export async function replay<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  script: S,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Outcome> {
  const rig = new Rig({ ...request, device: target.device(script) }, ports);
  try {
    return await rig.run(await planned(target.plan(script, rig.base)));
  } finally {
    await rig.end();
  }
}

/** What QEMU answers to one operation of a script: for a report. */
export async function observe<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  script: S,
  operation: number,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<readonly Observed[]> {
  const rig = new Rig({ ...request, device: target.device(script) }, ports);
  return rig.observe(await planned(target.plan(script, 0n)), operation);
}

/** The answers of the script before are read in the pauses. */
export async function planned(work: Generator<undefined, Plan>): Promise<Plan> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function shorten<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  script: S,
  found: Failed,
  rig: Rig,
  options: { readonly tries: number; readonly seconds: number; readonly signal: AbortSignal },
): Promise<Pick<Finding<S>, 'outcome' | 'script' | 'tries' | 'minimal'>> {
  let outcome = found;
  const fails = async (operations: readonly O[]): Promise<number | undefined> => {
    const now = await rig.run(
      await planned(target.plan(target.withOperations(script, operations), rig.base)),
    );
    if (now.result === 'agree') return undefined;
    // A difference must stay a difference, a crash a crash.
    if (now.result !== found.result) return undefined;
    outcome = now;
    return Math.min(now.operation, operations.length - 1);
  };
  const { operations, tries, minimal } = await minimise(script.operations, found.operation, {
    simpler: (operation, before) => target.simpler(operation, before),
    failing: fails,
    ...options,
  });
  await rig.end();
  return { outcome, script: target.withOperations(script, operations), tries, minimal };
}
