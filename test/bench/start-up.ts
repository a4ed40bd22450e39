// SPDX-License-Identifier: MIT
/**
 * What the tool adds to a boot: QEMU alone, the VM phase of `run-test-quit`
 * (boot, test, cross-check), and its whole process, in turn, with the same guest
 * and the same test. QEMU alone writes no trace and has no monitor socket.
 * Then `exec -- true` in turn with QEMU alone, whose guest boots by the same clock and powers off.
 */
import { baseEnvironment } from '../../lib/environment.js';
import { spawnSync } from 'node:child_process';
import defaults from '../../config.js';
import { loadDevices } from '../../tasks/cli/devices.js';
import { machineParts } from '../../tasks/build/machine.js';
import { layoutOf } from '../../tasks/build/layout.js';
import type { Config } from '../../tasks/config/schema.js';
import { loadConfig } from '../../tasks/config/load.js';
import { instancesOf } from '../../vm/device.js';
import { qemuArguments } from '../../vm/qemu/command-line.js';

export interface StartUpOptions {
  readonly work: string;
  readonly rounds: number;
  /** Runs `run-test-quit`; gives the seconds of its process and of its VM phase. */
  readonly runTestQuit: () => Promise<{ readonly process: number; readonly vm: number }>;
  /** Runs `exec -- true`; gives the seconds of its process. */
  readonly exec: () => Promise<number>;
}

export async function benchStartUp({ work, rounds, runTestQuit, exec }: StartUpOptions): Promise<void> {
  const { config, paths } = await loadConfig({
    defaults,
    cwd: process.cwd(),
    environment: {},
    flags: [],
    workdir: work,
  });
  const instances = instancesOf(await loadDevices(config.devices, paths), config.vm);
  /** The seconds of QEMU alone. */
  const alone = (vm: Config['vm'], tested?: readonly string[]): number => {
    const options = { nodev: false, rw: false, guest: 'test_and_quit', trace: false, tested } as const;
    const parts = machineParts({ ...config, vm }, layoutOf(config, paths), instances, options);
    const args = qemuArguments(parts, { qmp: undefined, events: undefined, monitorPatterns: [] });
    const started = performance.now();
    const env = baseEnvironment(process.env);
    const { status } = spawnSync(parts.files.qemu, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (status !== 0) throw new Error(`QEMU ended with exit code ${status}`);
    return (performance.now() - started) / 1000;
  };
  const qemu: number[] = [];
  const vm: number[] = [];
  const above: number[] = [];
  for (let round = 0; round < rounds; round++) {
    qemu.push(alone(config.vm));
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
  const boots: number[] = [];
  const commands: number[] = [];
  for (let round = 0; round < rounds; round++) {
    boots.push(alone({ ...config.vm, clock: 'realtime' }, []));
    commands.push(await exec());
  }
  const more = median(commands) - median(boots);
  process.stdout.write(`exec -- true, medians of ${rounds} rounds
    QEMU alone, same guest, no test            ${median(boots).toFixed(2)} s
    exec -- true                               ${median(commands).toFixed(2)} s, ${more.toFixed(2)} s more, wanted 0.25 s at most
`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
