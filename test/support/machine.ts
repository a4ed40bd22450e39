// SPDX-License-Identifier: MIT
/** For tests: a machine whose QEMU is test/fixtures/qemu/fake-qemu.mjs. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import config from '../../config.js';
import type { DeviceInstance } from '../../vm/device.js';
import { createProcesses } from '../../lib/process/process.js';
import { hostClock } from '../../vm/clock.js';
import type { BootPorts, BootRequest } from '../../vm/boot-request.js';
import type { Limits } from '../../vm/watchdog.js';

export const fakeQemu = fileURLToPath(new URL('../fixtures/qemu/fake-qemu.mjs', import.meta.url));

export const noLimits: Limits = {
  firstOutputSeconds: undefined,
  silenceSeconds: undefined,
  totalSeconds: undefined,
};

/** A stopwatch with a test, or what differs; `name`: of the device. */
export function anInstance(
  id = 'stopwatch',
  name = 'stopwatch',
  different: Partial<DeviceInstance> = {},
): DeviceInstance {
  const script = (kind: string) => ({
    file: `/p/guest_fs/${name}/${name}_${kind}.sh`,
    path: `/usr/bin/${name}_${kind}.sh`,
    mode: 0o755,
    name,
    causes: undefined,
  });
  const [test, stress] = [script('test'), script('stress')];
  return {
    id,
    device: {
      description: {
        name,
        qemuType: name,
        properties: {},
        traceEvents: { prefix: `${name}_`, text: '' },
      },
    },
    root: '/p',
    properties: {},
    files: {
      qemu: [`/p/device/${name}/${name}.c`],
      driver: { directory: `/p/driver/${name}`, module: name, names: ['Kbuild', `${name}.c`] },
      kernelConfig: undefined,
      guest: [test, stress],
      programs: [],
      tests: [test],
      stress,
    },
    ...different,
  };
}

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
      devices: [anInstance()],
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
