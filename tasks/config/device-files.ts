// SPDX-License-Identifier: MIT
/** The files of a device, found by their names: see `ProjectDevice`. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { isIgnored } from '../../lib/files/ignored.js';
import type {
  Device,
  DeviceFiles,
  DriverFiles,
  GuestFile,
  GuestProgram,
  GuestTest,
} from '../../vm/device.js';

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
  const driverHeaders = driver.filter((file) => file.endsWith('.h'));
  const programs = programsIn(join(root, 'guest_fs', name), driverHeaders);
  const guest = list('guest_fs')
    .filter((file) => !/\.[ch]$/.test(file))
    .map((file) => inGuest(file));
  return {
    qemu: sources.some((file) => file.endsWith('.c')) ? [...sources, ...driverHeaders] : [],
    driver: driverFiles(join(root, 'driver', name), name, driver),
    kernelConfig: driver.find((file) => basename(file) === KERNEL_CONFIG),
    guest,
    programs,
    tests: [...guest.filter(isTest), ...programs.filter(({ path }) => path.endsWith('_test'))]
      .map(asTest)
      .sort((a, b) => Number(b.name === name) - Number(a.name === name) || (a.name < b.name ? -1 : 1)),
    stress: guest.filter(({ file }) => basename(file) === `${name}_stress.sh`).map(asTest)[0],
    bench: [...guest, ...programs]
      .filter(({ path }) => [`${name}_bench.sh`, `${name}_bench`].includes(basename(path)))
      .map(asTest)[0],
  };
}

/** Each C file in `directory` is a program; it may include these headers beside those in its directory. */
export function programsIn(directory: string, others: readonly string[] = []): GuestProgram[] {
  const headers = [...headersIn(directory), ...others];
  const program = (file: string): GuestProgram => ({ ...inGuest(file), name: basename(file, '.c'), headers });
  return filesIn(directory)
    .filter((file) => file.endsWith('.c'))
    .map(program);
}

export const headersIn = (directory: string): string[] =>
  filesIn(directory).filter((file) => file.endsWith('.h'));

const KERNEL_CONFIG = 'kernel.config';

/** Undefined if there is no Kbuild, as for a driver that Linux already has. */
function driverFiles(directory: string, name: string, files: readonly string[]): DriverFiles | undefined {
  // Not a device-tree binding, or documentation.
  const names = files
    .map((file) => basename(file))
    .filter((file) => /^(?:Kbuild|Makefile)$|\.[chS]$/.test(file));
  if (!names.some((file) => file === 'Kbuild' || file === 'Makefile')) return undefined;
  return { directory, module: name, names };
}

/** A `.sh` file counts by its name; any other must also be executable. */
function isTest({ file }: GuestFile): boolean {
  if (file.endsWith('_test.sh')) return true;
  return file.endsWith('_test') && (statSync(file).mode & 0o111) !== 0;
}

function asTest({ file, path, mode }: GuestFile): GuestTest {
  return {
    file,
    path,
    mode,
    name: basename(path).replace(/_(?:test|stress|bench)(?:\.sh)?$/, ''),
    causes: causesIn(file),
  };
}

/** Reads `# causes: commands=20 interrupts=1` in the head of a script or a C file. Throws 'bad-config' for any other content of such a line. */
function causesIn(file: string): Readonly<Record<string, number>> | undefined {
  const text = readFileSync(file, 'latin1');
  const comment = text.startsWith('#!') ? /^#/ : file.endsWith('.c') ? /^(?:\/\/|\/\*| \*)/ : undefined;
  if (comment === undefined) return undefined;
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !comment.test(line));
  const line = lines.slice(0, end < 0 ? undefined : end).find((one) => CAUSES.test(one));
  if (line === undefined) return undefined;
  const pairs = line.replace(CAUSES, '').trim().split(/\s+/);
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, count] = /^(\w+)=(\d+)$/.exec(pair) ?? [];
      if (name === undefined) {
        throw new StopwatchError(
          'bad-config',
          `${file}: expected NAME=NUMBER after 'causes:', got '${pair}'`,
          {
            hint: 'Such as `# causes: reads=2 writes=1`, with names of what the cross-check counts.',
          },
        );
      }
      return [name, Number(count)];
    }),
  );
}

const CAUSES = /^(?:#| \*)\s*causes:\s*/;

function inGuest(file: string): GuestFile {
  return { file, path: `/usr/bin/${basename(file, '.c')}`, mode: 0o755 };
}

/** The files in a directory and those that are made there, in order. */
function filesIn(directory: string, made: readonly string[] = []): string[] {
  const present = existsSync(directory)
    ? readdirSync(directory, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory() && !isIgnored(entry.name))
        .map((entry) => join(directory, entry.name))
    : [];
  return [...new Set([...present, ...made.filter((file) => dirname(file) === directory)])].sort();
}
