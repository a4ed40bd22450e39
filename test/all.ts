// SPDX-License-Identifier: MIT
/**
 * `npm test [-- STAGE...]` and `npm run test:full [-- STAGE...]`. All stages run, even after one failed.
 * The end of the log repeats which tests failed and shows where the time went; its last line is
 * `N passed, N failed`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { $, chalk } from 'zx';
import { SKIPPED } from './support/docker.js';

$.verbose = false;
$.nothrow = true;
$.stdio = ['ignore', 'inherit', 'inherit'];

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** For each failed test its name and the start of its message. */
  readonly failures?: readonly string[];
  /** The stage cannot run here, and has printed why. */
  readonly skipped?: true;
  readonly files?: readonly { readonly name: string; readonly seconds: number }[];
}

interface Stage {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

/** Vitest's JSON report. */
const reportSchema = z.object({
  numPassedTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      status: z.string(),
      startTime: z.number(),
      endTime: z.number(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});
type Report = z.infer<typeof reportSchema>;

/** Lines of a failed test's message that are repeated at the end. */
const REPEATED_LINES = 12;
/** Files that took longer are listed at the end. */
const SLOW_SECONDS = 15;
const results = join('.stopwatch', 'test-results');
const throughDocker = ['node', '--import', 'jiti/register', 'test/support/with-dockerd.ts'];

/** A command that passes or fails as a whole. */
function command(name: string, ...argv: string[]): Stage {
  return {
    name,
    run: async () => {
      const { exitCode } = await $`${argv}`;
      return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, failures: [name] };
    },
  };
}

interface TestsOptions {
  /** The vitest project; `name` if absent. */
  readonly project?: string;
  /** Only these files. */
  readonly files?: readonly string[];
  /** A command that runs vitest. */
  readonly through?: readonly string[];
}

/** Tests of a vitest project. A run without a passed test has failed. */
function tests(name: string, { project = name, files = [], through = [] }: TestsOptions = {}): Stage {
  return {
    name,
    run: async () => {
      const file = join(results, `${name}.json`);
      rmSync(file, { force: true });
      const reporters = ['--reporter', 'default', '--reporter', 'json', '--outputFile', file];
      const { exitCode } = await $`${through} npx vitest run --project ${project} ${reporters} ${files}`;
      if (through.length > 0 && exitCode === SKIPPED) return { passed: 0, failed: 0, skipped: true };
      let report: Report;
      try {
        report = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      } catch {
        const message = `vitest ended with exit code ${exitCode} and left no report in ${file}`;
        return { passed: 0, failed: 1, failures: [failure(name, message)] };
      }
      const passed = report.numPassedTests;
      const failures = failuresIn(report);
      if (failures.length === 0 && (exitCode !== 0 || passed === 0))
        failures.push(failure(name, `vitest ended with exit code ${exitCode}; ${passed} tests passed`));
      return { passed, failed: failures.length, failures, files: timesIn(report) };
    },
  };
}

/** The failed tests, and the files that failed before their tests. */
function failuresIn({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative('.', name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0) return status === 'failed' ? [failure(file, message)] : [];
    return failed.map((test) => failure(`${file} > ${test.fullName}`, test.failureMessages.join('\n')));
  });
}

function failure(what: string, message: string): string {
  const lines = stripVTControlCharacters(message).split('\n');
  const ours = lines.filter((line) => !line.includes('node_modules')).slice(0, REPEATED_LINES);
  return [what, ...ours.map((line) => `    ${line}`)].join('\n');
}

function timesIn({ testResults }: Report): NonNullable<Outcome['files']> {
  return testResults
    .map(({ name, startTime, endTime }) => ({
      name: relative('.', name),
      seconds: (endTime - startTime) / 1000,
    }))
    .toSorted((a, b) => b.seconds - a.seconds);
}

const hostPackages = command('host packages', 'node', 'dist/stopwatch.js', 'doctor', '--install', '--tests');

const usualStages: readonly Stage[] = [
  hostPackages,
  command('types', 'npm', 'run', '--silent', 'check:types'),
  command('lint', 'npm', 'run', '--silent', 'check:lint'),
  command('format', 'npm', 'run', '--silent', 'check:format'),
  command('guest scripts', 'npm', 'run', '--silent', 'check:guest'),
  command('spelling and markdown', 'npm', 'run', '--silent', 'check:text'),
  tests('unit'),
  tests('integration'),
  tests('e2e'),
  tests('docker', { through: throughDocker }),
];

const full = (name: string, more: TestsOptions = {}): Stage =>
  tests(name, { project: 'full', files: [`test/full/${name}`], ...more });
const fullStages: readonly Stage[] = [
  hostPackages,
  full('kills'),
  full('reproducible'),
  full('own-device'),
  full('bump'),
  full('matrix'),
  full('kernel-tools'),
  full('compile-cache'),
  full('debug'),
  full('kunit'),
  full('page'),
  full('campaigns'),
  full('container', { through: throughDocker }),
];

function chosenFrom(stages: readonly Stage[], wanted: readonly string[]): readonly Stage[] {
  const unknown = wanted.filter((word) => !stages.some(({ name }) => name.startsWith(word)));
  if (unknown.length > 0) {
    const names = stages.map(({ name }) => `'${name}'`).join(', ');
    process.stderr.write(`No stage named '${unknown.join("', '")}'; expected one of ${names}\n`);
    process.exit(2);
  }
  if (wanted.length === 0) return stages;
  return stages.filter(({ name }) => wanted.some((word) => name.startsWith(word)));
}

const words = process.argv.slice(2);
const stages = chosenFrom(
  words.includes('--full') ? fullStages : usualStages,
  words.filter((word) => word !== '--full'),
);
mkdirSync(results, { recursive: true });
// One installation for all stages: see test/e2e/global-setup.ts.
const temporary =
  process.env['E2E_DIR'] === undefined ? mkdtempSync(join(tmpdir(), 'stopwatch-e2e-')) : undefined;
if (temporary !== undefined) {
  process.env['E2E_DIR'] = temporary;
  process.on('exit', () => rmSync(temporary, { recursive: true, force: true, maxRetries: 5 }));
}
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
const rows: string[] = [];
const failures: string[] = [];
const slow: string[] = [];
let [passed, failed] = [0, 0];
for (const { name, run } of stages) {
  process.stdout.write(`\n${chalk.bold(`== ${name}`)}\n`);
  const started = performance.now();
  const outcome = await run();
  passed += outcome.passed;
  failed += outcome.failed;
  failures.push(...(outcome.failures ?? []));
  const seconds = (performance.now() - started) / 1000;
  const word = outcome.skipped ? 'skip  ' : outcome.failed === 0 ? 'ok    ' : 'FAILED';
  const counts = outcome.skipped ? 'skipped' : `${outcome.passed} passed, ${outcome.failed} failed`;
  rows.push(`${word} ${name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s  ${counts}`);
  for (const file of outcome.files ?? [])
    if (file.seconds >= SLOW_SECONDS) slow.push(`${file.seconds.toFixed(1).padStart(7)} s  ${file.name}`);
}
for (const one of failures) process.stdout.write(`\n${chalk.red('FAILED')} ${one}\n`);
if (slow.length > 0) process.stdout.write(`\nFiles of ${SLOW_SECONDS} s and more:\n${slow.join('\n')}\n`);
process.stdout.write(`\n${rows.join('\n')}\n\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
