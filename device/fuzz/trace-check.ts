// SPDX-License-Identifier: MIT
/**
 * Scripts with QEMU's trace switched on: what the device says of itself, judged
 * by the cross-check of a boot, with QEMU's own trace of accesses and interrupts
 * as its witness. The search compares what a guest can see, at full speed; this
 * catches a device that is right and reports something else.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Crosscheck, reasonWords, type Verdict } from '../../vm/device-kit.js';
import { campaign, type FuzzRequest, type MachinePorts, type TraceCheck } from '../../vm/device-kit-fuzz.js';
import { stopwatchJudge } from '../judge.js';
import { errorNames } from '../model/index.js';
import { parseTraceLine, TRACE_PREFIX } from '../parse.js';
import type { Script } from './script.js';
import { REGS } from './story.js';
import { stopwatchTarget } from './target.js';

/** GICv2's number of the platform bus's first interrupt on `virt`: 32 + 112. */
const INTERRUPT = 144;
/** A stopped VM's clock can be moved past a deadline by any time. */
const ANY_TIME = 1n << 62n;

export async function traceCheck(
  request: FuzzRequest,
  about: { readonly seed: number; readonly operations: number },
  ports: MachinePorts,
): Promise<TraceCheck<Script>> {
  const files: string[] = [];
  const newFile = (): string => {
    const file = join(request.directory, `trace-${process.pid}-${files.length}.log`);
    files.push(file);
    return file;
  };
  const patterns = ['stopwatch_*', 'memory_region_ops_*', 'gic_set_irq'];
  try {
    const search = await campaign(
      stopwatchTarget,
      {
        ...request,
        ...about,
        trace: { patterns, newFile },
        seconds: Number.POSITIVE_INFINITY,
        shard: { index: 1, count: 1 },
        eventfulEvery: 2,
        lanes: 1,
        shrink: { tries: 0, seconds: 0 },
      },
      ports,
    );
    const total = { search, events: 0, witnessed: 0, logged: 0 };
    if (search.finding !== undefined) return { ...total, wrong: undefined, verdict: undefined };
    for (const file of files) {
      const text = await readFile(file, 'utf8');
      const verdict = judge(text);
      const log = judgeLog(text);
      total.events += verdict.events;
      total.witnessed += verdict.witnessed;
      total.logged += log.logged;
      const wrong = verdict.result === 'agree' ? log.wrong : wordsOf(verdict);
      if (wrong !== undefined) return { ...total, wrong, verdict };
    }
    return { ...total, wrong: undefined, verdict: undefined };
  } finally {
    await Promise.all(files.map((file) => rm(file, { force: true })));
  }
}

function judge(text: string): Verdict {
  const crosscheck = new Crosscheck(stopwatchJudge({ slackNs: ANY_TIME }), {
    witness: { accesses: { base: BigInt(REGS) }, interrupt: INTERRUPT },
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
