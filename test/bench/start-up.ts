// SPDX-License-Identifier: MIT
/**
 * What the tool adds to a boot: QEMU alone, the VM phase of `run-test-quit`
 * (boot, test, cross-check), and its whole process, in turn, with the same guest
 * and the same test. QEMU alone writes no trace and has no monitor socket.
 */
import { baseEnvironment } from '../../lib/environment.js';
import { spawnSync } from 'node:child_process';
import defaults from '../../config.js';
import { loadDevices } from '../../tasks/cli/devices.js';
import { machineParts } from '../../tasks/build/machine.js';
import { layoutOf } from '../../tasks/build/layout.js';
import { loadConfig } from '../../tasks/config/load.js';
import { instancesOf } from '../../vm/device.js';
import { qemuArguments } from '../../vm/qemu/command-line.js';

export interface StartUpOptions {
  readonly work: string;
  readonly rounds: number;
  /** Runs `run-test-quit`; gives the seconds of its process and of its VM phase. */
  readonly runTestQuit: () => Promise<{ readonly process: number; readonly vm: number }>;
}

export async function benchStartUp({ work, rounds, runTestQuit }: StartUpOptions): Promise<void> {
  const { config, paths } = await loadConfig({
    defaults,
    cwd: process.cwd(),
    environment: {},
    flags: [],
    workdir: work,
  });
  const instances = instancesOf(await loadDevices(config.devices, paths), config.vm);
  const parts = machineParts(config, layoutOf(config, paths), instances, {
    nodev: false,
    rw: false,
    guest: 'test_and_quit',
    trace: false,
  });
  const args = qemuArguments(parts, { qmp: undefined, events: undefined, monitorPatterns: [] });
  const qemu: number[] = [];
  const vm: number[] = [];
  const above: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const { status } = spawnSync(parts.files.qemu, args, {
      env: baseEnvironment(process.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (status !== 0) throw new Error(`QEMU ended with exit code ${status}`);
    qemu.push((performance.now() - started) / 1000);
    const run = await runTestQuit();
    vm.push(run.vm);
    above.push(run.process - run.vm);
  }
  const ratio = median(vm) / median(qemu);
  process.stdout.write(`run-test-quit in parts, medians of ${rounds} rounds
    QEMU alone, same guest and test, no trace  ${median(qemu).toFixed(2)} s
    VM phase                                   ${median(vm).toFixed(2)} s, ${ratio.toFixed(2)} times QEMU alone, wanted 1.15 at most
    the process above its VM phase             ${median(above).toFixed(2)} s, wanted 0.25 s at most
`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
