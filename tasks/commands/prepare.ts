// SPDX-License-Identifier: MIT
import { Argument, type Command } from 'commander';
import type { SourceName } from '../config/schema.js';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';

export function addPrepare(program: Command, app: App): void {
  const command = program
    .command('prepare')
    .summary('fetch, verify and extract the sources, or one of them')
    .description(
      'Fetches QEMU, Linux and Busybox from the first place that has them, checks them against their sha256 and extracts them. With a name, only that one.',
    )
    .addArgument(new Argument('[part]', 'only this one').choices(['qemu', 'linux', 'busybox']))
    .action(async (part: SourceName | undefined) =>
      app.run({ builds: true, document: false }, command, async (services, steps) =>
        (await steps()).prepare(services, { part }),
      ),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch prepare', 'all three'],
    ['stopwatch prepare qemu', 'only QEMU'],
    ['stopwatch prepare --offline', 'only from what was downloaded before'],
  ]);
}
