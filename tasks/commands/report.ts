// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { Argument, Option } from 'commander';
import { StopwatchError } from '../../lib/errors.js';
import type { CommandDefinition } from './define.js';

interface Own {
  readonly open?: true;
  readonly vcd?: string;
  readonly perfetto?: string;
}

export const report: CommandDefinition<Own, [run: string, other: string | undefined]> = {
  name: 'report',
  summary: 'a picture of a run, or what is different between two',
  description:
    'Makes report.html beside the report.json of a run: the verdict, the devices as waveforms over virtual time, every event and line of the console, coverage, the build. One file, which needs no network. Of two runs it prints what is different and where their events part. Needs no VM and builds nothing.',
  args: [
    new Argument('[run]', "a report's directory below .stopwatch/reports, or its name").default('latest'),
    new Argument('[other]', 'another run, to compare the first one with'),
  ],
  options: [
    new Option('--open', "show it in the desktop's browser"),
    new Option('--vcd <FILE>', 'write the waveforms for GTKWave or Surfer, too'),
    new Option('--perfetto <FILE>', 'write a trace for ui.perfetto.dev, too'),
  ],
  exits: ['passed', 'usage', 'host', 'interrupted'],
  examples: [
    ['report --open', 'shows the newest run'],
    ['report --vcd run.vcd', 'its waveforms for GTKWave'],
    ['report 2026-01-02T03-04-05.678 latest', 'what is different between two runs'],
  ],
  document: true,
  async run(services, { open, vcd, perfetto }, run, other) {
    const { compare, reportRun } = await import('../boot/run-page.js');
    const options = {
      open,
      vcd: vcd === undefined ? undefined : resolve(vcd),
      perfetto: perfetto === undefined ? undefined : resolve(perfetto),
    };
    if (other === undefined) return reportRun(services, run, options);
    if (vcd === undefined && perfetto === undefined) return compare(services, [run, other], options);
    throw new StopwatchError('bad-usage', '--vcd and --perfetto write one run, and two were named', {
      hint: 'npx stopwatch report RUN --vcd FILE',
    });
  },
};
