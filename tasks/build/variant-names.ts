// SPDX-License-Identifier: MIT
/** Tasks that make something else in a variant have names of their own there: what is known of one outlives a run of the other. Pure. */
import type { Variant } from '../config/variants.js';
import type { Task } from '../engine/task.js';

/** The plain build of QEMU, in a variant that has a `qemu:build` of its own on top of it. */
export const PLAIN_QEMU = 'qemu:plain';

const EDITOR = ['editor:device', 'editor:commands'];
const MACHINE = ['guest:initramfs', 'guest:ext4', 'guest:disk', 'vm:devicetree', 'vm:manifest', ...EDITOR];

/** The others are shared: what they make is the same in the same place. */
const OWN: Readonly<Record<Variant, readonly string[]>> = {
  plain: [],
  sanitize: ['qemu:configure', 'qemu:build', ...MACHINE],
  coverage: ['qemu:build', ...MACHINE],
  debug: ['qemu:build', 'linux:configure', 'linux:build', 'driver:module', ...MACHINE],
};

/** `qemu:build` as it is called in a variant: `qemu:build@debug`. Other names, and such names, stay as they are. */
export function nameIn(variant: Variant, name: string): string {
  return OWN[variant].includes(name) ? `${name}@${variant}` : name;
}

/** The tasks of a variant's graph, under the names that they have beside those of the others. */
export function namedIn(variant: Variant, tasks: readonly Task[]): Task[] {
  const named = (name: string) => (name === PLAIN_QEMU ? 'qemu:build' : nameIn(variant, name));
  return tasks.map((task) => ({ ...task, name: named(task.name), deps: task.deps.map(named) }));
}
