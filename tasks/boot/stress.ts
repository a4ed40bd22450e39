// SPDX-License-Identifier: MIT
/** `stress`: the driver under several processes at once, on several processors. */
import { instancesOf } from '../../vm/device.js';
import type { Config } from '../config/schema.js';
import { chooseDevice } from '../config/choose-device.js';
import type { Result, Services } from '../config/services.js';
import { testRun } from './test-run.js';

export interface StressOptions {
  /** For how long, in the guest; undefined: `rounds` says it. */
  readonly seconds: number | undefined;
  readonly rounds: number | undefined;
  /** Name of the device; needed where several can be stressed. */
  readonly device: string | undefined;
}

const DEFAULT_SECONDS = 20;
/** Processors of the guest, at least: what a single one cannot interleave. */
const CPUS = 4;

export async function stressDriver(services: Services, options: StressOptions): Promise<Result> {
  const all = await services.devices();
  const machine = instancesOf(all, services.loaded.config.vm);
  const { description } = chooseDevice(all, {
    name: options.device,
    can: 'be stressed',
    applies: ({ device, files }) =>
      files.stress !== undefined && machine.some((one) => one.device === device),
    hint: "It needs guest_fs/NAME/NAME_stress.sh, and a place among the machine's devices (vm.devices).",
  }).device;
  const device = description.name;
  const { seconds = options.rounds === undefined ? DEFAULT_SECONDS : undefined, rounds } = options;
  const args = [
    'stress',
    ...(options.device === undefined ? [] : ['--device', device]),
    ...(seconds === undefined ? [] : ['--seconds', String(seconds)]),
    ...(rounds === undefined ? [] : ['--rounds', String(rounds)]),
  ];
  const config = stressConfig(services.loaded.config, { seconds, rounds });
  return testRun(services, { args, guest: 'stress_and_quit', record: false, config, device });
}

/**
 * By the host's clock: only there do several processors run at the same time, and
 * a sleeping process lets others run. A kernel that looks after itself is slow.
 */
export function stressConfig(
  config: Config,
  { seconds, rounds }: Pick<StressOptions, 'seconds' | 'rounds'>,
): Config {
  const { vm } = config;
  // A round of the slowest test takes four seconds; everything that is done once, a minute.
  const expected = 60 + Math.max(seconds ?? 0, 12 * (rounds ?? 0));
  return {
    ...config,
    // A busy host serves timers late; too early is too early all the same.
    crosscheck: { ...config.crosscheck, slackMs: Math.max(config.crosscheck.slackMs, 10_000) },
    vm: {
      ...vm,
      clock: 'realtime',
      cpus: Math.max(vm.cpus, CPUS),
      append: [
        ...vm.append,
        ...(seconds === undefined ? [] : [`STRESS_SECONDS=${seconds}`]),
        ...(rounds === undefined ? [] : [`STRESS_ROUNDS=${rounds}`]),
      ],
      // It is there to make the kernel complain.
      splats: 'fail',
      firstOutputSeconds: Math.max(vm.firstOutputSeconds, 60),
      silenceSeconds: Math.max(vm.silenceSeconds * 5, 60),
      totalSeconds: Math.max(vm.totalSeconds, expected * 10),
    },
  };
}
