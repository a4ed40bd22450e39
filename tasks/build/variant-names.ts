// SPDX-License-Identifier: MIT
/** Tasks whose result differs in a variant, or with another release, have their own names there, so that each keeps its record. Pure. */
import type { Config, SourceName } from '../config/schema.js';
import { KERNEL_VARIANTS, type Variant } from '../config/variants.js';
import type { Task } from '../engine/task.js';
import { driverTaskOf } from './linux/drivers.js';

/** The plain build of QEMU, in a variant with its own `qemu:build` on top of it. */
export const PLAIN_QEMU = 'qemu:plain';

const EDITOR = ['editor:device', 'editor:commands'];
const MACHINE = ['guest:initramfs', 'guest:ext4', 'guest:disk', 'vm:devicetree', 'vm:manifest', ...EDITOR];
const KERNEL = ['linux:configure', 'linux:build', ...MACHINE];

/** The other tasks are shared: the same result in the same place. */
const OWN: Readonly<Record<Variant, readonly string[]>> = {
  plain: [],
  sanitize: ['qemu:configure', 'qemu:build', ...MACHINE],
  coverage: ['qemu:build', ...MACHINE],
  kunit: KERNEL,
  debug: ['qemu:build', ...KERNEL],
};

/** The name of `qemu:build` in a variant: `qemu:build@debug`. Other names stay as they are. */
export function nameIn(variant: Variant, name: string): string {
  const driver = name.startsWith(driverTaskOf('')) && KERNEL_VARIANTS.includes(variant);
  const own = OWN[variant].includes(name) || driver;
  return own ? `${name}@${variant}` : name;
}

/** The tasks of a variant's graph under their own names. */
export function namedIn(variant: Variant, tasks: readonly Task[]): Task[] {
  const named = (name: string) => (name === PLAIN_QEMU ? 'qemu:build' : nameIn(variant, name));
  return tasks.map((task) => ({ ...task, name: named(task.name), deps: task.deps.map(named) }));
}

/** Where other releases than the project's are built, what depends on them has their names too: `linux:build@linux-6.18.5`. */
export function namedBeside(
  { sources }: Pick<Config, 'sources'>,
  beside: readonly SourceName[],
  tasks: readonly Task[],
): Task[] {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const uses = (name: string, source: SourceName): boolean =>
    name.startsWith(`${source}:`) || (byName.get(name)?.deps.some((dep) => uses(dep, source)) ?? false);
  const named = (name: string): string => {
    const marks = beside.filter((source) => uses(name, source));
    return [name, ...marks.map((source) => `${source}-${sources[source].version}`)].join('@');
  };
  return tasks.map((task) => ({ ...task, name: named(task.name), deps: task.deps.map(named) }));
}

/** The task of a graph that has this name in the plain variant of the project's releases. */
export function taskNamed(tasks: readonly Task[], variant: Variant, plain: string): string | undefined {
  const name = nameIn(variant, plain);
  return (tasks.find((task) => task.name === name) ?? tasks.find((task) => task.name.startsWith(`${name}@`)))
    ?.name;
}
