// SPDX-License-Identifier: MIT
/** What the toolchain has to know about a device; nothing else in `vm/` or `tasks/` names one. */
import { StopwatchError } from '../lib/errors.js';
import type { AnyChecker } from './crosscheck/index.js';
import type { Properties, VmSettings } from './settings.js';

/** What `device/NAME/device.ts` exports as `device`. `lab/search` adds what `fuzz` needs. */
export interface Device {
  readonly description: DeviceDescription;
  /** Its half of the cross-check. Absent: nothing checks this device against a model. */
  checker?(how: ModelSettings): AnyChecker;
  /** Files of the device that follow from its contract, such as the header for C. They are kept current. */
  readonly generated?: readonly GeneratedFile[] | undefined;
  /** What the host itself does as well, for `bench`: the limit of what the device can reach. */
  readonly hostRows?: readonly HostRow[] | undefined;
}

/** A row of a bench that is measured on the host. */
export interface HostRow {
  /** QUESTION/VARIANT, as the guest's bench names its rows. */
  readonly row: string;
  /** In bytes. */
  readonly sizes: readonly number[];
  /** One operation. */
  readonly operate: (bytes: number) => void;
}

export interface GeneratedFile {
  /** Relative to the root that `device/` is in. */
  readonly file: string;
  readonly text: string;
}

/** What the model must be told about a run. Can be written as JSON. */
export interface ModelSettings {
  /** How late an expiry may be, virtual nanoseconds; 0 under a driven or counted clock. */
  readonly slackNs: number;
  /** The device's properties, as they were given to QEMU. */
  readonly properties: Properties;
}

/** Files are found by their names: see `DeviceFiles`. */
export interface DeviceDescription {
  /** Name of its folders: `device/NAME`, `driver/NAME`, `guest_fs/NAME`. */
  readonly name: string;
  /** Type for QEMU's `-device`. */
  readonly qemuType: string;
  /** Properties that QEMU's device is given; those of the machine's configuration go over them. */
  readonly properties: Properties;
  /** Its node on the platform bus. Absent: it has none, and QEMU knows by itself where the device goes. */
  readonly deviceTree?: DeviceTreeNode | undefined;
  /** Its trace events, for QEMU: `trace-events` as docs/devel/tracing.rst has it. Absent: it has none. */
  readonly traceEvents?: { readonly prefix: string; readonly text: string } | undefined;
  /** Lines for QEMU's device list that a device of QEMU's own needs, such as `CONFIG_EDU=y`. */
  readonly qemuConfig?: readonly string[] | undefined;
  /** The C function that takes the guest's writes to its registers: where `run --gdb-qemu` stops. */
  readonly writeHandler?: string | undefined;
}

export interface DeviceTreeNode {
  /** The most specific name first. */
  readonly compatible: string | readonly [string, ...string[]];
  /** `reg-names`, in the order of its `sysbus_init_mmio()` calls. */
  readonly regions: readonly string[];
}

/**
 * A device of the project and its files, which are found by their names. Paths are absolute unless said otherwise.
 *
 *   device/NAME/*.c, *.h      the device, linked into QEMU's tree; none: QEMU has it
 *   driver/NAME/              the driver: its Kbuild makes the module NAME.ko; none: Linux has it, or it needs none
 *   driver/NAME/NAME_bench.c  of a second module, for measurements: NAME_bench.ko, in /lib/modules/bench of the guest
 *   driver/NAME/*.h           also for the device
 *   driver/NAME/kernel.config what the guest's kernel needs for it
 *   guest_fs/NAME/            goes to /usr/bin of the guest
 *   guest_fs/NAME/*.c         each is compiled to a program there; it may include headers beside it and the driver's
 *   guest_fs/NAME/*_test.sh, *_test, *_test.c
 *                             its tests, scripts or programs: NAME_test.sh first, the others in the order of their names
 *   guest_fs/NAME/NAME_stress.sh
 *                             its stress test
 *   guest_fs/NAME/NAME_bench.sh, NAME_bench.c
 *                             its bench; each gets the id of the device that it is to test
 */
export interface ProjectDevice {
  readonly device: Device;
  /** The directory that its `device/` is in: the project's, or the package's. */
  readonly root: string;
  readonly files: DeviceFiles;
}

export interface DeviceFiles {
  /** C sources and headers for QEMU; empty where QEMU has the device. */
  readonly qemu: readonly string[];
  readonly driver: DriverFiles | undefined;
  /** A fragment of the guest kernel's configuration. */
  readonly kernelConfig: string | undefined;
  /** Copied to the guest as they are. */
  readonly guest: readonly GuestFile[];
  /** Compiled for the guest. */
  readonly programs: readonly GuestProgram[];
  /** The guest's tests, its stress test and its bench, as they are in `guest` and `programs`. */
  readonly tests: readonly GuestTest[];
  readonly stress: GuestTest | undefined;
  /** Prints rows for `bench`. */
  readonly bench?: GuestTest | undefined;
}

export interface DriverFiles {
  readonly directory: string;
  /** Name of the module. */
  readonly module: string;
  /** Names in the directory, in order. */
  readonly names: readonly string[];
}

/** A file of the host, and its path and mode in the guest. */
export interface GuestFile {
  readonly file: string;
  readonly path: string;
  readonly mode: number;
}

/** A C file of the host, and the program in the guest that it is compiled to. */
export interface GuestProgram extends GuestFile {
  readonly name: string;
  /** What it may include. */
  readonly headers: readonly string[];
}

/** A script or program of the guest that tests a device. */
export interface GuestTest extends GuestFile {
  /** Its file's name without `_test` and what follows: that of the device for its first test. */
  readonly name: string;
  /** What it causes at least, by the names of `Verdict.counts`; undefined: it does not say. A line in its head does: `# causes: commands=20`. */
  readonly causes: Readonly<Record<string, number>> | undefined;
}

/** One device of a machine. */
export interface DeviceInstance extends ProjectDevice {
  /** Its name in QEMU, in traces and in reports. */
  readonly id: string;
  /** Those that QEMU is given: the device's own, and over them the configuration's. */
  readonly properties: Properties;
}

/** The devices of a machine, in the order of its configuration. Throws 'bad-config' for one that is not in the list. */
export function instancesOf(
  devices: readonly ProjectDevice[],
  { devices: wanted }: Pick<VmSettings, 'devices'>,
): readonly DeviceInstance[] {
  return wanted.map(({ device: name, id = name, properties }) => {
    const found = devices.find(({ device }) => device.description.name === name);
    if (found === undefined) {
      throw new StopwatchError('bad-config', `vm.devices names ${name}, which is not in devices`, {
        hint: `devices has: ${devices.map(({ device }) => device.description.name).join(', ') || 'nothing'}.`,
      });
    }
    return { ...found, id, properties: { ...found.device.description.properties, ...properties } };
  });
}
