// SPDX-License-Identifier: MIT
/** A boot of what was built: its files, its device tree, and the run's directory. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Task } from '../engine/task.js';
import { chooseAccelerator, hostFacts } from '../../vm/qemu/accelerator.js';
import type { MachineParts } from '../../vm/qemu/command-line.js';
import type { DeviceInstance, ModelSettings } from '../../vm/device.js';
import { dumpDeviceTree, findDevices, type DeviceNode } from '../../vm/qemu/devicetree.js';
import type { MonitorOptions } from '../../vm/crosscheck/index.js';
import type { BootOptions } from '../../vm/types.js';
import { errnoOf } from '../../lib/errno.js';
import { StopwatchError } from '../../lib/errors.js';
import { linkAtomic } from '../../lib/files/atomic.js';
import { thisOwner } from '../../lib/process/owner.js';
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
  devices: readonly DeviceInstance[],
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
    devices,
    accelerator,
    acceleratorReason: reason,
  };
}

/** `vm:devicetree`: where the devices are on the guest's bus, as QEMU says. The monitors need it. */
export function deviceTreeTask(config: Config, layout: Layout, devices: readonly DeviceInstance[]): Task {
  const { vm } = config;
  return {
    name: 'vm:devicetree',
    title: 'VM: device tree',
    deps: ['qemu:build'],
    inputs: {
      values: {
        hardware: [vm.cpu, vm.cpus, vm.memoryMiB, vm.qemuArgs],
        devices: devices.map(({ id, device, properties }) => ({
          id,
          type: device.description.qemuType,
          regions: device.description.deviceTree?.regions ?? [],
          properties,
        })),
      },
    },
    outputs: [layout.dtb, layout.dts],
    jobs: 'one',
    run: async (context) => {
      await mkdir(dirname(layout.dtb), { recursive: true });
      const parts = machineParts(config, layout, devices, {
        nodev: false,
        rw: false,
        guest: 'shell',
        trace: false,
      });
      const dts = await dumpDeviceTree(layout.qemu, parts, { dtb: layout.dtb, dts: layout.dts }, context);
      for (const device of devices) nodeOf(dts, device, layout.dts);
    },
  };
}

/**
 * The node of a device, found by its label; undefined for one that has none. Throws 'bad-config' when it should have
 * one, and the machine has none or another number of regions.
 */
function nodeOf(
  dts: string,
  { id, device: { description } }: DeviceInstance,
  file: string,
): DeviceNode | undefined {
  const { deviceTree, name } = description;
  if (deviceTree === undefined) return undefined;
  const { regions } = deviceTree;
  const [compatible = ''] = [deviceTree.compatible].flat();
  const node = findDevices(dts, compatible).find(({ label }) => label === id);
  if (node === undefined) {
    throw new StopwatchError(
      'bad-config',
      `${file}: expected a node compatible with "${compatible}" whose label is "${id}", got none`,
      {
        hint: `QEMU makes the nodes of its platform bus in hw/core/sysbus-fdt.c. ${description.qemuType} must be a TYPE_DYNAMIC_SYS_BUS_DEVICE.`,
      },
    );
  }
  if (node.regions.length !== regions.length) {
    throw new StopwatchError(
      'bad-config',
      `${file}: expected ${regions.length} regions in the node of ${id} (${regions.join(', ')}), got ${node.regions.length}`,
      {
        hint: `deviceTree.regions in device/${name} has a name for each sysbus_init_mmio() of its C source, in order.`,
      },
    );
  }
  return node;
}

/** How the cross-check is to judge a device in a boot of this configuration. */
export function modelSettings(config: Config, { properties }: DeviceInstance): ModelSettings {
  const slackNs = config.vm.clock === 'icount' ? 0 : config.crosscheck.slackMs * 1e6;
  return { slackNs, properties };
}

/** The options of the independent monitors from the device tree, by the id of the device. */
export async function monitorOptions(
  config: Config,
  layout: Layout,
  devices: readonly DeviceInstance[],
): Promise<ReadonlyMap<string, MonitorOptions>> {
  const found = new Map<string, MonitorOptions>();
  if (!config.crosscheck.monitor) return found;
  const dts = await readFile(layout.dts, 'utf8');
  for (const instance of devices) {
    const node = nodeOf(dts, instance, layout.dts);
    const checker = instance.device.checker?.(modelSettings(config, instance));
    if (checker === undefined) continue;
    const region = node?.regions.find(({ name }) => name === checker.region);
    const [interrupt] = node?.interrupts ?? [];
    found.set(instance.id, {
      ...(checker.region === undefined
        ? {}
        : { accesses: region === undefined ? {} : { base: region.address } }),
      ...(interrupt === undefined ? {} : { interrupt }),
    });
  }
  return found;
}

export type RunDirectory = Readonly<ReturnType<typeof runFiles>>;

/** The files of a run in this directory. */
export function runFiles(directory: string, id: string) {
  const file = (name: string) => join(directory, name);
  return {
    id,
    directory,
    console: file('console.log'),
    events: file('events.log'),
    qemu: file('qemu.log'),
    report: file('report.json'),
    junit: file('junit.xml'),
    bench: file('bench.json'),
    /** The run as a picture; made once the verdict is printed. */
    page: file('report.html'),
    /** How the events were judged: what `crosscheck FILE` needs to judge them again. */
    crosscheck: file('crosscheck.json'),
    /** The process that runs it; removed once the report is written. */
    owner: file('owner.json'),
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
    const files = runFiles(directory, id);
    await writeFile(files.owner, JSON.stringify(thisOwner()));
    // Only a convenience; another run may have been faster.
    await linkAtomic(join(layout.reports, 'latest'), id).catch(() => {});
    return files;
  }
}
