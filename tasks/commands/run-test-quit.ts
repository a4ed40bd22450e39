// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { ALL_EXITS, type CommandDefinition, variantOption } from './define.js';

export const runTestQuit: CommandDefinition<{ readonly record?: true }> = {
  name: 'run-test-quit',
  summary: 'boot, test the device, power off, and judge the run',
  description:
    "Boots the VM, runs the guest's test, powers off, and judges every access of the device against the reference model. Deterministic, and the guest's sleeps cost nothing, unless --realtime is given. Builds what is stale first.",
  options: [
    variantOption(),
    new Option(
      '--record',
      'keep what `replay` needs to run the very same execution again, beside the report',
    ),
  ],
  exits: ALL_EXITS,
  examples: [
    ['run-test-quit', 'the verdict is in the exit code'],
    ['run-test-quit --realtime', "against the host's clock"],
    ['run-test-quit --driver builtin', 'with the driver in the kernel image'],
    ['run-test-quit --record', 'then: stopwatch replay'],
  ],
  builds: () => true,
  async run(services, { record = false }) {
    const { testRun } = await import('../boot/test-run.js');
    const args = ['run-test-quit', ...(record ? ['--record'] : [])];
    return testRun(services, { guest: 'test_and_quit', args, record, config: services.loaded.config });
  },
};
