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
  const rigs = new Rigs(options, ports);
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const counts = { scripts: 0, operations: 0, commands: 0, reloads: 0 };
  const progress = (): Progress => ({ ...counts, seconds: seconds(), memory: process.memoryUsage.rss() });
  let told = started;
  try {
    let next = await prepare(target, options, rigs, options.shard.index - 1);
    for (;;) {
      const { index, script, plan, device } = next;
      const running = rigs.get(device).run(plan);
      rigs.planned(device, plan);
      // The next script is worked out while QEMU is busy with this one.
      const prepared = prepare(target, options, rigs, index + options.shard.count);
      const outcome = await running;
      next = await prepared;
      if (outcome.result !== 'agree') {
        const after = counts.operations + Math.min(outcome.operation + 1, plan.operations);
        const at = { index, after, afterSeconds: seconds() };
        counts.operations = after;
        // To wait as long for each try as for the first one would take hours.
        const impatient = { ...options, silenceMs: Math.min(options.silenceMs, IMPATIENT_MS) };
        await rigs.end();
        const short = await shorten(target, script, outcome, new Rigs(impatient, ports), {
          ...options.shrink,
          signal: ports.signal,
        });
        return { ...progress(), finding: { ...at, from: script.operations.length, ...short } };
      }
      counts.scripts += 1;
      counts.operations += plan.operations;
      counts.commands += plan.commands;
      counts.reloads += plan.steps.filter(({ kind }) => kind === 'reload').length;
      if (performance.now() - told >= PROGRESS_MS) {
        told = performance.now();
        options.onProgress?.(progress());
      }
      if (counts.operations >= options.operations || seconds() >= options.seconds || ports.signal.aborted)
        return progress();
    }
  } finally {
    await rigs.end();
  }
}

/** Does one script, and no more. */
export async function replay<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  script: S,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Outcome> {
  const rigs = new Rigs(request, ports);
  try {
    return await rigs.get(target.device(script)).run(await finish(target.plan(script, 0n)));
  } finally {
    await rigs.end();
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
  return rig.observe(await finish(target.plan(script, 0n)), operation);
}

/** One QEMU for each set of properties. */
class Rigs {
  readonly #rigs = new Map<string, Rig>();
  readonly #bases = new Map<string, bigint>();

  constructor(
    private readonly request: FuzzRequest,
    private readonly ports: MachinePorts,
  ) {}

  get(device: string): Rig {
    const known = this.#rigs.get(device);
    if (known !== undefined) return known;
    const rig = new Rig({ ...this.request, device }, this.ports);
    this.#rigs.set(device, rig);
    return rig;
  }

  /** Virtual time at which the next plan for this device starts. */
  base(device: string): bigint {
    return this.#bases.get(device) ?? 0n;
  }

  planned(device: string, plan: Plan): void {
    this.#bases.set(device, Rig.baseAfter(plan.end));
  }

  async end(): Promise<void> {
    await Promise.all([...this.#rigs.values()].map((rig) => rig.end()));
    this.#bases.clear();
  }
}

/** The answers of the script before are read in the pauses. */
async function finish(work: Generator<undefined, Plan>): Promise<Plan> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function prepare<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  { seed, eventfulEvery, shard }: CampaignOptions,
  rigs: Rigs,
  index: number,
): Promise<{ index: number; script: S; plan: Plan; device: string }> {
  // Not by the number alone: every part of a campaign has its share of them.
  const nth = Math.floor(index / shard.count);
  const eventful = nth % eventfulEvery === Math.min(7, eventfulEvery - 1);
  const script = target.sample(seed, index, eventful);
  const device = target.device(script);
  return { index, script, device, plan: await finish(target.plan(script, rigs.base(device))) };
}

async function shorten<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  script: S,
  found: Failed,
  rigs: Rigs,
  options: { readonly tries: number; readonly seconds: number; readonly signal: AbortSignal },
): Promise<Pick<Finding<S>, 'outcome' | 'script' | 'tries' | 'minimal'>> {
  const device = target.device(script);
  let outcome = found;
  const fails = async (operations: readonly O[]): Promise<number | undefined> => {
    const plan = await finish(target.plan(target.withOperations(script, operations), rigs.base(device)));
    const now = await rigs.get(device).run(plan);
    if (now.result === 'agree') {
      rigs.planned(device, plan);
      return undefined;
    }
    await rigs.end();
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
  await rigs.end();
  return { outcome, script: target.withOperations(script, operations), tries, minimal };
}
