// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp } from '../cli/help.js';

export function addCrosscheck(program: Command, app: App): void {
  const command = program
    .command('crosscheck')
    .summary('judge a saved event stream again, without a VM')
    .description(
      "Judges the device's event stream of an earlier run against the reference model again. Needs no VM and builds nothing.",
    )
    .argument('<file>', "the stream, in its run's directory below .stopwatch/reports")
    .action(async (file: string) =>
      app.run({ builds: false, document: true }, command, async (services, steps) =>
        (await steps()).crosscheck(services, { file: resolve(file) }),
      ),
    );
  addHelp(
    command,
    ['passed', 'usage', 'differs', 'host', 'interrupted'],
    [['stopwatch crosscheck .stopwatch/reports/latest/events.log', 'the same verdict, in a moment']],
  );
}
