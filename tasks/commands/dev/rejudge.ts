// SPDX-License-Identifier: MIT
/** A changed model needs no VM: the events of the run before are judged again. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import type { Result, Services } from '../../config/services.js';
import type { RunReport } from '../../../vm/report/report.js';

/** The directory of the run, if all of its events are there: it came to the end of its test. */
export async function judgeable({ data }: Result): Promise<string | undefined> {
  if (typeof data !== 'object' || data === null || !('report' in data) || typeof data.report !== 'string')
    return undefined;
  const report: RunReport = JSON.parse(await readFile(data.report, 'utf8'));
  const { outcome } = report.result.guest;
  // A run in which they differed may have been stopped there.
  return outcome === 'passed' && report.result.exitCode === EXIT.passed ? dirname(data.report) : undefined;
}

/** Throws 'model-differs', and what `crosscheck` throws. */
export async function rejudge(services: Services, directory: string): Promise<Result> {
  const { crosscheckFile } = await import('../../boot/crosscheck-file.js');
  const { exitCode, text = '' } = await crosscheckFile(services, { file: directory });
  const [first = '', ...rest] = text.trimEnd().split('\n');
  if (exitCode !== EXIT.passed)
    throw new StopwatchError('model-differs', first, { lastLines: rest, log: directory });
  return {
    exitCode,
    verdict: [`Cross-check  ${first}`, `Run          not again: the events in ${directory} were judged`],
  };
}
