// SPDX-License-Identifier: MIT
import { ALL_EXITS, type CommandDefinition, variantOption, forceOption } from './define.js';

export const all: CommandDefinition = {
  name: 'all',
  summary: 'fetch, patch and build everything, boot the VM, test the device, judge it',
  description:
    'Fetches and verifies QEMU, Linux and Busybox, patches and builds them, makes a root file system, boots the VM, runs the test in it, and judges every access of the device against the reference model. What is up to date is not done again.',
  options: [variantOption(), forceOption()],
  exits: ALL_EXITS,
  examples: [
    ['all', 'the whole way, from nothing or from what is there'],
    ['all --jobs 4 --no-install', 'four processes of a build at once, and no packages installed'],
    ['all --source linux=../linux', 'with a Linux tree of your own'],
  ],
  builds: () => true,
  async run(services) {
    const { testRun } = await import('../boot/test-run.js');
    const { config } = services.loaded;
    return testRun(services, { guest: 'test_and_quit', args: ['all'], record: false, config });
  },
};
