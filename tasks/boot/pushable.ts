// SPDX-License-Identifier: MIT
/** The files that can be pushed into a running guest, their names, and the tests that it can run. */
import { basename } from 'node:path';
import { plannedTests } from '../../vm/guest-tests.js';
import type { DeviceInstance, GuestFile, GuestProgram, ProjectDevice } from '../../vm/device.js';
import { didYouMean } from '../config/closest.js';
import type { Config } from '../config/schema.js';
import { StopwatchError } from '../../lib/errors.js';
import { driversOf, driverSources, driverTask, modulePath } from '../build/linux/drivers.js';
import { guestFiles } from '../build/guest/guest-base.js';
import { basePrograms, builtProgram, programsOf, programTask } from '../build/guest/guest-programs.js';
import type { Layout } from '../build/layout.js';

export interface Pushable {
  readonly name: string;
  /** Name of its device; undefined: for any device. */
  readonly device: string | undefined;
  /** File on the host. */
  readonly from: string;
  /** Its source files: push it when one of them changes. */
  readonly sources: readonly string[];
  /** In the guest. */
  readonly path: string;
  readonly mode: number;
  /** Name of the module, if it is one. */
  readonly module: string | undefined;
  /** Tasks that must be up to date first. */
  readonly targets: readonly string[];
}

/** The guest's scripts but for init, its programs, and the drivers that are modules. */
export function pushables(config: Config, layout: Layout, devices: readonly ProjectDevice[]): Pushable[] {
  const base = guestFiles(layout, []).filter(({ path }) => path !== '/init');
  const modules = config.vm.driver === 'builtin' ? [] : devices;
  return [
    ...base.map((file) => script(file, undefined)),
    ...basePrograms(layout).map((each) => program(layout, each, undefined)),
    ...devices.flatMap((each) => {
      const { name } = each.device.description;
      return [
        ...each.files.guest.map((file) => script(file, name)),
        ...programsOf(layout, each).map((one) => program(layout, one, name)),
      ];
    }),
    ...modules.flatMap((device) => driverOf(layout, device)),
  ];
}

function script({ file, path, mode }: GuestFile, device: string | undefined): Pushable {
  const name = basename(path, '.sh');
  return { name, device, from: file, sources: [file], path, mode, module: undefined, targets: [] };
}

function program(layout: Layout, each: GuestProgram, device: string | undefined): Pushable {
  const { name, file, headers, path, mode } = each;
  return {
    name,
    device,
    from: builtProgram(layout, each).file,
    sources: [file, ...headers],
    path,
    mode,
    module: undefined,
    targets: [programTask(each)],
  };
}

function driverOf(layout: Layout, device: ProjectDevice): Pushable[] {
  return driversOf([device]).map((driver) => {
    const { module } = driver.files;
    return {
      name: `${module}_module`,
      device: driver.name,
      from: modulePath(layout, device),
      sources: driverSources(driver),
      path: `/lib/modules/${module}.ko`,
      mode: 0o644,
      module,
      targets: [driverTask(device)],
    };
  });
}

/** A test of one device of the machine. */
export interface PushableTest {
  /** Name of its suite. */
  readonly id: string;
  /** Name of the device. */
  readonly device: string;
  /** The guest's program, with the device's id. */
  readonly command: string;
}

export function testsOf(instances: readonly DeviceInstance[], config: Config): readonly PushableTest[] {
  const options = { nodev: false, rw: false, guest: 'test', trace: false, vm: config.vm } as const;
  return plannedTests({ devices: instances, options }).map(({ suite, id, device, test }) => ({
    id: suite,
    device,
    command: `${test.path} ${id}`,
  }));
}

/** What to push: by name, everything for a device, or everything. */
export interface Choice {
  readonly names: readonly string[];
  /** Name of a device: only its files. */
  readonly device?: string | undefined;
}

/** Throws 'bad-usage' for an unknown name. */
export function chosen(all: readonly Pushable[], { names, device }: Choice): readonly Pushable[] {
  const own = device === undefined ? all : all.filter((one) => one.device === device);
  if (own.length === 0 && device !== undefined) {
    const known = [...new Set(all.flatMap((one) => one.device ?? []))];
    throw new StopwatchError(
      'bad-usage',
      `Cannot push files of '${device}': expected one of ${known.join(', ')}${didYouMean(device, known)}`,
    );
  }
  if (names.length === 0) return own;
  return [...new Set(names)].map((name) => called(own, name) ?? fail(own, name));
}

/** The tests of the devices that these files belong to; all tests if a file is for any device. */
export function chosenTests(
  tests: readonly PushableTest[],
  what: readonly Pushable[],
  { device }: Choice,
): readonly PushableTest[] {
  if (device !== undefined) return tests.filter((test) => test.device === device);
  const devices = new Set(what.map((one) => one.device));
  return devices.has(undefined) ? tests : tests.filter((test) => devices.has(test.device));
}

/** A file name is accepted too, and distinguishes the program `led` from the script `led.sh`. */
function called(all: readonly Pushable[], word: string): Pushable | undefined {
  return all.find(({ path }) => basename(path) === word) ?? all.find(({ name }) => name === word);
}

function fail(all: readonly Pushable[], name: string): never {
  const names = [...new Set(all.map((one) => one.name))];
  const builtin = !all.some(({ module }) => module !== undefined) && name.endsWith('_module');
  throw new StopwatchError(
    'bad-usage',
    `Cannot push '${name}': expected one of ${names.join(', ')}${didYouMean(name, names)}`,
    builtin ? { hint: 'The driver is built into the kernel: start the VM with --driver module.' } : {},
  );
}
