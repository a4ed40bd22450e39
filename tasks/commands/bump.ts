// SPDX-License-Identifier: MIT
import { Argument, InvalidArgumentError, Option } from 'commander';
import type { SourceName } from '../config/schema.js';
import { BUILD_EXITS, type CommandDefinition } from './define.js';

interface Own {
  readonly sha256?: string;
  readonly force?: true;
}

export const bump: CommandDefinition<Own, [part: SourceName, version: string]> = {
  name: 'bump',
  summary: 'move to another release of QEMU, Linux or Busybox, if the patches fit',
  description:
    "Fetches a release, from the configured one's mirrors or from --source NAME=FILE or NAME=URL, checks its sha256, extracts it beside the present tree and applies the patches there. Where they do not fit, shows the conflict as git does, and the commands that merge it. Writes sources.json, in the project or the checkout, only if all fit. The present tree stays as it is. Without --sha256, prints the checksum, changes nothing, and ends with exit code 2.",
  args: [
    new Argument('<part>', 'what').choices(['qemu', 'linux', 'busybox']),
    new Argument('<version>', 'the release, such as 6.12.101').argParser(parseVersion),
  ],
  options: [
    new Option('--sha256 <SUM>', 'checksum of the archive, from its publisher').argParser(parseSum),
    new Option('--force', 'even if the present tree has edits that are in no patch'),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['bump linux 6.12.101', 'print its checksum, and change nothing'],
    ['bump linux 6.12.101 --sha256 ba6df…', 'move to it, if the patches fit'],
    ['bump busybox 1.38.0 --source busybox=busybox-1.38.0.tar.bz2 --sha256 34f9e…', 'from a file'],
  ],
  ownSource: true,
  builds: () => true,
  async run(services, { source = [], sha256, force = false }, part, version) {
    const from = source.find(({ name }) => name === part)?.path;
    const { bumpSource } = await import('./bump/bump.js');
    return bumpSource(services, { part, version, sha256, source: from, force });
  },
};

function parseVersion(text: string): string {
  if (!/^\d+(\.\d+)+(-rc\d+)?$/.test(text))
    throw new InvalidArgumentError('Expected a version such as 6.12.101.');
  return text;
}

function parseSum(text: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError('Expected 64 hexadecimal digits.');
  return text.toLowerCase();
}
