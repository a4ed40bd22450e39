// SPDX-License-Identifier: MIT
/**
 * `npm test`: sets up the host, then static checks, unit tests, integration
 * tests and the real thing, end to end. All stages run, whatever fails before;
 * the last line is `N passed, N failed`.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { $, chalk } from 'zx';
import { SKIPPED } from './support/docker.js';

$.verbose = false;
$.nothrow = true;
$.stdio = ['ignore', 'inherit', 'inherit'];

interface Counts {
  passed: number;
  failed: number;
  /** The whole stage could not be run here; it has said why. */
  skipped?: true;
}
interface Stage {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

/** Of vitest's JSON report. */
const reportSchema = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });
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
        counts = { passed: report.numPassedTests, failed: report.numFailedTests };
      } catch {
        return { passed: 0, failed: 1 };
      }
      const bad = exitCode !== 0 && counts.failed === 0;
      return bad || counts.passed === 0 ? { ...counts, failed: counts.failed + 1 } : counts;
    },
  };
}

const stages: readonly Stage[] = [
  command('host packages', 'node', 'dist/tasks/cli/main.js', 'doctor', '--install', '--tests'),
  command('types', 'npm', 'run', '--silent', 'check:types'),
  command('lint', 'npm', 'run', '--silent', 'check:lint'),
  command('format', 'npm', 'run', '--silent', 'check:format'),
  command('guest scripts', 'npm', 'run', '--silent', 'check:guest'),
  tests('unit'),
  tests('integration'),
  tests('e2e'),
  tests('docker', 'node', 'dist/test/support/with-dockerd.js'),
];

mkdirSync(results, { recursive: true });
const wanted = process.argv.slice(2);
const chosen =
  wanted.length === 0 ? stages : stages.filter(({ name }) => wanted.some((w) => name.startsWith(w)));
const rows: string[] = [];
const total: Counts = { passed: 0, failed: 0 };
for (const { name, run } of chosen) {
  process.stdout.write(`\n${chalk.bold(`== ${name}`)}\n`);
  const started = performance.now();
  const { passed, failed, skipped } = await run();
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const outcome = skipped ? 'skip  ' : failed === 0 ? 'ok    ' : 'FAILED';
  const counts = skipped ? 'skipped, and said why' : `${passed} passed, ${failed} failed`;
  rows.push(`${outcome} ${name.padEnd(20)} ${seconds.padStart(7)} s  ${counts}`);
}
process.stdout.write(`\n${rows.join('\n')}\n\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
