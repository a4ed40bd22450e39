// SPDX-License-Identifier: MIT
/** The command that shows something new after a run. Pure. */
import { commandLine } from '../../lib/process/command-line.js';
import { driverFunctions } from '../../vm/console/splat.js';
import type { InstanceVerdict } from '../../vm/crosscheck/index.js';
import { decide } from '../../vm/report/exit-code.js';
import type { BootResult } from '../../vm/types.js';
import type { RunDirectory } from '../build/machine.js';

interface Ran {
  readonly boot: Pick<BootResult, 'outcome' | 'splats'>;
  readonly verdicts: readonly InstanceVerdict[];
  readonly run: Pick<RunDirectory, 'id'>;
}

/** `recorded`: the run can be replayed. */
export function nextCommand(recorded: boolean) {
  return ({ boot: { outcome, splats }, verdicts: judged, run }: Ran): string => {
    const verdicts = judged.map(({ verdict }) => verdict);
    const { lead } = decide(outcome, verdicts);
    if (lead === 'none') {
      const groups = verdicts.flatMap(({ covered }) => covered?.groups ?? []);
      const isMissing = groups.some(({ missing }) => missing.length > 0);
      return isMissing ? 'npx stopwatch fuzz --seconds 20' : 'npx stopwatch run';
    }
    if (recorded) return commandLine('replay', run.id, '--gdb');
    const inDevice = lead === 'access' || verdicts.some((verdict) => verdict.circumstances?.unfinished);
    if (inDevice) return 'npx stopwatch run --gdb-qemu';
    if (lead === 'invalid') return 'npx stopwatch run-test-quit --record';
    const inDriver = splats.some((splat) => driverFunctions(splat).length > 0);
    return lead === 'guest' && (inDriver || outcome === 'hung')
      ? 'npx stopwatch run --gdb'
      : 'npx stopwatch run';
  };
}
