// SPDX-License-Identifier: MIT
/** What is made of a run's saved files: its page, its comparison with another run, files for other programs. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { type BenchRow, benchPlots } from '../../vm/bench/summary.js';
import { compareRuns, comparisonPage, comparisonText } from '../../vm/report/compare.js';
import { readAssets } from '../../vm/report/page/assets.js';
import { pageData } from '../../vm/report/page/data.js';
import { runPage } from '../../vm/report/page/page.js';
import { type RecordedInstance, recordFiles } from '../../vm/report/page/recorder.js';
import type { Recording } from '../../vm/report/page/recording.js';
import { perfetto } from '../../vm/report/perfetto.js';
import { REPORT_SCHEMA, type RunReport } from '../../vm/report/report.js';
import { sketch } from '../../vm/report/sketch.js';
import { vcd } from '../../vm/report/vcd.js';
import { layoutOf } from '../build/layout.js';
import { runFiles } from '../build/machine.js';
import type { Result, Services } from '../config/services.js';
import { checkedInstances, readSavedCheck } from './saved-check.js';

export interface PageOptions {
  /** In the desktop's browser. */
  readonly open?: boolean | undefined;
  /** Files to write. */
  readonly vcd?: string | undefined;
  readonly perfetto?: string | undefined;
}

interface Run {
  readonly directory: string;
  readonly report: RunReport;
  readonly recording: Recording;
}

/** `report RUN`: makes its page again. */
export async function reportRun(services: Services, given: string, options: PageOptions): Promise<Result> {
  const run = await readRun(services, findRun(services, given));
  const { page } = runFiles(run.directory, '');
  await writePage(services, run);
  const lines = [`Picture      ${page}`];
  for (const [file, text] of [
    [options.vcd, vcd],
    [options.perfetto, perfetto],
  ] as const) {
    if (file === undefined) continue;
    await writeFile(file, text(run.recording));
    lines.push(`Written      ${file}`);
  }
  if (options.open) await openInBrowser(services, page);
  return { exitCode: EXIT.passed, verdict: lines, data: { page } };
}

/** `report A B`: what is different between them. */
export async function compare(
  services: Services,
  [one, other]: readonly [string, string],
  { open }: PageOptions,
): Promise<Result> {
  const before = await readRun(services, findRun(services, one));
  const after = await readRun(services, findRun(services, other));
  const comparison = compareRuns(before, after);
  const page = join(after.directory, `compared-with-${before.report.host.runId}.html`);
  const { style } = await readAssets(join(services.loaded.paths.package, 'dist'));
  await writeWhole(page, comparisonPage(comparison, style));
  if (open) await openInBrowser(services, page);
  return {
    exitCode: EXIT.passed,
    text: comparisonText(comparison),
    data: comparison,
    verdict: [`Picture      ${page}`],
  };
}

/** The page of a run that has just ended. */
export async function writePageOf(services: Services, directory: string): Promise<void> {
  await writePage(services, await readRun(services, directory));
}

export async function sketchOf(services: Services, directory: string): Promise<readonly string[]> {
  const { recording, report } = await readRun(services, directory);
  return sketch(recording, 100, pageData(recording, report).focus);
}

async function writePage(services: Services, { directory, report, recording }: Run): Promise<void> {
  const assets = await readAssets(join(services.loaded.paths.package, 'dist'));
  const { manifest: file } = report.host.files;
  const manifest: unknown = file === undefined ? undefined : await readJson(file);
  const { page, bench: measured } = runFiles(directory, '');
  const bench = benchPlots(benchRowsIn(await readJson(measured)));
  await writeWhole(page, runPage({ report, recording, manifest, bench }, assets));
}

/** None where the run is not one of `bench`. */
function benchRowsIn(saved: unknown): readonly BenchRow[] {
  return isBench(saved) ? saved.rows : [];
}

function isBench(value: unknown): value is { readonly rows: readonly BenchRow[] } {
  return typeof value === 'object' && value !== null && 'rows' in value && Array.isArray(value.rows);
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.partial`, text);
  await rename(`${file}.partial`, file);
}

/** Undefined where there is no such file, or it is broken. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A directory, a file in it, or the name of a report. Throws 'file-unreadable'. */
function findRun({ loaded }: Services, given: string): string {
  const { reports } = layoutOf(loaded.config, loaded.paths);
  const path = resolve(given);
  const found = [join(reports, given), path, dirname(path)].find((directory) =>
    existsSync(runFiles(directory, '').report),
  );
  // Not `latest`: its links would lead elsewhere after the next run.
  if (found !== undefined) return realpathSync(found);
  throw new StopwatchError('bad-usage', `There is no run ${given}, neither here nor in ${reports}`, {
    hint: 'npx stopwatch run-test-quit makes one; latest is the newest.',
  });
}

async function readRun(services: Services, directory: string): Promise<Run> {
  const files = runFiles(directory, '');
  const report = await readJson(files.report);
  if (!isReport(report)) {
    throw new StopwatchError('file-unreadable', `${files.report} is not a report of this version`, {
      hint: 'Run it again: npx stopwatch run-test-quit',
    });
  }
  const events = existsSync(files.events) ? files.events : undefined;
  const instances = await instancesOfRun(services, files.crosscheck, report);
  try {
    return { directory, report, recording: await recordFiles({ events, console: files.console }, instances) };
  } catch (cause) {
    throw new StopwatchError('file-unreadable', `Cannot read the logs in ${directory}`, { cause });
  }
}

function isReport(value: unknown): value is RunReport {
  return typeof value === 'object' && value !== null && 'schema' in value && value.schema === REPORT_SCHEMA;
}

/** The run's devices with their checkers, as far as the project still has them. */
async function instancesOfRun(
  services: Services,
  file: string,
  { result }: RunReport,
): Promise<readonly RecordedInstance[]> {
  const saved = await readSavedCheck(file);
  const known = await services.devices();
  const has = (name: string): boolean =>
    known.some(({ device }) => device.description.name === name && device.checker !== undefined);
  const instances = saved?.instances.filter(({ device }) => has(device)) ?? [];
  const checked = checkedInstances({ instances }, known);
  return result.devices.map(({ id, device }) => ({
    id,
    device,
    checked: checked.find((one) => one.id === id),
  }));
}

/** Where there is a desktop; elsewhere the path is what there is. */
async function openInBrowser(services: Services, page: string): Promise<void> {
  const processes = await services.processes();
  try {
    const { environment: env, signal } = services;
    const { exitCode } = await processes.run(
      { file: 'xdg-open', args: [page], cwd: dirname(page), env },
      { signal },
    );
    if (exitCode === 0) return;
  } catch (error) {
    if (!(error instanceof StopwatchError) || error.code === 'interrupted') throw error;
  }
  services.emit({
    type: 'notice',
    task: undefined,
    text: `xdg-open cannot open it; its address is file://${page}`,
  });
}
