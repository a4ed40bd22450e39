// SPDX-License-Identifier: MIT
import { relative } from 'node:path';
import { Option } from 'commander';
import { EXIT } from '../../lib/errors.js';
import type { Result, Services } from '../config/services.js';
import { ALL_EXITS, type CommandDefinition } from './define.js';
import { TEST_OPTIONS, type TestOptions, testsRun } from './run-test-quit.js';

interface Own extends TestOptions {
  readonly list?: true;
}

export const test: CommandDefinition<Own> = {
  name: 'test',
  summary: 'the same as run-test-quit; with --list, name the tests',
  description:
    "Boots the VM, runs the guest's tests and judges the run, as `run-test-quit` does. With --list, it names the tests instead, in their order, and boots nothing. A device's tests are, in guest_fs/NAME/, the scripts `*_test.sh`, the C files `*_test.c`, which are compiled, and the executable files `*_test`.",
  options: [new Option('--list', 'name the tests, and boot nothing'), ...TEST_OPTIONS()],
  exits: ALL_EXITS,
  examples: [
    ['test', 'all tests, one after the other in one VM'],
    ['test --list', 'their names, for --only'],
    ["test --only 'stopwatch*'", 'those whose names match'],
  ],
  builds: ({ list }) => list !== true,
  run: async (services, { list, ...options }) =>
    list === true ? listTests(services, options) : testsRun(services, 'test', options),
};

async function listTests(services: Services, { only }: TestOptions): Promise<Result> {
  const [{ instancesOf }, { plannedTests }, { checkPatterns }] = await Promise.all([
    import('../../vm/device.js'),
    import('../../vm/guest-tests.js'),
    import('../boot/test-run.js'),
  ]);
  const { config, paths } = services.loaded;
  const devices = instancesOf(await services.devices(), config.vm);
  const options = {
    nodev: false,
    rw: false,
    guest: 'test_and_quit',
    trace: false,
    only,
    vm: config.vm,
  } as const;
  checkPatterns(devices, options);
  const tests = plannedTests({ devices, options }).map(
    ({ suite, id, device, test: { name, file, causes } }) => ({
      suite,
      id,
      device,
      name,
      file,
      causes: causes ?? null,
    }),
  );
  const rows = tests.map(({ suite, file, causes }) => [
    suite,
    relative(paths.project, file),
    Object.entries(causes ?? {})
      .map(([what, count]) => `${what}=${count}`)
      .join(' '),
  ]);
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const text = rows.map(([suite = '', file = '', causes = '']) =>
    `${suite.padEnd(width(0))}  ${file.padEnd(width(1))}  ${causes}`.trimEnd(),
  );
  return {
    exitCode: EXIT.passed,
    text: text.length === 0 ? 'The devices of this machine have no tests.\n' : `${text.join('\n')}\n`,
    data: tests,
  };
}
