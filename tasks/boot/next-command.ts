// SPDX-License-Identifier: MIT
/** The command that shows something new after a run. Pure. */
import { commandLine } from '../../lib/process/command-line.js';
import { driverFunctions, isBlocked } from '../../vm/console/splat.js';
import type { Config } from '../config/schema.js';
import type { InstanceVerdict } from '../../vm/crosscheck/index.js';
import { decide } from '../../vm/report/exit-code.js';
import type { DeviceInstance } from '../../vm/device.js';
import type { BootResult } from '../../vm/types.js';
import type { RunDirectory } from '../build/machine.js';

interface Ran {
  readonly boot: Pick<BootResult, 'outcome' | 'splats'>;
  readonly verdicts: readonly InstanceVerdict[];
  readonly run: Pick<RunDirectory, 'id'>;
}

/** `recorded`: the run can be replayed. `devices`: those of its machine. `variant`: of its kernel. */
export function nextCommand(
  recorded: boolean,
  devices: readonly DeviceInstance[],
  variant: Config['build']['variant'],
) {
  return ({ boot: { outcome, splats }, verdicts: judged, run }: Ran): string => {
    const verdicts = judged.map(({ verdict }) => verdict);
    const { lead } = decide(outcome, verdicts);
    if (lead === 'none') {
      const partly = judged.filter(({ verdict }) =>
        verdict.covered?.groups.some(({ missing }) => missing.length > 0),
      );
      const searched = devices.find(
        ({ id, device }) => 'search' in device && partly.some((one) => one.id === id),
      );
      if (searched === undefined) return 'npx stopwatch run';
      return commandLine('fuzz', '--seconds', '20', '--device', searched.device.description.name);
    }
    if (recorded) return commandLine('replay', run.id, '--gdb');
    const inDevice = lead === 'access' || verdicts.some((verdict) => verdict.circumstances?.unfinished);
    if (inDevice) return 'npx stopwatch run --gdb-qemu';
    if (lead === 'invalid') return 'npx stopwatch run-test-quit --record';
    // A process that waits for a lock says where; who has the lock is known to lockdep.
    if (outcome === 'hung' && variant !== 'debug' && splats.length > 0 && splats.every(isBlocked))
      return commandLine('run-test-quit', '--variant', 'debug');
    const inDriver = splats.some((splat) => driverFunctions(splat).length > 0);
    return lead === 'guest' && (inDriver || outcome === 'hung')
      ? 'npx stopwatch run --gdb'
      : 'npx stopwatch run';
  };
}
