// SPDX-License-Identifier: MIT
/** The drivers: modules that are built out of the kernel's tree (`driver:NAME`), or a directory that the kernel builds in. */
import { join } from 'node:path';
import type { DriverFiles, GuestFile, ProjectDevice } from '../../../vm/device.js';
import type { Task } from '../../engine/task.js';
import type { SourceLink } from '../../trees/links.js';
import { resumeBuild } from '../build-tools.js';
import { GENERATED } from '../generated.js';
import { type GeneratedDirectory, makeDirectory, pathsIn } from '../generated-directory.js';
import type { Layout } from '../layout.js';

/** Directory of the built-in drivers in the Linux tree. */
export const BUILTIN_PLACE = 'drivers/misc/pv';
export const BUILTIN_DRIVERS = 'drivers:builtin';

export interface Driver {
  /** Name of the device. */
  readonly name: string;
  /** The symbol in its Kbuild. It is passed to make and is not in Kconfig, so that all projects have the same kernel configuration. */
  readonly symbol: string;
  readonly files: DriverFiles;
}

/** The devices that have a driver of the project. */
export function driversOf(devices: readonly ProjectDevice[]): readonly Driver[] {
  return devices.flatMap(({ device, files }) => {
    const { name } = device.description;
    const symbol = `CONFIG_${name.toUpperCase().replaceAll('-', '_')}`;
    return files.driver === undefined ? [] : [{ name, symbol, files: files.driver }];
  });
}

/** The task that builds the device's module. */
export const driverTask = ({ device }: ProjectDevice): string => driverTaskOf(device.description.name);
export const driverTaskOf = (name: string): string => `driver:${name}`;

/** The module of a device that has a driver. */
export function modulePath(layout: Layout, { device }: ProjectDevice): string {
  return moduleOf(layout, device.description.name);
}

/** The module with this name. */
export const moduleOf = (layout: Layout, name: string): string =>
  join(directoryOf(layout, name), `${name}.ko`);
export const directoryOf = ({ drivers }: Layout, name: string): string => join(drivers, name);

/** The modules that the driver's Kbuild makes, and their places in the guest: init loads those in /lib/modules. */
export function modulesOf(layout: Layout, { name, files }: Driver): readonly GuestFile[] {
  const module = { file: moduleOf(layout, name), path: `/lib/modules/${name}.ko`, mode: 0o644 };
  const bench = `${name}_bench`;
  if (!files.names.includes(`${bench}.c`)) return [module];
  const file = join(directoryOf(layout, name), `${bench}.ko`);
  return [module, { file, path: `/lib/modules/bench/${bench}.ko`, mode: 0o644 }];
}

/** Absolute paths of the driver's files. */
export const driverSources = ({ files }: Driver): string[] =>
  files.names.map((name) => join(files.directory, name));

/** `make`: how make is called for the kernel. */
export function driverTasks(
  layout: Layout,
  drivers: readonly Driver[],
  { make, env }: { readonly make: readonly string[]; readonly env: Readonly<Record<string, string>> },
): Task[] {
  return drivers.map((driver): Task => {
    const { name, symbol, files } = driver;
    const links = Object.fromEntries(files.names.map((each) => [each, join(files.directory, each)]));
    const directory = directoryOf(layout, name);
    const args = [...make, `M=${directory}`, `${symbol}=m`, 'modules'];
    return {
      name: driverTaskOf(name),
      title: `Driver: build ${name}.ko`,
      deps: ['linux:build', GENERATED],
      inputs: { files: driverSources(driver), values: { make: args, env } },
      outputs: modulesOf(layout, driver).map(({ file }) => file),
      jobs: 'build',
      run: async (context) => {
        await makeDirectory({ directory, files: {}, links });
        await resumeBuild(directory, context, async () => {
          await context.exec('make', ['-s', ...args], { env });
        });
      },
    };
  });
}

/** The directory that the Linux tree has as drivers/misc/pv. Objects go to the kernel's build directory. */
function builtinDirectory(directory: string, drivers: readonly Driver[]): GeneratedDirectory {
  return {
    directory,
    files: { Kbuild: drivers.map(({ name }) => `obj-y += ${name}/\n`).join('') },
    links: Object.fromEntries(drivers.map(({ name, files }) => [name, files.directory])),
  };
}

export function builtinTask(layout: Layout, drivers: readonly Driver[]): Task {
  const expected = builtinDirectory(layout.builtinDrivers, drivers);
  return {
    name: BUILTIN_DRIVERS,
    title: 'Drivers: list of those that are built in',
    deps: [],
    inputs: { values: { files: expected.files, links: expected.links } },
    outputs: pathsIn(expected),
    jobs: 'none',
    run: async () => makeDirectory(expected),
  };
}

/** Arguments for the make that builds the kernel with them. */
export function builtinArguments(drivers: readonly Driver[]): string[] {
  return ['PV_DRIVERS=y', ...drivers.map(({ symbol }) => `${symbol}=y`)];
}

/** The links in the Linux tree: the same for every project. */
export function linuxLinks({ builtinDrivers }: Layout): SourceLink[] {
  return [{ link: BUILTIN_PLACE, target: builtinDrivers }];
}
