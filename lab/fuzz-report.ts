// SPDX-License-Identifier: MIT
/** Formats the result of `fuzz`. */
import { writeFile } from 'node:fs/promises';
import { EXIT } from '../lib/errors.js';
import { commandLine } from '../lib/process/command-line.js';
import type { Result } from '../tasks/config/services.js';
import { formatVerdict, statesTable } from '../vm/crosscheck/index.js';
import { type CampaignResult, observe, type Progress } from './search/campaign.js';
import type { MachinePorts, SearchRequest } from './search/machine.js';
import type { Failed } from './search/runner.js';
import type { AnyScript, AnySearch, FailureReport } from './search/search.js';
import type { TraceCheckResult } from './search/trace-check.js';

/** Data that all parts of one `fuzz` run share. */
export interface SearchRun {
  /** Name of the device. */
  readonly device: string;
  readonly search: AnySearch;
  readonly request: SearchRequest;
  readonly ports: MachinePorts;
}

export type FuzzResult = Result & {
  readonly verdict: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
};

/** Decisions that were not exercised are listed up to this number. */
const SHOWN_DECISIONS = 12;
const SHOWN_STDERR = 40;

/** Reports a script that fails, and saves it if a file is given. */
export async function reportFailure(
  { device, search, request, ports }: SearchRun,
  script: AnyScript,
  failed: Failed,
  saved?: { readonly file: string; readonly about: string },
): Promise<FuzzResult> {
  const observed = await observe(search, script, failed.operation, request, ports);
  const report = search.describeFailure(script, failed, observed);
  const operation = script.operations[failed.operation];
  const { compared, expected, actual } = report;
  if (saved !== undefined) {
    const differs = `${compared}: expected ${expected}, got ${actual}`;
    await writeFile(saved.file, search.formatScript(script, [saved.about, differs]));
  }
  const next = saved && replayCommand(device, saved.file);
  return {
    exitCode: failed.result === 'differs' ? EXIT.differs : EXIT.guest,
    verdict: [
      ...scriptLines(search, script, failed.operation),
      '',
      ...failureLines(report),
      ...('stderr' in failed ? ['', ...failed.stderr.slice(0, SHOWN_STDERR)] : []),
    ],
    data: {
      ...failed,
      ...report,
      operationWords: operation === undefined ? 'machine reset' : search.describeOperation(operation),
      shortest: script.operations.length,
      ...(saved && { script: saved.file, replay: next }),
    },
    next,
  };
}

/** Reports a wrong trace, and saves its script if a file is given. */
export async function reportTrace(
  { device, search }: SearchRun,
  { verdict, script, ...trace }: Omit<TraceCheckResult, 'operations'>,
  saved?: { readonly file: string; readonly about: string },
): Promise<FuzzResult> {
  const { wrong = '' } = trace;
  const formatted = verdict === undefined || verdict.result === 'agree' ? [wrong] : formatVerdict(verdict);
  const lines = formatted.map((line) => `Trace        ${line}`);
  if (script === undefined || saved === undefined)
    return { exitCode: EXIT.differs, verdict: lines, data: { trace } };
  await writeFile(saved.file, search.formatScript(script, [saved.about, wrong]));
  const shortest = script.operations.length;
  return {
    exitCode: EXIT.differs,
    verdict: [...scriptLines(search, script, shortest - 1), ...lines],
    data: { trace: { ...trace, shortest, script: saved.file } },
    next: replayCommand(device, saved.file),
  };
}

const replayCommand = (device: string, file: string): string =>
  commandLine('fuzz', '--device', device, '--replay', file);

/** The script, one line per operation, with the failing one marked. */
function scriptLines(search: AnySearch, script: AnyScript, failing: number): readonly string[] {
  const { operations } = script;
  const lines = operations.map((operation) => search.describeOperation(operation));
  const marked = lines.map((line, index) => `${index === failing ? '>' : ' '} ${line}`);
  if (failing < 0) marked.unshift('> at the start  machine reset');
  if (failing >= operations.length) marked.push('> at the end  machine reset');
  return [`  -device ${search.qemuDevice(script)}`, ...marked];
}

/** The difference, and the states side by side. */
function failureLines({ compared, expected, actual, states }: FailureReport): readonly string[] {
  return [
    `  compared  ${compared}`,
    `  expected  ${expected}`,
    `  actual    ${actual}`,
    '',
    ...statesTable(states),
  ];
}

export function countsLine({ operations, scripts, commands, reloads, seconds }: Progress): string {
  const rate = Math.round(operations / Math.max(seconds, 0.001));
  return `${operations} operations in ${scripts} scripts, ${commands} answers compared, ${reloads} reloads, ${seconds.toFixed(1)} s, ${rate} operations/s`;
}

/** How much of the contract was exercised. A short campaign need not reach everything. */
export function decisionLines(decisions: CampaignResult['decisions']): readonly string[] {
  if (decisions === undefined) return [];
  const { total, reached, missed } = decisions;
  return [
    `Contract     ${reached} of ${total} decisions (operation × state × timeout) exercised and compared`,
    ...missed.slice(0, SHOWN_DECISIONS).map((name) => `Not reached  ${name}`),
    ...(missed.length > SHOWN_DECISIONS ? [`Not reached  and ${missed.length - SHOWN_DECISIONS} more`] : []),
  ];
}
