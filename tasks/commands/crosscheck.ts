// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { Argument } from 'commander';
import type { CommandDefinition } from './define.js';

export const crosscheck: CommandDefinition<object, [file: string]> = {
  name: 'crosscheck',
  summary: 'judge a saved event stream again, without a VM',
  description:
    "Judges the device's event stream of an earlier run against the reference model again. Needs no VM and builds nothing.",
  args: [new Argument('<file>', "the stream, in its run's directory below .stopwatch/reports")],
  exits: ['passed', 'usage', 'differs', 'host', 'interrupted'],
  examples: [['crosscheck .stopwatch/reports/latest/events.log', 'the same verdict, in a moment']],
  document: true,
  async run(services, _, file) {
    const { crosscheckFile } = await import('../boot/crosscheck-file.js');
    return crosscheckFile(services, { file: resolve(file) });
  },
};
