// SPDX-License-Identifier: MIT
/** For tests: a machine whose QEMU is test/fixtures/qemu/fake-qemu.mjs. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import config from '../../config.js';
import { stopwatchDescription } from '../../device/stopwatch/description.js';
import { createProcesses } from '../../lib/process/process.js';
import { hostClock } from '../../vm/clock.js';
import type { BootPorts, BootRequest } from '../../vm/runner.js';
import type { Limits } from '../../vm/watchdog.js';

export const fakeQemu = fileURLToPath(new URL('../fixtures/qemu/fake-qemu.mjs', import.meta.url));

export const noLimits: Limits = {
  firstOutputSeconds: undefined,
  silenceSeconds: undefined,
  totalSeconds: undefined,
};

/** `steps`: what the fake does, see there. */
export function fakeRequest(
  directory: string,
  steps: readonly string[],
  different: Partial<BootRequest> = {},
): BootRequest {
  const log = (name: string): string => join(directory, name);
  return {
    parts: {
      files: { qemu: fakeQemu, kernel: '/none', initramfs: undefined, ext4: undefined },
      options: {
        nodev: false,
        rw: false,
        guest: 'test_and_quit',
        trace: true,
        vm: { ...config.vm, qemuArgs: steps.flatMap((step) => ['-fake', step]) },
      },
      device: stopwatchDescription,
      accelerator: 'tcg',
    },
    monitorPatterns: [],
    directory,
    logs: { console: log('console.log'), events: log('events.log'), qemu: log('qemu.log') },
    limits: noLimits,
    input: false,
    ...different,
  };
}

export function fakePorts(): BootPorts {
  return {
    processes: createProcesses(),
    clock: hostClock,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` },
    interrupt: new AbortController().signal,
  };
}
