// SPDX-License-Identifier: MIT
/** The variant that counts: which lines and branches of the device a search has reached, by gcov. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { definitionAt, mask } from './search/mutate.js';
import type { DeviceDescription } from '../vm/device.js';
import { EXIT, type ExitCode, StopwatchError } from '../lib/errors.js';
import { readArguments } from './argued.js';
import { objectOf, sourceOf } from '../tasks/build/device-again.js';
import type { Layout } from '../tasks/build/layout.js';
import type { RelinkPorts } from '../tasks/build/relink.js';

function countsOf(layout: Layout, device: DeviceDescription): string {
  return objectOf(layout, device).replace(/\.o$/, '.gcda');
}

/** Forgets what was reached before. */
export async function forgetCoverage(layout: Layout, device: DeviceDescription): Promise<void> {
  await rm(countsOf(layout, device), { force: true });
}

/** A line, or a way out of one, that was never taken. */
export interface Unreached {
  readonly line: number;
  /** `line`, or `branch 2 of 4`. */
  readonly what: string;
  readonly text: string;
  /** Why no guest can reach it, where that has been argued. */
  readonly argued: string | undefined;
}

export interface Coverage {
  readonly lines: { readonly total: number; readonly reached: number };
  readonly branches: { readonly total: number; readonly reached: number };
  readonly unreached: readonly Unreached[];
}

/** What the QEMUs that have ended since `forgetCoverage` reached. */
export async function readCoverage(
  layout: Layout,
  device: DeviceDescription,
  ports: RelinkPorts,
): Promise<Coverage> {
  const counts = countsOf(layout, device);
  if (!existsSync(counts))
    throw new StopwatchError('output-missing', `No QEMU has written what it reached to ${counts}`);
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
  const source = await readFile(join(layout.device, target), 'utf8');
  const argued = await readArguments(layout.device, device.argued?.unreached);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- gcov's own format
  return coverageOf(JSON.parse(stdout) as GcovFile, basename(target), source, argued);
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

/** `argued`: `function: text of a line` to the reason why no guest reaches it, or one of its branches. */
export function coverageOf(
  gcov: GcovFile,
  name: string,
  source: string,
  argued: ReadonlyMap<string, string>,
): Coverage {
  const lines = gcov.files.filter(({ file }) => basename(file) === name).flatMap((file) => file.lines);
  const texts = source.split('\n');
  const masked = mask(source);
  const unreached: Unreached[] = [];
  const branches = { total: 0, reached: 0 };
  let reached = 0;
  for (const { line_number: line, count, branches: ways } of lines) {
    const text = (texts[line - 1] ?? '').trim();
    const where = definitionAt(masked, texts.slice(0, line).join('\n').length);
    const why = { line, text, argued: argued.get(`${where}: ${text}`) };
    if (count > 0) reached += 1;
    else unreached.push({ ...why, what: 'line' });
    branches.total += ways.length;
    for (const [index, way] of ways.entries()) {
      if (way.count > 0) branches.reached += 1;
      // Of a line that was never reached, that says it all.
      else if (count > 0) unreached.push({ ...why, what: `branch ${index + 1} of ${ways.length}` });
    }
  }
  return { lines: { total: lines.length, reached }, branches, unreached };
}

/** The coverage in words. What is neither reached nor argued fails: a search that does not reach it proves nothing about it. */
export function coverageWords({ lines, branches, unreached }: Coverage): {
  readonly exitCode: ExitCode;
  readonly verdict: readonly string[];
  readonly data: Coverage;
} {
  const missed = unreached.filter(({ argued }) => argued === undefined);
  return {
    exitCode: missed.length === 0 ? EXIT.passed : EXIT.testFailed,
    verdict: [
      `Coverage     lines ${lines.reached} of ${lines.total}, branches ${branches.reached} of ${branches.total}; ${unreached.length - missed.length} not reached and argued, ${missed.length} not reached`,
      ...missed.map(({ line, what, text }) => `Not reached  line ${line}, ${what}: ${text}`),
    ],
    data: { lines, branches, unreached },
  };
}
