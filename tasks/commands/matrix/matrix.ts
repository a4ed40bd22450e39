// SPDX-License-Identifier: MIT
/** `matrix`: the same project with several releases of Linux and QEMU, each with each. */
import { join, relative } from 'node:path';
import { EXIT, type ExitCode, StopwatchError } from '../../../lib/errors.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import { matrixXml } from '../../../vm/report/junit.js';
import type { RunReport } from '../../../vm/report/report.js';
import { testRun } from '../../boot/test-run.js';
import { TITLES } from '../../build/sources.js';
import { didYouMean } from '../../config/closest.js';
import type { Config, Source } from '../../config/schema.js';
import type { Result, Services } from '../../config/services.js';
import { derivedMirrors, summed } from '../bump/mirrors.js';
import type { Shard } from '../matrix.js';

interface MatrixOptions {
  readonly linux?: readonly string[];
  readonly qemu?: readonly string[];
  readonly only?: readonly string[];
  readonly shard?: Shard;
  readonly failFast?: true;
}

const PARTS = ['linux', 'qemu'] as const;
type Part = (typeof PARTS)[number];
type Pair = Readonly<Record<Part, string>>;

interface Outcome {
  readonly pair: Pair;
  readonly exitCode: ExitCode;
  readonly report: RunReport | undefined;
  /** Why there is no report. */
  readonly error: StopwatchError | undefined;
}

export async function testMatrix(services: Services, options: MatrixOptions): Promise<Result> {
  const { loaded, signal } = services;
  const { sources } = loaded.config;
  const { linux = [sources.linux.version], qemu = [sources.qemu.version], only, shard } = options;
  const all = pairs(linux, qemu);
  // All of them are looked up before anything is built.
  const cells = shareOf(all, shard).map((pair) => ({ pair, services: withReleases(services, pair) }));
  const outcomes: Outcome[] = [];
  for (const cell of cells) {
    let report: RunReport | undefined;
    let error: StopwatchError | undefined;
    try {
      await testRun(cell.services, {
        args: ['matrix', ...PARTS.flatMap((part) => [`--${part}`, cell.pair[part]])],
        guest: 'test_and_quit',
        record: false,
        config: cell.services.loaded.config,
        only,
        onReport: (made) => (report = made),
        manifest: false,
      });
    } catch (thrown) {
      const [first] = thrown instanceof AggregateError ? thrown.errors : [thrown];
      if (!(first instanceof StopwatchError) || signal.aborted) throw thrown;
      error = first;
    }
    const exitCode = report?.result.exitCode ?? error?.exitCode ?? EXIT.host;
    outcomes.push({ pair: cell.pair, exitCode, report, error });
    if (exitCode !== EXIT.passed && options.failFast) break;
  }
  const name = shard === undefined ? 'matrix.xml' : `matrix-${shard.index}-of-${shard.count}.xml`;
  const junit = join(loaded.paths.reports, name);
  await writeFileAtomic(
    junit,
    matrixXml(outcomes.map((one) => ({ ...one, name: nameOf(one.pair), error: one.error?.message }))),
  );
  const failed = outcomes.find(({ exitCode }) => exitCode !== EXIT.passed);
  return {
    exitCode: failed?.exitCode ?? EXIT.passed,
    text: [
      table(linux, qemu, outcomes),
      '',
      ...outcomes.map((one) => line(one, loaded.paths.project)),
      '',
      `JUnit: ${junit}`,
      '',
    ].join('\n'),
    data: {
      cells: outcomes.map(({ pair, exitCode, report, error }) => ({
        linux: pair.linux,
        qemu: pair.qemu,
        exitCode,
        verdict: verdictOf({ exitCode, report }),
        report: report?.host.files['report'] ?? null,
        error: error?.message ?? null,
      })),
      junit,
    },
    error: failed?.error,
  };
}

/** Those of one kernel one after the other: a part of them needs few builds. */
export function pairs(linux: readonly string[], qemu: readonly string[]): Pair[] {
  return [...new Set(linux)].flatMap((kernel) =>
    [...new Set(qemu)].map((machine) => ({ linux: kernel, qemu: machine })),
  );
}

/** Each pair is in one part. */
export function shareOf(
  all: readonly Pair[],
  { index, count }: Shard = { index: 1, count: 1 },
): readonly Pair[] {
  return all.filter((_, at) => Math.floor((at * count) / all.length) === index - 1);
}

/** The same project with these releases. Throws 'bad-usage' for one whose archive's sum is not known. */
export function withReleases<S extends Pick<Services, 'loaded'>>(services: S, pair: Pair): S {
  const { loaded } = services;
  const { config } = loaded;
  const beside = PARTS.filter((part) => pair[part] !== config.sources[part].version);
  const sources = Object.fromEntries(beside.map((part) => [part, releaseOf(config, part, pair[part])]));
  return {
    ...services,
    loaded: {
      ...loaded,
      config: { ...config, sources: { ...config.sources, ...sources } },
      paths: { ...loaded.paths, beside },
    },
  };
}

function releaseOf({ sources, releases }: Config, part: Part, version: string): Source {
  const source = sources[part];
  const sha256 = releases[part][version];
  if (source.tree !== null) {
    throw new StopwatchError(
      'bad-usage',
      `sources.${part}.tree is set: ${source.tree} is built, not ${TITLES[part]} ${version}`,
      {
        hint: `Leave --${part} out, or take that setting back.`,
      },
    );
  }
  if (sha256 === undefined) {
    const known = [source.version, ...Object.keys(releases[part])];
    throw new StopwatchError(
      'bad-usage',
      `The sha256 of ${TITLES[part]} ${version} is not known${didYouMean(version, known)}. There are: ${known.join(', ')}`,
      {
        hint: `npx stopwatch bump ${part} ${version} prints it; when you trust it, add it to releases.${part} of your configuration.`,
      },
    );
  }
  return { ...source, version, mirrors: [...summed(derivedMirrors(source, version), sha256)] };
}

const nameOf = ({ linux, qemu }: Pair): string => `Linux ${linux}, QEMU ${qemu}`;

function verdictOf({ exitCode, report }: Pick<Outcome, 'exitCode' | 'report'>): string {
  if (report === undefined) return exitCode === EXIT.host ? 'not built' : 'no verdict';
  return (
    { [EXIT.passed]: 'passed', [EXIT.differs]: 'differs' }[exitCode as number] ?? report.result.guest.outcome
  );
}

function line(outcome: Outcome, project: string): string {
  const { pair, report, error } = outcome;
  const where =
    report === undefined ? (error?.message ?? '') : relative(project, report.host.files['report'] ?? '');
  return `${nameOf(pair)}: ${verdictOf(outcome)}  ${where}`;
}

/** A row for each Linux, a column for each QEMU. */
function table(linux: readonly string[], qemu: readonly string[], outcomes: readonly Outcome[]): string {
  const rows = [
    ['', ...qemu.map((version) => `QEMU ${version}`)],
    ...linux.map((kernel) => [
      `Linux ${kernel}`,
      ...qemu.map((machine) => {
        const found = outcomes.find(({ pair }) => pair.linux === kernel && pair.qemu === machine);
        return found === undefined ? '-' : verdictOf(found);
      }),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
