// SPDX-License-Identifier: MIT
/** A boot of what was built: its files, its device tree, and the run's directory. */
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Task } from '../engine/task.js';
import { baseEnvironment } from '../../lib/environment.js';
import { chooseAccelerator, hostFacts } from '../../vm/qemu/accelerator.js';
import type { MachineParts } from '../../vm/qemu/command-line.js';
import { type DeviceDescription, type ModelSettings, propertiesOf } from '../../vm/device.js';
import { dumpDeviceTree, findDevices, type DeviceNode } from '../../vm/qemu/devicetree.js';
import type { MonitorOptions } from '../../vm/crosscheck/index.js';
import type { BootOptions } from '../../vm/types.js';
import { errnoOf } from '../../lib/errno.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Layout } from './layout.js';

/** QEMU's own trace events that the cross-check compares with the device's. */
export const MONITOR_PATTERNS = [
  'memory_region_ops_read',
  'memory_region_ops_write',
  'gic_set_irq',
  'gicv3_dist_set_irq',
];

/** Everything one machine is made of, and why its accelerator was chosen. */
export function machineParts(
  config: Config,
  layout: Layout,
  device: DeviceDescription,
  options: Omit<BootOptions, 'vm'>,
): MachineParts & { readonly acceleratorReason: string } {
  const { accelerator, reason } = chooseAccelerator(hostFacts(), config.vm);
  // Only a disk keeps changes.
  const ext4 = options.rw || config.vm.rootfs === 'ext4';
  return {
    files: {
      qemu: layout.qemu,
      kernel: layout.kernel,
      initramfs: ext4 ? undefined : layout.initramfs,
      ext4: options.rw ? layout.disk : ext4 ? layout.ext4 : undefined,
    },
    options: { ...options, vm: config.vm },
    device,
    accelerator,
    acceleratorReason: reason,
  };
}

/** `vm:devicetree`: where the device is on the guest's bus, as QEMU says. The monitor needs it. */
export function deviceTreeTask(config: Config, layout: Layout, device: DeviceDescription): Task {
  const { vm } = config;
  return {
    name: 'vm:devicetree',
    title: 'VM: device tree',
    deps: ['qemu:build'],
    inputs: {
      values: {
        hardware: [vm.cpu, vm.cpus, vm.memoryMiB, vm.qemuArgs],
        properties: propertiesOf(device, vm),
      },
    },
    outputs: [layout.dtb, layout.dts],
    jobs: 'one',
    run: async (context) => {
      await mkdir(dirname(layout.dtb), { recursive: true });
      const parts = machineParts(config, layout, device, {
        nodev: false,
        rw: false,
        guest: 'shell',
        trace: false,
      });
      const dts = await dumpDeviceTree(layout.qemu, parts, { dtb: layout.dtb, dts: layout.dts }, context);
      theDevice(dts, device, layout.dts);
    },
  };
}

/** The one node of the device. Throws 'bad-config' when the machine has none or several. */
export function theDevice(dts: string, device: DeviceDescription, file: string): DeviceNode {
  const nodes = findDevices(dts, device.compatible);
  const [node] = nodes;
  if (node !== undefined && nodes.length === 1) return node;
  throw new StopwatchError(
    'bad-config',
    `${file}: expected one node compatible with "${device.compatible}", got ${nodes.length}`,
    {
      hint: 'QEMU makes the node in hw/core/sysbus-fdt.c: see the patches, and vm.qemuArgs for a second device.',
    },
  );
}

/** How the cross-check is to judge a boot of this configuration. */
export function modelSettings(config: Config, device: DeviceDescription): ModelSettings {
  const slackNs = config.vm.clock === 'icount' ? 0 : config.crosscheck.slackMs * 1e6;
  return { slackNs, properties: propertiesOf(device, config.vm) };
}

/** What the independent monitor must know, from the device tree. */
export async function monitorOptions(
  config: Config,
  layout: Layout,
  device: DeviceDescription,
): Promise<MonitorOptions | undefined> {
  if (!config.crosscheck.monitor) return undefined;
  const node = theDevice(await readFile(layout.dts, 'utf8'), device, layout.dts);
  // By the region's name in reg-names: QEMU's name for it is the device's and that one.
  const trapping = node.regions.find(({ name }) =>
    device.monitorRegions.some((region) => region.endsWith(name)),
  );
  const [interrupt] = node.interrupts;
  return {
    accesses: trapping === undefined ? {} : { base: trapping.address },
    ...(interrupt === undefined ? {} : { interrupt }),
  };
}

export interface RunDirectory {
  readonly id: string;
  readonly directory: string;
  readonly console: string;
  readonly events: string;
  readonly qemu: string;
  readonly report: string;
  readonly junit: string;
  /** How the events were judged: what `crosscheck FILE` needs to judge them again. */
  readonly crosscheck: string;
}

/** The files of a run in this directory. */
export function runFiles(directory: string, id: string): RunDirectory {
  const file = (name: string) => join(directory, name);
  return {
    id,
    directory,
    console: file('console.log'),
    events: file('events.log'),
    qemu: file('qemu.log'),
    report: file('report.json'),
    junit: file('junit.xml'),
    crosscheck: file('crosscheck.json'),
  };
}

/** A new directory for a run, named by the time; `latest` leads to it. */
export async function makeRunDirectory(layout: Layout, now: Date): Promise<RunDirectory> {
  await mkdir(layout.reports, { recursive: true });
  const stem = now.toISOString().replaceAll(':', '-').replace('Z', '');
  for (let attempt = 0; ; attempt++) {
    const id = attempt === 0 ? stem : `${stem}-${attempt}`;
    const directory = join(layout.reports, id);
    try {
      await mkdir(directory);
    } catch (error) {
      if (errnoOf(error).code === 'EEXIST') continue;
      throw error;
    }
    const latest = join(layout.reports, 'latest');
    await rm(latest, { force: true });
    await symlink(id, latest).catch(() => {}); // Only a convenience; another run may have been faster.
    return runFiles(directory, id);
  }
}

/** QEMU's environment. */
export function qemuEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return baseEnvironment(environment);
}
