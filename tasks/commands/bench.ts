// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { ALL_EXITS, type CommandDefinition } from './define.js';

interface Own {
  readonly check?: true;
}

export const bench: CommandDefinition<Own> = {
  name: 'bench',
  summary: 'measure what an access to a device costs, and count the exits that it causes',
  description:
    "Runs the benches of the VM's devices (guest_fs/NAME/NAME_bench.sh or .c) in two boots. The first measures times: five rounds by the host's clock, without tracing. The second counts exits to devices: one round with QEMU's trace and the cross-check. Prints medians and spread; the run's page has the plots. Builds what is stale first.",
  options: [
    new Option(
      '--check',
      'only count, and end with exit code 1 if an operation makes another number of exits than its bench expects',
    ),
  ],
  exits: ALL_EXITS,
  examples: [
    ['bench', 'times and counts'],
    ['bench --check', 'counts alone: for CI'],
  ],
  document: true,
  builds: () => true,
  async run(services, { check = false }) {
    const { bench: run } = await import('../boot/bench.js');
    return run(services, { check });
  },
};
