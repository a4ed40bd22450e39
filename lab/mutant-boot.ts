// SPDX-License-Identifier: MIT
/** A faulty QEMU, judged as `run-test-quit` judges a right one. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../tasks/config/schema.js';
import type { TaskContext } from '../tasks/engine/task.js';
import { EXIT } from '../lib/errors.js';
import { summary } from '../vm/crosscheck/index.js';
import type { Device } from '../vm/device.js';
import { checkedRun } from '../tasks/boot/checked-run.js';
import type { Layout } from '../tasks/build/layout.js';

export interface BootVerdict {
  /** Who saw it: the model, the guest's own test, or whoever waited for QEMU. Undefined: nobody. */
  readonly killer: 'cross-check' | 'guest' | 'crash' | undefined;
  readonly seconds: number;
  /** In a line: what was wrong. */
  readonly what: string;
}

/** A good boot takes under a second; one that hangs need not be waited for as long as a user's. */
const LIMITS = { firstOutputSeconds: 10, silenceSeconds: 10, totalSeconds: 30 };

/** `qemu`: the faulty program. All else is what a boot of ours has; `directory` is for its reports. */
export async function bootMutant(
  qemu: string,
  request: {
    readonly config: Config;
    readonly layout: Layout;
    readonly device: Device;
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
  },
  { processes, signal }: Pick<TaskContext, 'processes' | 'signal'>,
): Promise<BootVerdict> {
  const { config, layout, device, directory, environment } = request;
  const reports = join(directory, 'boot');
  const started = performance.now();
  const { report } = await checkedRun(
    {
      config: { ...config, vm: { ...config.vm, ...LIMITS } },
      layout: { ...layout, qemu, reports },
      device,
      stages: [],
      compileCache: undefined,
      next: () => '',
      options: { nodev: false, rw: false, guest: 'test_and_quit', trace: true },
      command: 'npx stopwatch mutants',
    },
    { processes, environment, signal },
  );
  await rm(reports, { recursive: true, force: true });
  const seconds = (performance.now() - started) / 1000;
  const { exitCode, guest, verdict } = report.result;
  if (exitCode === EXIT.passed) return { killer: undefined, seconds, what: 'nothing differs' };
  if (exitCode === EXIT.differs)
    return { killer: 'cross-check', seconds, what: verdict === null ? '' : summary(verdict) };
  return { killer: exitCode === EXIT.testFailed ? 'guest' : 'crash', seconds, what: guest.reason };
}
