// SPDX-License-Identifier: MIT
/**
 * Runs scripts with QEMU's trace switched on, and has the device's checker read
 * it. The search itself compares what a guest can see, at full speed; this finds
 * a device that behaves correctly and traces something else.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runScript } from './campaign.js';
import type { MachinePorts, SearchRequest } from './machine.js';
import { minimise, type ShrinkBudget } from './minimise.js';
import type { AnyScript, AnySearch, TraceVerdict } from './search.js';

export interface TraceCheckOptions {
  readonly seed: number;
  readonly operations: number;
  /** No script begins later; absent: no limit. */
  readonly seconds?: number | undefined;
  readonly shrink: ShrinkBudget;
}

export interface TraceCheckResult extends TraceVerdict {
  readonly operations: number;
  /** The shortest script found whose trace is wrong. */
  readonly script?: AnyScript | undefined;
}

/** Longest script, in operations: several scripts of both kinds must fit into the budget. */
const LONGEST = 150;

/** Counts the files of this process, so that each has its own name. */
let traces = 0;

export async function traceCheck(
  search: AnySearch,
  { seed, operations, seconds = Number.POSITIVE_INFINITY, shrink }: TraceCheckOptions,
  request: SearchRequest,
  ports: MachinePorts,
): Promise<TraceCheckResult> {
  let total: TraceVerdict = { events: 0, confirmed: 0, logged: 0 };
  let done = 0;
  const end = ports.clock.now() + seconds * 1000;
  const continues = (): boolean => done < operations && ports.clock.now() < end && !ports.signal.aborted;
  for (let index = 0; index === 0 || continues(); index++) {
    // Every second script saves the VM and loads it into a new process.
    const sampled = search.sample(seed, index, index % 2 === 1);
    const script = { ...sampled, operations: sampled.operations.slice(0, LONGEST) };
    const found = await runAndCheckTrace(search, script, request, ports);
    done += script.operations.length;
    total = sum(total, found);
    if (found.wrong === undefined) continue;
    const short = await shorten(search, script, shrink, request, ports);
    // Report what is wrong with the short script, which people can read.
    const { wrong = found.wrong, verdict } = await runAndCheckTrace(search, short, request, ports);
    return { ...total, operations: done, wrong, verdict, script: short };
  }
  return { ...total, operations: done };
}

/** Runs one script and checks its trace. */
export async function runAndCheckTrace(
  search: AnySearch,
  script: AnyScript,
  request: SearchRequest,
  ports: MachinePorts,
): Promise<TraceVerdict> {
  const files: string[] = [];
  const newFile = (): string => {
    traces += 1;
    const file = join(request.directory, `trace-${process.pid}-${traces}.log`);
    files.push(file);
    return file;
  };
  try {
    const trace = { patterns: search.trace.patterns, newFile };
    const outcome = await runScript(search, script, { ...request, trace }, ports);
    let total: TraceVerdict = { events: 0, confirmed: 0, logged: 0 };
    if (outcome.result !== 'agree') {
      const { result, operation } = outcome;
      return { ...total, wrong: `with the trace switched on, operation ${operation} ${result}` };
    }
    for (const file of files) {
      total = sum(total, search.trace.check(await readFile(file, 'utf8').catch(() => '')));
      if (total.wrong !== undefined) break;
    }
    return total;
  } finally {
    await Promise.all(files.map((file) => rm(file, { force: true })));
  }
}

function sum(total: TraceVerdict, more: TraceVerdict): TraceVerdict {
  return {
    ...more,
    events: total.events + more.events,
    confirmed: total.confirmed + more.confirmed,
    logged: total.logged + more.logged,
  };
}

async function shorten(
  search: AnySearch,
  script: AnyScript,
  budget: ShrinkBudget,
  request: SearchRequest,
  ports: MachinePorts,
): Promise<AnyScript> {
  const { operations } = await minimise(script.operations, script.operations.length - 1, {
    ...budget,
    signal: ports.signal,
    simpler: (operation, before) => search.simpler(operation, before),
    failing: async (fewer) => {
      const { wrong } = await runAndCheckTrace(search, { ...script, operations: fewer }, request, ports);
      return wrong === undefined ? undefined : fewer.length - 1;
    },
  });
  return { ...script, operations };
}
