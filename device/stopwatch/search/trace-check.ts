// SPDX-License-Identifier: MIT
/**
 * Scripts with QEMU's trace switched on: what the device says of itself, judged
 * by the cross-check of a boot, with QEMU's own trace of accesses and interrupts
 * as its monitor. The search compares what a guest can see, at full speed; this
 * catches a device that is right and reports something else.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Crosscheck, reasonWords, type Verdict } from '../../../vm/device-kit.js';
import {
  campaign,
  type FuzzRequest,
  type MachinePorts,
  minimise,
  replay,
  type ShrinkBudget,
  type TraceCheck,
} from '../../../lab/search/device-kit.js';
import { stopwatchJudge } from '../judge.js';
import { errorNames } from '../model/index.js';
import { parseTraceLine, TRACE_PREFIX } from '../parse.js';
import type { Script } from './script.js';
import { simpler } from './simpler.js';
import { REGS } from './bus.js';
import { stopwatchTarget } from './target.js';

/** GICv2's number of the platform bus's first interrupt on `virt`: 32 + 112. */
const INTERRUPT = 144;
/** A stopped VM's clock can be moved past a deadline by any time. */
const ANY_TIME = 1n << 62n;

/** One script in this many saves the VM and loads it into a new process. */
const EVENTFUL_EVERY = 2;
/** Operations of a script: so that there are some of both kinds. */
const LONGEST = 150;
const tracedTarget: typeof stopwatchTarget = {
  ...stopwatchTarget,
  sample: (seed, index, eventful) => {
    const script = stopwatchTarget.sample(seed, index, eventful);
    return { ...script, operations: script.operations.slice(0, LONGEST) };
  },
};
const PATTERNS = ['stopwatch_*', 'memory_region_ops_*', 'gic_set_irq'];

export async function traceCheck(
  request: FuzzRequest,
  about: { readonly seed: number; readonly operations: number; readonly shrink: ShrinkBudget },
  ports: MachinePorts,
): Promise<TraceCheck<Script>> {
  const { seed } = about;
  const [search, judged] = await traced(request, (trace) =>
    campaign(
      tracedTarget,
      {
        ...request,
        ...about,
        trace,
        seconds: Number.POSITIVE_INFINITY,
        shard: { index: 1, count: 1 },
        eventfulEvery: EVENTFUL_EVERY,
        lanes: 1,
      },
      ports,
    ),
  );
  if (search.finding !== undefined) return { search, ...judged, wrong: undefined, verdict: undefined };
  if (judged.wrong === undefined) return { search, ...judged };
  for (let index = 0; index < search.scripts; index++) {
    const script = tracedTarget.sample(seed, index, index % EVENTFUL_EVERY === EVENTFUL_EVERY - 1);
    if ((await traceOf(script, request, ports)).wrong === undefined) continue;
    const short = await shorten(script, request, about.shrink, ports);
    // What is wrong with the short one is what can be read.
    return { search, ...judged, ...(await traceOf(short, request, ports)), script: short };
  }
  return { search, ...judged };
}

/** What is wrong with the trace of one script; undefined too where something else is wrong. */
export async function traceOf(
  script: Script,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Pick<TraceCheck<Script>, 'wrong' | 'verdict'>> {
  const [outcome, judged] = await traced(request, (trace) =>
    replay(stopwatchTarget, script, { ...request, trace }, ports),
  );
  return outcome.result === 'agree' ? judged : { wrong: undefined, verdict: undefined };
}

async function shorten(
  script: Script,
  request: FuzzRequest,
  budget: ShrinkBudget,
  ports: MachinePorts,
): Promise<Script> {
  const { operations } = await minimise(script.operations, script.operations.length - 1, {
    ...budget,
    signal: ports.signal,
    simpler,
    failing: async (fewer) => {
      const { wrong } = await traceOf({ ...script, operations: fewer }, request, ports);
      return wrong === undefined ? undefined : fewer.length - 1;
    },
  });
  return { ...script, operations };
}

type Judged = Omit<TraceCheck<Script>, 'search' | 'script'>;

/** Does something with QEMUs that trace, each to a file of its own, and judges what they wrote. */
async function traced<T>(
  { directory }: FuzzRequest,
  work: (trace: NonNullable<FuzzRequest['trace']>) => Promise<T>,
): Promise<readonly [T, Judged]> {
  const files: string[] = [];
  const newFile = (): string => {
    traces += 1;
    const file = join(directory, `trace-${process.pid}-${traces}.log`);
    files.push(file);
    return file;
  };
  try {
    const done = await work({ patterns: PATTERNS, newFile });
    const total = { events: 0, confirmed: 0, logged: 0 };
    for (const file of files) {
      const text = await readFile(file, 'utf8').catch(() => '');
      const verdict = judge(text);
      const log = judgeLog(text);
      total.events += verdict.events;
      total.confirmed += verdict.confirmed;
      total.logged += log.logged;
      const wrong = verdict.result === 'agree' ? log.wrong : wordsOf(verdict);
      if (wrong !== undefined) return [done, { ...total, wrong, verdict }];
    }
    return [done, { ...total, wrong: undefined, verdict: undefined }];
  } finally {
    await Promise.all(files.map((file) => rm(file, { force: true })));
  }
}

/** What was traced in this process so far: each file has a name of its own. */
let traces = 0;

function judge(text: string): Verdict {
  const crosscheck = new Crosscheck(stopwatchJudge({ slackNs: ANY_TIME }), {
    monitor: { accesses: { base: BigInt(REGS) }, interrupt: INTERRUPT },
  });
  crosscheck.feed(text);
  return crosscheck.end();
}

function wordsOf(verdict: Verdict): string {
  const { divergence, invalid } = verdict;
  if (divergence === undefined) return invalid.map((reason) => reasonWords(reason)).join('; ');
  const { kind, field, expected, actual, access } = divergence;
  return `${kind}: ${field} at ${access}: expected ${expected}, got ${actual}`;
}

/** Every rejected access is logged as a guest error, just before the device's `error` event. */
function judgeLog(text: string): { readonly logged: number; readonly wrong?: string } {
  let before = '';
  let logged = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(`${TRACE_PREFIX}error `)) {
      const event = parseTraceLine(line);
      const name = event?.event === 'error' ? errorNames(event.raised) : '';
      if (!before.startsWith(`stopwatch: ${name}: `))
        return { logged, wrong: `guest error log: expected ${name}, got ${JSON.stringify(before)}` };
      logged += 1;
    }
    before = line;
  }
  const lines = text.split('\n').filter((line) => line.startsWith('stopwatch: ')).length;
  if (lines === logged) return { logged };
  return { logged, wrong: `guest error log: expected ${logged} lines, got ${lines}` };
}
