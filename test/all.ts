// SPDX-License-Identifier: MIT
/**
 * `npm test`: sets up the host, then static checks, unit tests, integration
 * tests and the real thing, end to end. All stages run, whatever fails before.
 * What failed is named again at the end, where a log that was cut still has it;
 * the last line is `N passed, N failed`.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { $, chalk } from 'zx';
import { SKIPPED } from './support/docker.js';

$.verbose = false;
$.nothrow = true;
$.stdio = ['ignore', 'inherit', 'inherit'];

interface Counts {
  passed: number;
  failed: number;
  /** A line for each test that failed, and what it says. */
  failures?: readonly string[];
  /** The whole stage could not be run here; it has said why. */
  skipped?: true;
}
interface Stage {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

/** Of vitest's JSON report. */
const reportSchema = z.object({
  numPassedTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      status: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});
/** Lines of a failed test's message that are told again. */
const TOLD_AGAIN = 12;
const results = join('.stopwatch', 'test-results');

/** One command that passes or fails as a whole. */
function command(name: string, ...argv: string[]): Stage {
  return {
    name,
    run: async () => {
      const { exitCode } = await $`${argv}`;
      return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    },
  };
}

/** A vitest project, run through another command if that is given. A run that reports no test at all has failed. */
function tests(project: string, ...through: string[]): Stage {
  return {
    name: `${project} tests`,
    run: async () => {
      const file = join(results, `${project}.json`);
      rmSync(file, { force: true });
      const { exitCode } =
        await $`${through} npx vitest run --project ${project} --reporter default --reporter json --outputFile ${file}`;
      if (through.length > 0 && exitCode === SKIPPED) return { passed: 0, failed: 0, skipped: true };
      let counts: Counts;
      try {
        const report = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
        const failures = failuresOf(report);
        counts = { passed: report.numPassedTests, failed: failures.length, failures };
      } catch {
        const message = `It ended with exit code ${exitCode} and left no report in ${file}.`;
        return { passed: 0, failed: 1, failures: [told(`${project} tests`, message)] };
      }
      const bad = exitCode !== 0 && counts.failed === 0;
      return bad || counts.passed === 0 ? { ...counts, failed: counts.failed + 1 } : counts;
    },
  };
}

/** The tests of a report that failed, and the files that could not be run at all. */
function failuresOf({ testResults }: z.infer<typeof reportSchema>): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative('.', name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0) return status === 'failed' ? [told(file, message)] : [];
    return failed.map((test) => told(`${file} > ${test.fullName}`, test.failureMessages.join('\n')));
  });
}

function told(what: string, message: string): string {
  const lines = stripVTControlCharacters(message).split('\n');
  const ours = lines.filter((line) => !line.includes('node_modules')).slice(0, TOLD_AGAIN);
  return [what, ...ours.map((line) => `    ${line}`)].join('\n');
}

const stages: readonly Stage[] = [
  command('host packages', 'node', 'dist/stopwatch.js', 'doctor', '--install', '--tests'),
  command('types', 'npm', 'run', '--silent', 'check:types'),
  command('lint', 'npm', 'run', '--silent', 'check:lint'),
  command('format', 'npm', 'run', '--silent', 'check:format'),
  command('guest scripts', 'npm', 'run', '--silent', 'check:guest'),
  tests('unit'),
  tests('integration'),
  tests('e2e'),
  tests('docker', 'node', '--import', 'jiti/register', 'test/support/with-dockerd.ts'),
];

mkdirSync(results, { recursive: true });
const wanted = process.argv.slice(2);
const chosen =
  wanted.length === 0 ? stages : stages.filter(({ name }) => wanted.some((w) => name.startsWith(w)));
const rows: string[] = [];
const allFailures: string[] = [];
const total: Counts = { passed: 0, failed: 0 };
for (const { name, run } of chosen) {
  process.stdout.write(`\n${chalk.bold(`== ${name}`)}\n`);
  const started = performance.now();
  const { passed, failed, failures = [], skipped } = await run();
  total.passed += passed;
  total.failed += failed;
  allFailures.push(...failures);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const outcome = skipped ? 'skip  ' : failed === 0 ? 'ok    ' : 'FAILED';
  const counts = skipped ? 'skipped, and said why' : `${passed} passed, ${failed} failed`;
  rows.push(`${outcome} ${name.padEnd(20)} ${seconds.padStart(7)} s  ${counts}`);
}
for (const failure of allFailures) process.stdout.write(`\n${chalk.red('FAILED')} ${failure}\n`);
process.stdout.write(`\n${rows.join('\n')}\n\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
