// SPDX-License-Identifier: MIT
import type { Command } from 'commander';
import type { App } from '../app.js';
import { addHelp, BUILD_EXITS } from '../help.js';
import type { CleanOptions } from '../../steps/services.js';

export function addClean(program: Command, app: App): void {
  const command = program
    .command('clean')
    .summary('remove what was built')
    .description(
      'Removes what was built from the work directory, after asking. Extracted sources, reports and downloads stay unless they are named.',
    )
    .option('--sources', 'extracted source trees too')
    .option('--reports', 'reports of earlier runs too')
    .option('--downloads', 'the download cache too, which other checkouts share')
    .option('--all', 'all of these, but for the downloads')
    .option('--force', 'do not ask; without a terminal, nothing is removed unless this is given')
    .option('--dry-run', 'only say what would be removed')
    .action(async (own: Partial<CleanOptions> & { readonly all?: true }) =>
      app.run({ builds: false, document: true }, command, async (services, steps) =>
        (await steps()).clean(services, {
          sources: own.sources === true || own.all === true,
          reports: own.reports === true || own.all === true,
          downloads: own.downloads === true,
          force: own.force === true,
          dryRun: own.dryRun === true,
        }),
      ),
    );
  addHelp(command, BUILD_EXITS, [
    ['stopwatch clean', 'the next build starts from the extracted sources'],
    ['stopwatch clean --all --force', 'everything but the downloads, without a question'],
  ]);
}
