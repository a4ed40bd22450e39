// SPDX-License-Identifier: MIT
/** A changed model needs no VM: the events of the run before are judged again. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import type { Processes } from '../../../lib/process/process.js';
import type { Result } from '../../config/services.js';
import type { RunReport } from '../../../vm/report/report.js';

/** The directory of the run, if all of its events are there: it came to the end of its test. */
export async function judgeable(result: Result): Promise<string | undefined> {
  const { data } = result;
  if (typeof data !== 'object' || data === null || !('report' in data) || typeof data.report !== 'string')
    return undefined;
  const report: RunReport = JSON.parse(await readFile(data.report, 'utf8'));
  const { outcome } = report.result.guest;
  // A run in which they differed may have been stopped there.
  return outcome === 'passed' && report.result.exitCode === EXIT.passed ? dirname(data.report) : undefined;
}

/** In a process of its own, which has the model as it is now. Throws 'model-differs', and what `crosscheck` throws. */
export async function rejudge(
  directory: string,
  work: string,
  ports: {
    readonly processes: Processes;
    readonly environment: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<Result> {
  const { processes, environment, signal } = ports;
  const args = [...process.execArgv, process.argv[1] ?? '', 'crosscheck', directory, '--workdir', work];
  const lines: string[] = [];
  const { exitCode } = await processes.run(
    { file: process.execPath, args, env: { ...environment, NO_COLOR: '1' } },
    { signal, onLine: (line) => lines.push(line) },
  );
  signal.throwIfAborted();
  const [first = '', ...rest] = lines;
  if (exitCode === EXIT.passed) {
    return {
      exitCode,
      verdict: [`Cross-check  ${first}`, `Run          not again: the events in ${directory} were judged`],
    };
  }
  const code = exitCode === EXIT.differs ? 'model-differs' : 'internal';
  throw new StopwatchError(code, first.replace(/^Error: /, ''), { lastLines: rest, log: directory });
}
