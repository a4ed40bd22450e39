// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';
import type { CleanOptions } from './services.js';

export function addClean(program: Command, app: App): void {
  const command = program
    .command('clean')
    .summary('remove what was built')
    .description(
      'Removes the parts that are named from the work directory, and from that of the container, after saying what and how much that is, and asking. With no part named: what was built. Edits by hand that are in no patch, and what a guest wrote to its disk, are named and kept, with everything else, unless --force is given.',
    )
    .option('--builds', 'what was built: build directories, kept results, what a boot is made of, logs')
    .option('--sources', 'extracted source trees')
    .option('--reports', 'reports of earlier runs')
    .option('--downloads', 'the download cache, which other checkouts share')
    .option('--all', 'all of these, but for the downloads')
    .option(
      '--force',
      'do not ask, and lose edits; without a terminal, nothing is removed unless this is given',
    )
    .option('--dry-run', 'only say what would be removed, and what would be lost')
    .action(async (own: Partial<CleanOptions> & { readonly all?: true }) =>
      app.run({ builds: false, document: true }, command, async (services, steps) => {
        const [sources, reports] = [own.sources ?? own.all ?? false, own.reports ?? own.all ?? false];
        const downloads = own.downloads ?? false;
        return (await steps()).clean(services, {
          builds: (own.builds ?? own.all ?? false) || !(sources || reports || downloads),
          sources,
          reports,
          downloads,
          force: own.force ?? false,
          dryRun: own.dryRun ?? false,
        });
      }),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch clean', 'the next build starts from the extracted sources'],
    ['stopwatch clean --reports --downloads --dry-run', 'what these two take'],
    ['stopwatch clean --all --force', 'everything but the downloads, without a question'],
  ]);
}
