// SPDX-License-Identifier: MIT
/** The whole task graph, as a function of the configuration, and the targets of each command. */
import type { Config, SourceName } from '../config/schema.js';
import type { Task } from '../engine/task.js';
import type { Paths } from '../config/paths.js';
import { instancesOf, type ProjectDevice } from '../../vm/device.js';
import { deviceTreeTask } from './machine.js';
import { busyboxTasks } from './guest/busybox.js';
import { editorTasks } from './compile-commands.js';
import { diskTask } from './guest/disk.js';
import { GENERATED, generatedTask } from './generated.js';
import { programTasks } from './guest/guest-programs.js';
import { layoutOf } from './layout.js';
import { linuxTasks } from './linux/linux.js';
import { manifestTask } from './manifest.js';
import { qemuTasks } from './qemu/qemu.js';
import { QEMU_DEVICES } from './qemu/qemu-devices.js';
import { rootfsTasks } from './guest/rootfs.js';
import type { SourcePorts } from './sources.js';
import { namedBeside, namedIn } from './variant-names.js';

export function buildTasks(
  config: Config,
  paths: Paths,
  devices: readonly ProjectDevice[],
  ports: SourcePorts,
): Task[] {
  const layout = layoutOf(config, paths);
  const parts = [
    generatedTask(devices),
    ...qemuTasks(config, layout, devices, ports),
    ...linuxTasks(config, layout, devices, ports),
    ...busyboxTasks(config, layout, ports),
    ...programTasks(config, layout, devices),
    ...rootfsTasks(config, layout, devices),
    diskTask(config, layout, devices),
    deviceTreeTask(config, layout, instancesOf(devices, config.vm)),
    ...editorTasks(config, layout, devices),
  ];
  const tasks = namedIn(config.build.variant, [...parts, manifestTask(config, layout, devices, parts)]);
  return paths.beside === undefined ? tasks : namedBeside(config, paths.beside, tasks);
}

/** `prepare`: the trees exist. */
export function prepareTargets(part: SourceName | undefined): string[] {
  return (part === undefined ? (['qemu', 'linux', 'busybox'] as const) : [part]).map(
    (name) => `${name}:tree`,
  );
}

/** `patch`: the trees exist, patched and linked. */
export const PATCH_TARGETS = [GENERATED, QEMU_DEVICES, 'qemu:patch', 'linux:patch', 'busybox:tree'];

/** The targets for a boot. */
export function bootTargets(config: Config, options: { readonly rw: boolean } = { rw: false }): string[] {
  const root = config.vm.rootfs === 'ext4' ? 'guest:ext4' : 'guest:initramfs';
  return ['qemu:build', 'linux:build', options.rw ? 'guest:disk' : root, 'vm:devicetree'];
}

/** `update`: everything for a boot, its manifest, and the files for editors. */
export function updateTargets(config: Config): string[] {
  return [...bootTargets(config), 'vm:manifest', 'editor:commands'];
}
