// SPDX-License-Identifier: MIT
import { Argument, InvalidArgumentError, Option } from 'commander';
import { ALL_EXITS, type CommandDefinition, gdbOptions, gdbRequest } from './define.js';

interface Own {
  readonly gdb?: true;
  readonly gdbPort?: number;
  readonly foreign?: true;
  readonly at?: { readonly id: string | undefined; readonly seq: bigint };
}

export const replay: CommandDefinition<Own, [report: string]> = {
  name: 'replay',
  summary: 'run a recorded execution again, instruction by instruction, and judge it again',
  description:
    'Runs what `run-test-quit --record` recorded again: the same instructions, the same events, whatever was built since; the recording holds its own QEMU, kernel and root. Compares the events and the console with those of the recording, and judges them. With --gdb it stops before the instruction that makes an event, the divergence for one, and waits there for a debugger. Builds nothing.',
  args: [
    new Argument('[report]', "a report's directory below .stopwatch/reports, or its name").default('latest'),
  ],
  options: [
    new Option(
      '--foreign',
      'also a recording that was not made with this work directory: it holds the QEMU that is run, as you',
    ),
    ...gdbOptions("stop before the divergence's event"),
    new Option(
      '--at <[ID:]SEQ>',
      'with --gdb: before the event with this seq, of the device with this id where there are several',
    ).argParser(parseEvent),
  ],
  exits: ALL_EXITS,
  examples: [
    ['replay', 'the newest recording: the same events and the same verdict'],
    ['replay --gdb', 'stands before what made the divergence'],
    ['replay --gdb --at 559', 'or before any other event'],
  ],
  async run(services, { at, foreign = false, ...flags }, report) {
    const { replayRun } = await import('../boot/replay.js');
    return replayRun(services, { report, foreign, gdb: gdbRequest(flags), at });
  },
};

function parseEvent(text: string): Own['at'] {
  const [, id, seq] = /^(?:([a-z][a-z0-9_-]*):)?(\d{1,18})$/.exec(text) ?? [];
  if (seq === undefined)
    throw new InvalidArgumentError('Expected the seq of an event, such as 559 or lap:559.');
  return { id, seq: BigInt(seq) };
}
