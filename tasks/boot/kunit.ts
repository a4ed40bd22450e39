// SPDX-License-Identifier: MIT
/** `kunit`: boots the kernel of the variant `kunit`, and judges the results that KUnit leaves in debugfs. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { KtapParser } from '../../vm/console/ktap.js';
import type { KtapResult } from '../../vm/types.js';
import type { Config } from '../config/schema.js';
import type { Result, Services } from '../config/services.js';
import { execCommand } from './exec.js';
import { countTests, failedTests } from './test-run.js';

interface KunitOptions {
  readonly filter: string | undefined;
  /** Absolute path of a file with kernel options. */
  readonly kunitconfig: string | undefined;
  readonly verbose: boolean;
}

export async function kunitRun(
  services: Services,
  { filter, kunitconfig, verbose }: KunitOptions,
): Promise<Result> {
  const { loaded } = services;
  const { build, kernel, vm } = loaded.config;
  const config: Config = {
    ...loaded.config,
    build: { ...build, variant: 'kunit' },
    kernel: { ...kernel, config: [...kernel.config, ...(kunitconfig === undefined ? [] : [kunitconfig])] },
    vm: { ...vm, append: [...vm.append, ...(filter === undefined ? [] : [`kunit.filter_glob="${filter}"`])] },
  };
  const stdout = new PassThrough();
  const printed = text(stdout);
  await execCommand(
    { ...services, loaded: { ...loaded, config } },
    {
      // The suites have run: those of modules when they were loaded. A filter may leave none.
      command: ['sh', '-c', 'cat /sys/kernel/debug/kunit/*/results 2>/dev/null; true'],
      script: undefined,
      deterministic: true,
      verbose,
      stdout,
    },
  );
  stdout.end();
  const suites = suitesOf(await printed);
  if (suites.length === 0) {
    throw new StopwatchError(
      'bad-usage',
      `No KUnit suite has run${filter === undefined ? '' : `: none matches '${filter}'`}`,
      {
        hint: 'A driver’s suite is part of its module: docs/guest.md. Those of the kernel come with --kunitconfig.',
      },
    );
  }
  const count = `${suites.length} ${suites.length === 1 ? 'suite' : 'suites'}: ${countTests(suites)}`;
  const lines = [
    ...suites.flatMap((suite) => failedTests(suite)),
    ...suites.flatMap(({ problems }) => problems),
  ];
  const error =
    lines.length === 0
      ? undefined
      : new StopwatchError('test-failed', `KUnit: ${count}`, { lastLines: lines });
  return {
    exitCode: error?.exitCode ?? EXIT.passed,
    error,
    verdict: error === undefined ? [`KUnit        ${count}`] : [],
    data: { suites },
  };
}

/** A line of KTAP; KUnit explains a failure on others. */
const KTAP_LINE = /^ *(?:KTAP version|1\.\.|#|(?:not )?ok )/;

/** Each suite's file is a document of its own. */
export function suitesOf(results: string): KtapResult[] {
  return results
    .split(/^(?=KTAP version)/m)
    .filter((document) => document !== '')
    .map((document) => {
      const parser = new KtapParser();
      for (const line of document.trimEnd().split('\n'))
        parser.line(KTAP_LINE.test(line) ? line : line.replace(/^ */, '$&# '));
      return parser.end();
    });
}
