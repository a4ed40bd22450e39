// SPDX-License-Identifier: MIT
/** `crosscheck FILE`: checks a saved stream again. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatVerdict } from '../../vm/crosscheck/index.js';
import type { Result, Services } from '../config/services.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { modelSettings, runFiles } from '../build/machine.js';
import { checkOptionsOf, readSavedCheck } from './saved-check.js';

export async function crosscheckFile(
  services: Services,
  { file }: { readonly file: string },
): Promise<Result> {
  const { config } = services.loaded;
  const device = await services.device();
  const isDirectory = (await stat(file).catch(() => undefined))?.isDirectory() === true;
  const events = isDirectory ? runFiles(file, '').events : file;
  if (!existsSync(events)) {
    throw new StopwatchError('file-unreadable', `There is no event stream ${events}`, {
      hint: 'The streams of earlier runs are .stopwatch/reports/<run>/events.log; latest leads to the last one.',
    });
  }
  if ((await stat(events)).size === 0) {
    throw new StopwatchError('file-unreadable', `${events} is empty: that run recorded no events`, {
      hint: 'run records them with --crosscheck; run-test-quit always does.',
    });
  }
  const beside = runFiles(dirname(events), '');
  // As it was checked the first time, if that is known; else as a run of this configuration would be.
  const saved =
    join(dirname(events), 'events.log') === events ? await readSavedCheck(beside.crosscheck) : undefined;
  const how = saved?.how ?? modelSettings(config, device.description);
  const guest = saved?.guest === true;
  const verdict = await device
    .checkFile(events, how, {
      ...(saved && checkOptionsOf(saved)),
      guest,
      console: guest ? beside.console : undefined,
      signal: services.signal,
    })
    .catch((cause: unknown) => {
      throw new StopwatchError(
        'file-unreadable',
        `Cannot read ${events}${guest ? ` or ${beside.console}` : ''}`,
        { cause },
      );
    });
  return {
    exitCode: verdict.result === 'agree' ? EXIT.passed : EXIT.differs,
    text: `${formatVerdict(verdict).join('\n')}\n`,
    data: verdict,
  };
}
