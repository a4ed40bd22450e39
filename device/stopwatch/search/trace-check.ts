// SPDX-License-Identifier: MIT
/** Checks the trace of one QEMU: by the cross-check of a boot, with QEMU's own trace as the monitor, and against QEMU's log of guest errors. */
import { SEARCH_ID, type TraceVerdict } from '../../../lab/search/device-kit.js';
import { Crosscheck, reasonWords, type Verdict } from '../../../vm/device-kit.js';
import { stopwatchChecker } from '../checker/checker.js';
import { TRACE } from '../checker/trace.js';
import { errorNames } from '../model/index.js';
import { REGS } from './bus.js';
import { FREQUENCY } from './simulated.js';

export const TRACE_PATTERNS = [`${TRACE.prefix}*`, 'memory_region_ops_*', 'gic_set_irq'];

/** GICv2's number of the platform bus's first interrupt on `virt`: 32 + 112. */
export const INTERRUPT = 144;
/** The clock of a stopped VM can be moved past a deadline by any time. */
export const ANY_TIME = 1n << 62n;

export function checkTrace(text: string): TraceVerdict {
  const crosscheck = new Crosscheck(stopwatchChecker({ slackNs: ANY_TIME, frequency: FREQUENCY }), {
    id: SEARCH_ID,
    monitor: { accesses: { base: BigInt(REGS) }, interrupt: INTERRUPT },
  });
  crosscheck.feed(text);
  const verdict = crosscheck.end();
  const { logged, wrong } = checkLog(text);
  const { events, confirmed } = verdict;
  return {
    events,
    confirmed,
    logged,
    wrong: verdict.result === 'agree' ? wrong : summaryOf(verdict),
    verdict,
  };
}

/** What is wrong, in one line. */
export function summaryOf({ divergence, invalid }: Verdict): string {
  if (divergence === undefined) return invalid.map((reason) => reasonWords(reason)).join('; ');
  const { kind, field, expected, actual, access } = divergence;
  return `${kind}: ${field} at ${access}: expected ${expected}, got ${actual}`;
}

/** Every rejected access is logged as a guest error, just before the device's `error` event. */
function checkLog(text: string): { readonly logged: number; readonly wrong?: string } {
  const lines = text.split('\n');
  let logged = 0;
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith(`${TRACE.prefix}error `)) continue;
    const event = TRACE.parse(line);
    const name = event?.event === 'error' ? errorNames(event.raised) : '';
    const before = lines[index - 1] ?? '';
    if (!before.startsWith(`${SEARCH_ID}: ${name}: `))
      return { logged, wrong: `guest error log: expected ${name}, got ${JSON.stringify(before)}` };
    logged += 1;
  }
  const all = lines.filter((line) => line.startsWith(`${SEARCH_ID}: `)).length;
  if (all === logged) return { logged };
  return { logged, wrong: `guest error log: expected ${logged} lines, got ${all}` };
}
