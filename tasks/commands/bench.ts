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
    "Boots the VM and runs the benches of its devices (guest_fs/NAME/NAME_bench.sh), in turn and in several rounds: once by the host's clock, with tracing off, for the times; and once with QEMU's trace and the cross-check, for the exits to devices, which QEMU counts. Prints the medians with their spread; the run's page has the plots. Builds what is stale first.",
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
