// SPDX-License-Identifier: MIT
/** Reports the lines and branches of the device that a search has reached, from gcov's counts. The `coverage` variant of QEMU counts them. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { EXIT, StopwatchError } from '../lib/errors.js';
import { objectOf, sourceOf } from '../tasks/build/qemu/device-again.js';
import type { Layout } from '../tasks/build/layout.js';
import type { RelinkPorts } from '../tasks/build/qemu/relink.js';
import type { ProjectDevice } from '../vm/device.js';
import type { FuzzResult } from './fuzz-report.js';
import { definitionAt, maskC } from './mutate.js';
import type { AnySearch, Waivers } from './search/search.js';

function countsOf(layout: Layout, device: ProjectDevice): string {
  return objectOf(layout, device).replace(/\.o$/, '.gcda');
}

/** Discards earlier counts. */
export async function forgetCoverage(layout: Layout, device: ProjectDevice): Promise<void> {
  await rm(countsOf(layout, device), { force: true });
}

/** A line, or a branch of one, that was never reached. */
export interface Unreached {
  readonly line: number;
  /** `line`, or `branch 2 of 4`. */
  readonly what: string;
  readonly text: string;
  /** Why no guest can reach it. */
  readonly waiver: string | undefined;
}

export interface Coverage {
  readonly lines: { readonly total: number; readonly reached: number };
  readonly branches: { readonly total: number; readonly reached: number };
  readonly unreached: readonly Unreached[];
}

/** Adds the coverage of all QEMUs since `forgetCoverage`. The result fails if a line or branch is neither reached nor waived. */
export async function withCoverage(
  result: FuzzResult,
  layout: Layout,
  device: ProjectDevice,
  search: AnySearch,
  ports: RelinkPorts,
): Promise<FuzzResult> {
  const counts = countsOf(layout, device);
  if (!existsSync(counts))
    throw new StopwatchError('output-missing', `No QEMU has written its coverage to ${counts}`);
  const { exitCode, stdout } = await ports.processes.run(
    {
      file: 'gcov',
      args: ['--json-format', '--stdout', '--branch-probabilities', counts],
      cwd: dirname(counts),
      env: ports.env,
    },
    { signal: ports.signal, capture: true },
  );
  if (exitCode !== 0) throw new StopwatchError('command-failed', `gcov cannot read ${counts}`);
  const { target } = sourceOf(device);
  const source = await readFile(target, 'utf8');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gcov's own format
  const gcov = JSON.parse(stdout) as GcovFile;
  const coverage = coverageOf(gcov, basename(target), source, search.waivers.unreached);
  const missed = missedOf(coverage);
  return {
    ...result,
    exitCode: missed.length === 0 ? result.exitCode : EXIT.testFailed,
    verdict: [...result.verdict, ...coverageLines(coverage)],
    data: { ...result.data, coverage },
  };
}

/** The part of gcov's format (version 1 and 2) that is used. */
export interface GcovFile {
  readonly files: readonly {
    readonly file: string;
    readonly lines: readonly {
      readonly line_number: number;
      readonly count: number;
      readonly branches: readonly { readonly count: number }[];
    }[];
  }[];
}

/** `waivers`: reasons by `function: text of the line`. */
export function coverageOf(
  gcov: GcovFile,
  name: string,
  source: string,
  waivers: Waivers['unreached'],
): Coverage {
  const lines = gcov.files.filter(({ file }) => basename(file) === name).flatMap((file) => file.lines);
  const texts = source.split('\n');
  const masked = maskC(source);
  const unreached: Unreached[] = [];
  const total = { total: 0, reached: 0 };
  let reached = 0;
  for (const { line_number: line, count, branches } of lines) {
    const text = (texts[line - 1] ?? '').trim();
    const where = definitionAt(masked, texts.slice(0, line).join('\n').length);
    const place = { line, text, waiver: waivers[`${where}: ${text}`] };
    if (count > 0) reached += 1;
    else unreached.push({ ...place, what: 'line' });
    total.total += branches.length;
    for (const [index, branch] of branches.entries()) {
      if (branch.count > 0) total.reached += 1;
      // The branches of an unreached line are not listed.
      else if (count > 0) unreached.push({ ...place, what: `branch ${index + 1} of ${branches.length}` });
    }
  }
  return { lines: { total: lines.length, reached }, branches: total, unreached };
}

/** Lines and branches that were not reached and have no waiver. */
export function missedOf({ unreached }: Coverage): readonly Unreached[] {
  return unreached.filter(({ waiver }) => waiver === undefined);
}

function coverageLines(coverage: Coverage): readonly string[] {
  const { lines, branches, unreached } = coverage;
  const missed = missedOf(coverage);
  return [
    `Coverage     lines ${lines.reached} of ${lines.total}, branches ${branches.reached} of ${branches.total}; ${unreached.length - missed.length} not reached and waived, ${missed.length} not reached`,
    ...missed.map(({ line, what, text }) => `Not reached  line ${line}, ${what}: ${text}`),
  ];
}
