// SPDX-License-Identifier: MIT
/** What `fuzz` checks of a device in which its search has found nothing: the device's own word, and time that passes by itself. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatVerdict, type Verdict } from '../vm/crosscheck/index.js';
import type { FuzzRequest } from './search/campaign.js';
import type { MachinePorts } from './search/machine.js';
import type { AnySearch } from './search/search.js';
import { EXIT } from '../lib/errors.js';
import { report } from './fuzz-report.js';
import type { Result } from '../tasks/config/services.js';
import { commandLine } from '../lib/process/command-line.js';

/** What making a script short may cost. */
export const SHRINK = { tries: 3000, seconds: 180 };
/** Operations that are done with QEMU's trace switched on, which is slow; but it need not be many. */
const TRACED = 3000;

/** `data`: what was found, by the names of the checks. */
type Checked = Result & {
  readonly verdict: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
};

/** One check after the other, up to the first that does not pass. */
export async function checkFurther(
  how: AnySearch,
  seed: number,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Checked> {
  const trace = await checkTrace(how, seed, request, ports);
  if (trace.exitCode !== EXIT.passed) return trace;
  const clock = await checkHostClock(how, request, ports);
  if (clock === undefined) return trace;
  return {
    ...clock,
    verdict: [...trace.verdict, ...clock.verdict],
    data: { ...trace.data, ...clock.data },
  };
}

/** What the device says of itself, and what QEMU says of it. */
async function checkTrace(
  how: AnySearch,
  seed: number,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Checked> {
  const {
    search: done,
    wrong,
    verdict,
    script,
    ...trace
  } = await how.traceCheck(request, { seed, operations: TRACED, shrink: SHRINK }, ports);
  const { finding } = done;
  if (finding !== undefined) {
    const told = await report(how, finding.script, finding.outcome, undefined, request, ports);
    return {
      ...told,
      verdict: ['Trace        a difference with the trace switched on:', ...told.verdict],
      data: { trace: told.data },
    };
  }
  if (wrong !== undefined) {
    const told = wrongTrace(wrong, verdict);
    if (script === undefined) return { ...told, data: { trace: { ...trace, wrong } } };
    const file = join(request.directory, `seed-${seed}-trace.json`);
    await writeFile(file, how.formatScript(script, [`Seed ${seed}, its trace.`, wrong]));
    const shortest = script.operations.length;
    return {
      ...told,
      verdict: [...how.scriptLines(script, shortest - 1), ...told.verdict],
      data: { trace: { ...trace, wrong, shortest, script: file } },
      next: commandLine('fuzz', '--replay', file),
    };
  }
  const { events, confirmed, logged } = trace;
  const words = `${events} events agree, ${confirmed} confirmed by QEMU's own trace, ${logged} guest errors logged`;
  return { exitCode: EXIT.passed, verdict: [`Trace        ${words}`], data: { trace } };
}

export function wrongTrace(wrong: string, verdict: Verdict | undefined) {
  const lines = verdict === undefined || verdict.result === 'agree' ? [wrong] : formatVerdict(verdict);
  return { exitCode: EXIT.differs, verdict: lines.map((line) => `Trace        ${line}`) };
}

/** Undefined for a device that has no such check. */
async function checkHostClock(
  how: AnySearch,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Checked | undefined> {
  const hostClock = await how.hostClockCheck?.(request, ports);
  if (hostClock === undefined) return undefined;
  const { tries, met, wrong } = hostClock;
  const passed = `${tries} stops of the VM while a timeout was due; at ${met} it had come and was not yet served`;
  return {
    exitCode: wrong === undefined ? EXIT.passed : EXIT.differs,
    verdict: [`Host's clock ${wrong ?? passed}`],
    data: { hostClock },
  };
}
