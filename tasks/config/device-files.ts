// SPDX-License-Identifier: MIT
/** The files of a device, found by their names: see `ProjectDevice`. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isIgnored } from '../../lib/files/ignored.js';
import type { Device, DeviceFiles, DriverFiles, GuestFile } from '../../vm/device.js';

/** The file that declares the device of this name; undefined where there is none. */
export function deviceFileIn(root: string, name: string): string | undefined {
  return ['ts', 'mts', 'js', 'mjs']
    .map((ending) => join(root, 'device', name, `device.${ending}`))
    .find((file) => existsSync(file));
}

/** Names that have a folder in `device/`. */
export function deviceNamesIn(root: string): string[] {
  let names: string[];
  try {
    names = readdirSync(join(root, 'device'));
  } catch {
    return [];
  }
  return names.filter((name) => deviceFileIn(root, name) !== undefined).sort();
}

/** Files that are generated from the contract count although they may not be written yet. */
export function deviceFilesIn(root: string, { description, generated = [] }: Device): DeviceFiles {
  const { name } = description;
  const made = generated.map(({ file }) => join(root, file));
  const list = (folder: string): string[] => filesIn(join(root, folder, name), made);
  const sources = list('device').filter((file) => /\.[ch]$/.test(file));
  const driver = list('driver');
  const guest = list('guest_fs').map((file) => inGuest(file));
  const called = (suffix: string): GuestFile | undefined =>
    guest.find(({ file }) => basename(file) === `${name}${suffix}`);
  return {
    qemu: sources.some((file) => file.endsWith('.c'))
      ? [...sources, ...driver.filter((file) => file.endsWith('.h'))]
      : [],
    driver: driverFiles(join(root, 'driver', name), name, driver),
    kernelConfig: driver.find((file) => basename(file) === KERNEL_CONFIG),
    guest,
    test: called('_test.sh'),
    stress: called('_stress.sh'),
  };
}

const KERNEL_CONFIG = 'kernel.config';

/** Only a fragment of the kernel's configuration: Linux has the driver. */
function driverFiles(directory: string, name: string, files: readonly string[]): DriverFiles | undefined {
  // Not a device-tree binding, or documentation.
  const names = files
    .map((file) => basename(file))
    .filter((file) => /^(?:Kbuild|Makefile)$|\.[chS]$/.test(file));
  if (!names.some((file) => file === 'Kbuild' || file === 'Makefile')) return undefined;
  return { directory, module: name, names };
}

function inGuest(file: string): GuestFile {
  return { file, path: `/usr/bin/${basename(file)}`, mode: 0o755 };
}

/** The files in a directory and those that are made there, in order. */
function filesIn(directory: string, made: readonly string[]): string[] {
  const present = existsSync(directory)
    ? readdirSync(directory, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory() && !isIgnored(entry.name))
        .map((entry) => join(directory, entry.name))
    : [];
  return [...new Set([...present, ...made.filter((file) => dirname(file) === directory)])].sort();
}
