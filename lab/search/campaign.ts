// SPDX-License-Identifier: MIT
/** Runs random scripts until one fails or the budget is spent, and minimises the one that fails. */
import type { MachinePorts, SearchRequest } from './machine.js';
import { minimise, type ShrinkBudget } from './minimise.js';
import type { Plan } from './plan.js';
import { type Failed, type ObservedAnswer, type PlanOutcome, PlanRunner } from './runner.js';
import type { AnyScript, AnySearch } from './search.js';

export interface CampaignOptions extends SearchRequest {
  readonly seed: number;
  /** The campaign ends after this many operations or seconds, whichever comes first. */
  readonly operations: number;
  readonly seconds: number;
  /** Run only this part of the campaign's scripts; `index` from 1. */
  readonly shard: { readonly index: number; readonly count: number };
  /** One script in this many saves and loads the VM. */
  readonly eventfulEvery: number;
  /** Number of QEMUs in use at once: while one is being reset, or its next script planned, the others work. */
  readonly workers: number;
  readonly shrink: ShrinkBudget;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  readonly scripts: number;
  readonly operations: number;
  /** qtest commands, all of whose answers were compared. */
  readonly commands: number;
  /** How often the VM was saved and loaded into a new process. */
  readonly reloads: number;
  readonly seconds: number;
  /** Resident memory of this process, bytes. */
  readonly memory: number;
}

export interface FailingScript {
  readonly outcome: Failed;
  /** The shortest script found that fails. */
  readonly script: AnyScript;
  /** Number of the script in the campaign, and its operations before it was minimised. */
  readonly index: number;
  readonly from: number;
  /** Operations and seconds of the campaign up to and including the operation that failed. */
  readonly after: number;
  readonly afterSeconds: number;
  readonly tries: number;
  readonly minimal: boolean;
}

export interface CampaignResult extends Progress {
  readonly finding?: FailingScript | undefined;
  /** How much of the decision table was exercised, for a device that has one. */
  readonly decisions?:
    | { readonly total: number; readonly reached: number; readonly missed: readonly string[] }
    | undefined;
}

/** How long QEMU may be silent while a script is minimised: waiting the full time for each try would take hours. */
const SHRINK_SILENCE_MS = 1500;
/** Milliseconds between two reports of progress. */
const PROGRESS_MS = 1000;

/** Rejects only if QEMU cannot be started. */
export async function campaign(
  search: AnySearch,
  options: CampaignOptions,
  ports: MachinePorts,
): Promise<CampaignResult> {
  return new Campaign(search, options, ports).run();
}

class Campaign {
  readonly #started = performance.now();
  readonly #counts = { scripts: 0, operations: 0, commands: 0, reloads: 0 };
  readonly #decided = new Set<number>();
  readonly #idle = new Map<string, PlanRunner[]>();
  /** Runners at work, by the numbers of their scripts. */
  readonly #working = new Map<number, PlanRunner>();
  #reported = this.#started;
  /** Number of the next script, and the operations of all scripts before it. */
  #next: number;
  #begun = 0;
  #found: Pick<FailingScript, 'index' | 'script' | 'outcome' | 'after' | 'afterSeconds'> | undefined;

  constructor(
    private readonly search: AnySearch,
    private readonly options: CampaignOptions,
    private readonly ports: MachinePorts,
  ) {
    this.#next = options.shard.index - 1;
  }

