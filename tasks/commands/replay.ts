// SPDX-License-Identifier: MIT
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { App } from '../cli/app.js';
import { addHelp, ALL_EXITS } from '../cli/help.js';
import { parsePort } from '../cli/options.js';

interface Own {
  readonly gdb?: number;
  readonly at?: bigint;
}

function parseSeq(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('Expected the seq of an event, such as 559.');
  return BigInt(text);
}

export function addReplay(program: Command, app: App): void {
  const command = program
    .command('replay')
    .summary('run a recorded execution again, instruction by instruction, and judge it again')
    .description(
      'Runs what `run-test-quit --record` recorded again: the same instructions, the same events, whatever was built since; the recording holds its own QEMU, kernel and root. Compares the events and the console with those of the recording, and judges them. With --gdb it stops before the instruction that makes an event, the divergence for one, and waits there for a debugger. Builds nothing.',
    )
    .argument('[report]', "a report's directory below .stopwatch/reports, or its name", 'latest')
    .addOption(
      new Option(
        '--gdb [PORT]',
        "stop before the divergence's event, wait at QEMU's gdb stub, and say the command that attaches",
      )
        .preset('1234')
        .argParser(parsePort),
    )
    .addOption(new Option('--at <SEQ>', 'with --gdb: before the event with this seq').argParser(parseSeq))
    .action(async (report: string, own: Own) =>
      app.run({ builds: false, document: false }, command, async (services, steps) =>
        (await steps()).replay(services, { report, gdb: own.gdb, at: own.at }),
      ),
    );
  addHelp(command, ALL_EXITS, [
    ['stopwatch replay', 'the newest recording: the same events and the same verdict'],
    ['stopwatch replay --gdb', 'stands before what made the divergence'],
    ['stopwatch replay --gdb --at 559', 'or before any other event'],
  ]);
}
