// SPDX-License-Identifier: MIT
/** Tasks whose result differs in a variant have their own names there, so that each keeps its record. Pure. */
import type { Variant } from '../config/variants.js';
import type { Task } from '../engine/task.js';
import { driverTaskOf } from './linux/drivers.js';

/** The plain build of QEMU, in a variant with its own `qemu:build` on top of it. */
export const PLAIN_QEMU = 'qemu:plain';

const EDITOR = ['editor:device', 'editor:commands'];
const MACHINE = ['guest:initramfs', 'guest:ext4', 'guest:disk', 'vm:devicetree', 'vm:manifest', ...EDITOR];

/** The other tasks are shared: the same result in the same place. */
const OWN: Readonly<Record<Variant, readonly string[]>> = {
  plain: [],
  sanitize: ['qemu:configure', 'qemu:build', ...MACHINE],
  coverage: ['qemu:build', ...MACHINE],
  debug: ['qemu:build', 'linux:configure', 'linux:build', ...MACHINE],
};

/** The name of `qemu:build` in a variant: `qemu:build@debug`. Other names stay as they are. */
export function nameIn(variant: Variant, name: string): string {
  const own = OWN[variant].includes(name) || (variant === 'debug' && name.startsWith(driverTaskOf('')));
  return own ? `${name}@${variant}` : name;
}

/** The tasks of a variant's graph under their own names. */
export function namedIn(variant: Variant, tasks: readonly Task[]): Task[] {
  const named = (name: string) => (name === PLAIN_QEMU ? 'qemu:build' : nameIn(variant, name));
  return tasks.map((task) => ({ ...task, name: named(task.name), deps: task.deps.map(named) }));
}
