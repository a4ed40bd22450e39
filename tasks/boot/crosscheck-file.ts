// SPDX-License-Identifier: MIT
/** `crosscheck FILE`: checks a saved stream again. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkMachineFile, formatVerdict, type InstanceVerdict } from '../../vm/crosscheck/index.js';
import type { Result, Services } from '../config/services.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { isFatal } from '../../vm/console/splat.js';
import { instancesOf, type ProjectDevice } from '../../vm/device.js';
import type { Config } from '../config/schema.js';
import { modelSettings, runFiles } from '../build/machine.js';
import { checkedInstances, readSavedCheck, type SavedCheck } from './saved-check.js';

export async function crosscheckFile(
  services: Services,
  { file }: { readonly file: string },
): Promise<Result> {
  const { config } = services.loaded;
  const devices = await services.devices();
  const isDirectory = (await stat(file).catch(() => undefined))?.isDirectory() === true;
  const events = isDirectory ? runFiles(file, '').events : file;
  if (!existsSync(events)) {
    throw new StopwatchError('bad-usage', `There is no event stream ${events}`, {
      hint: 'The streams of earlier runs are .stopwatch/reports/<run>/events.log; latest leads to the last one.',
    });
  }
  const found = await stat(events);
  // A pipe has no size.
  if (found.isFile() && found.size === 0) {
    throw new StopwatchError('file-unreadable', `${events} is empty: that run recorded no events`, {
      hint: 'run records them with --crosscheck; run-test-quit always does.',
    });
  }
  const beside = runFiles(dirname(events), '');
  // As it was checked the first time, if that is known; else as a run of this configuration would be.
  const saved =
    join(dirname(events), 'events.log') === events ? await readSavedCheck(beside.crosscheck) : undefined;
  const check = saved ?? unsaved(config, devices);
  if (check.instances.length === 0) {
    throw new StopwatchError('bad-config', `No device of ${events} has a checker`);
  }
  const guest = check.instances.some((instance) => instance.guest);
  const verdicts = await checkMachineFile(events, checkedInstances(check, devices), {
    console: guest ? beside.console : undefined,
    signal: services.signal,
    isCrash: isFatal,
  }).catch((cause: unknown) => {
    throw new StopwatchError(
      'file-unreadable',
      `Cannot read ${events}${guest ? ` or ${beside.console}` : ''}`,
      { cause },
    );
  });
  const agree = verdicts.every(({ verdict }) => verdict.result === 'agree');
  return {
    exitCode: agree ? EXIT.passed : EXIT.differs,
    text: `${verdictLines(verdicts).join('\n')}\n`,
    data: verdicts,
  };
}

/** How a run of this configuration would be checked, without its guest's tests. */
function unsaved(config: Config, devices: readonly ProjectDevice[]): SavedCheck {
  const checked = instancesOf(devices, config.vm).filter(({ device }) => device.checker !== undefined);
  return {
    instances: checked.map((instance) => ({
      id: instance.id,
      device: instance.device.description.name,
      how: modelSettings(config, instance),
      guest: false,
      guestMayBeSilent: true,
      atLeast: {},
      monitor: null,
    })),
  };
}

/** Of several devices each with its id, those first that do not agree. */
function verdictLines(verdicts: readonly InstanceVerdict[]): readonly string[] {
  if (verdicts.length === 1) return verdicts.flatMap(({ verdict }) => formatVerdict(verdict));
  const agree = verdicts.filter(({ verdict }) => verdict.result === 'agree');
  const wrong = verdicts.filter(({ verdict }) => verdict.result !== 'agree');
  return [...wrong, ...agree].flatMap(({ id, verdict }) => [
    `${id}: ${formatVerdict(verdict).join('\n')}`,
    '',
  ]);
}
