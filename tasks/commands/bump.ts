// SPDX-License-Identifier: MIT
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { SourceName } from '../config/schema.js';
import type { App } from '../cli/app.js';
import { addHelp, BUILD_EXITS } from '../cli/help.js';
import type { Options } from '../cli/options.js';

interface Own {
  readonly sha256?: string;
  readonly force?: true;
}

export function addBump(program: Command, app: App): void {
  const command = program
    .command('bump')
    .summary('go to another release of QEMU, Linux or Busybox, if the patches fit it')
    .description(
      "Fetches a release, from where the configured one's places lead or from --source NAME=FILE or NAME=URL, checks its sha256, extracts it beside the present tree, tries the patches on it and says of each hunk whether it fits, has moved, or is rejected. Only if all fit, the configuration is changed: config.ts in a checkout, else stopwatch.config.*. The present tree stays as it is. With --source NAME=DIRECTORY a tree of your own is tried and configured. Without --sha256 the sum is said, and nothing is changed.",
    )
    .addArgument(new Argument('<part>', 'what').choices(['qemu', 'linux', 'busybox']))
    .addArgument(new Argument('[version]', 'the release, such as 6.12.101').argParser(parseVersion))
    .addOption(new Option('--sha256 <SUM>', 'of the archive, from whoever publishes it').argParser(parseSum))
    .option('--force', 'also when the present tree has edits that are in no patch')
    .action(async (part: SourceName, version: string | undefined, own: Own) => {
      const { source = [] }: Options = command.optsWithGlobals();
      return app.run({ builds: true, document: false, ownSource: true }, command, async (services, steps) =>
        (await steps()).bump(services, {
          part,
          version,
          sha256: own.sha256,
          source: source.find(({ name }) => name === part)?.path,
          force: own.force ?? false,
        }),
      );
    });
  addHelp(command, BUILD_EXITS, [
    ['stopwatch bump linux 6.12.101', 'say what its sum is, and change nothing'],
    ['stopwatch bump linux 6.12.101 --sha256 ba6df…', 'and to it, if the patches fit'],
    ['stopwatch bump busybox 1.38.0 --source busybox=busybox-1.38.0.tar.bz2 --sha256 34f9e…', 'from a file'],
    ['stopwatch bump qemu --source qemu=../qemu', 'to a tree of your own'],
  ]);
}

function parseVersion(text: string): string {
  if (!/^\d+(\.\d+)+(-rc\d+)?$/.test(text))
    throw new InvalidArgumentError('Expected a version such as 6.12.101.');
  return text;
}

function parseSum(text: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError('Expected 64 hexadecimal digits.');
  return text.toLowerCase();
}