  async run(): Promise<CampaignResult> {
    const { search, options, ports } = this;
    try {
      const workers = Array.from({ length: options.workers }, () => this.#work());
      const ended = await Promise.allSettled(workers);
      for (const worker of ended) if (worker.status === 'rejected') throw worker.reason;
    } finally {
      await Promise.all([...this.#idle.values()].flat().map((runner) => runner.end()));
    }
    const found = this.#found;
    if (found === undefined) return { ...this.#progress(), decisions: this.#decisions() };
    const { script, outcome } = found;
    const request = { ...options, silenceMs: Math.min(options.silenceMs, SHRINK_SILENCE_MS) };
    const short = await shorten(search, script, outcome, request, ports);
    return { ...this.#progress(), finding: { ...found, from: script.operations.length, ...short } };
  }

  /** Runs one script after the other, until the budget is spent or one has failed. */
  async #work(): Promise<void> {
    const { search, options, ports } = this;
    while (this.#begun < options.operations && this.#seconds() < options.seconds) {
      if (this.#found !== undefined || ports.signal.aborted) return;
      const { index, script } = this.#take();
      const device = search.qemuDevice(script);
      const runner = this.#idle.get(device)?.pop() ?? new PlanRunner({ ...options, device }, ports);
      this.#working.set(index, runner);
      let outcome: PlanOutcome;
      try {
        const ran = await runner.run(async (base) => planned(search.plan(script, base)));
        ({ outcome } = ran);
        if (outcome.result === 'agree') this.#count(ran.plan);
      } catch (error) {
        // Stop the other workers too.
        this.#begun = Number.POSITIVE_INFINITY;
        await runner.end();
        throw error;
      } finally {
        this.#working.delete(index);
      }
      this.#idle.set(device, [...(this.#idle.get(device) ?? []), runner]);
      if (outcome.result !== 'agree') await this.#fail(index, script, outcome);
    }
  }

  #take(): { readonly index: number; readonly script: AnyScript } {
    const { seed, eventfulEvery, shard } = this.options;
    const index = this.#next;
    this.#next += shard.count;
    // Count within the shard, so that every shard has its share of eventful scripts.
    const nth = Math.floor(index / shard.count);
    const eventful = nth % eventfulEvery === Math.min(7, eventfulEvery - 1);
    const script = this.search.sample(seed, index, eventful);
    this.#begun += script.operations.length;
    return { index, script };
  }

  #count(plan: Plan): void {
    const counts = this.#counts;
    counts.scripts += 1;
    counts.operations += plan.operations;
    counts.commands += plan.commands;
    counts.reloads += plan.steps.filter(({ kind }) => kind === 'reload' || kind === 'corrupt').length;
    for (const decision of plan.decided ?? []) this.#decided.add(decision);
    if (performance.now() - this.#reported < PROGRESS_MS) return;
    this.#reported = performance.now();
    this.options.onProgress?.(this.#progress());
  }

  /** If several scripts fail at once, the first one counts; those after it are cancelled. */
  async #fail(index: number, script: AnyScript, outcome: Failed): Promise<void> {
    if (this.#found !== undefined && this.#found.index < index) return;
    const after = this.#counts.operations + Math.min(outcome.operation + 1, script.operations.length);
    this.#found = { index, script, outcome, after, afterSeconds: this.#seconds() };
    const later = [...this.#working].filter(([other]) => other > index);
    await Promise.all(later.map(([, runner]) => runner.end()));
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  #decisions(): CampaignResult['decisions'] {
    const { decisions } = this.search;
    if (decisions === undefined) return undefined;
    const missed = decisions.filter((_, index) => !this.#decided.has(index));
    return { total: decisions.length, reached: decisions.length - missed.length, missed };
  }

  #progress(): Progress {
    return { ...this.#counts, seconds: this.#seconds(), memory: process.memoryUsage.rss() };
  }
}

/** Runs one script. */
export async function runScript(
  search: AnySearch,
  script: AnyScript,
  request: SearchRequest,
  ports: MachinePorts,
): Promise<PlanOutcome> {
  const runner = new PlanRunner({ ...request, device: search.qemuDevice(script) }, ports);
  try {
    return (await runner.run(async (base) => planned(search.plan(script, base)))).outcome;
  } finally {
    await runner.end();
  }
}

/** QEMU's answers to one operation of a script, for a report. */
export async function observe(
  search: AnySearch,
  script: AnyScript,
  operation: number,
  request: SearchRequest,
  ports: MachinePorts,
): Promise<readonly ObservedAnswer[]> {
  const runner = new PlanRunner({ ...request, device: search.qemuDevice(script) }, ports);
  return runner.observe(await planned(search.plan(script, 0n)), operation);
}

/** Plans a script with pauses, in which the answers to other scripts are read. */
async function planned(work: Generator<undefined, Plan>): Promise<Plan> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function shorten(
  search: AnySearch,
  script: AnyScript,
  found: Failed,
  request: CampaignOptions,
  ports: MachinePorts,
): Promise<Pick<FailingScript, 'outcome' | 'script' | 'tries' | 'minimal'>> {
  const runner = new PlanRunner({ ...request, device: search.qemuDevice(script) }, ports);
  let outcome = found;
  const { operations, tries, minimal } = await minimise(script.operations, found.operation, {
    ...request.shrink,
    signal: ports.signal,
    simpler: (operation, before) => search.simpler(operation, before),
    failing: async (fewer) => {
      const shorter = { ...script, operations: fewer };
      const { outcome: now } = await runner.run(async (base) => planned(search.plan(shorter, base)));
      // A difference must stay a difference, a crash a crash.
      if (now.result === 'agree' || now.result !== found.result) return undefined;
      outcome = now;
      return Math.min(now.operation, fewer.length - 1);
    },
  });
  await runner.end();
  return { outcome, script: { ...script, operations }, tries, minimal };
}
