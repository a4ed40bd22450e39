// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { BUILD_EXITS, type CommandDefinition } from './define.js';

interface Own {
  readonly builds?: true;
  readonly sources?: true;
  readonly reports?: true;
  readonly downloads?: true;
  readonly all?: true;
  readonly force?: true;
  readonly dryRun?: true;
}

export const clean: CommandDefinition<Own> = {
  name: 'clean',
  summary: 'remove what was built',
  description:
    'Removes the named parts from the work directory and from that of the container, after listing them with their sizes and asking. Without a part, removes what was built. If manual edits that are in no patch, or what a guest wrote to its disk, would be lost, lists them and removes nothing, unless --force is given.',
  options: [
    new Option('--builds', 'what was built: build directories, the files for a boot, logs'),
    new Option('--sources', 'extracted source trees'),
    new Option('--reports', 'reports of earlier runs'),
    new Option('--downloads', 'the download cache, which other checkouts share'),
    new Option('--all', 'all of these except the downloads'),
    new Option(
      '--force',
      'do not ask, and lose edits; without a terminal, nothing is removed unless this is given',
    ),
    new Option('--dry-run', 'only print what would be removed and lost'),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['clean', 'the next build starts from the extracted sources'],
    ['clean --reports --downloads --dry-run', 'the sizes of these two'],
    ['clean --all --force', 'everything except the downloads, without a question'],
  ],
  document: true,
  async run(services, { all = false, force = false, dryRun = false, ...own }) {
    const { sources = all, reports = all, downloads = false } = own;
    const builds = (own.builds ?? all) || !(sources || reports || downloads);
    const { cleanWork } = await import('./clean/clean.js');
    return cleanWork(services, { builds, sources, reports, downloads, force, dryRun });
  },
};
