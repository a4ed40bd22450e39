// SPDX-License-Identifier: MIT
/** Describes a device to the toolchain. Nothing else in `vm/` or `tasks/` names a device. */
import { StopwatchError } from '../lib/errors.js';
import type { AnyChecker } from './crosscheck/index.js';
import type { Properties, VmSettings } from './settings.js';

/** The interface of `device`, which `device/NAME/device.ts` exports. `lab/search` extends it for `fuzz`. */
export interface Device {
  readonly description: DeviceDescription;
  /** Creates its checker. Absent: no model checks this device. */
  checker?(how: ModelSettings): AnyChecker;
  /** Files generated from the device's contract, such as the C header. Builds keep them up to date. */
  readonly generated?: readonly GeneratedFile[] | undefined;
  /** Operations that `bench` also measures on the host, as an upper bound for the device. */
  readonly hostRows?: readonly HostRow[] | undefined;
}

/** A row of a benchmark, measured on the host. */
export interface HostRow {
  /** QUESTION/VARIANT, as in the guest's benchmark. */
  readonly row: string;
  /** Sizes to measure, bytes. */
  readonly sizes: readonly number[];
  /** Performs one operation. */
  readonly operate: (bytes: number) => void;
}

export interface GeneratedFile {
  /** Path, relative to the directory that contains `device/`. */
  readonly file: string;
  readonly text: string;
}

/** Settings of a run that the model depends on. Serialisable as JSON. */
export interface ModelSettings {
  /** How late a timer may expire, virtual nanoseconds; 0 with `icount` and in `fuzz`. */
  readonly slackNs: number;
  /** The device's properties, as passed to QEMU. */
  readonly properties: Properties;
}

/** The device's files are found by their names: see `ProjectDevice`. */
export interface DeviceDescription {
  /** Name of its directories: `device/NAME`, `driver/NAME`, `guest_fs/NAME`. */
  readonly name: string;
  /** Type name for QEMU's `-device`. */
  readonly qemuType: string;
  /** Default properties for QEMU's device; the machine's configuration overrides them. */
  readonly properties: Properties;
  /** Its device-tree node on the platform bus. Absent: QEMU places the device itself. */
  readonly deviceTree?: DeviceTreeNode | undefined;
  /** Its events for QEMU's `trace-events` file (docs/devel/tracing.rst). Absent: it has none. */
  readonly traceEvents?: { readonly prefix: string; readonly text: string } | undefined;
  /** Lines of QEMU's configuration that enable a device of QEMU's own, such as `CONFIG_EDU=y`. */
  readonly qemuConfig?: readonly string[] | undefined;
  /** The C function that handles register writes; `run --gdb-qemu` sets a breakpoint there. */
  readonly writeHandler?: string | undefined;
}

export interface DeviceTreeNode {
  /** The most specific name first. */
  readonly compatible: string | readonly [string, ...string[]];
  /** `reg-names`, in the order of its `sysbus_init_mmio()` calls. */
  readonly regions: readonly string[];
}

/**
 * A device of the project and its files, which are found by their names. Paths are absolute unless noted.
 *
 *   device/NAME/*.c, *.h      the device, linked into QEMU's tree; absent if it is one of QEMU's own
 *   driver/NAME/              the driver: its Kbuild makes the module NAME.ko; absent if Linux has it or none is needed
 *   driver/NAME/NAME_bench.c  a second module for measurements: /lib/modules/bench/NAME_bench.ko in the guest
 *   driver/NAME/*.h           also on the device's include path
 *   driver/NAME/kernel.config kernel configuration that it needs
 *   guest_fs/NAME/            copied to /usr/bin of the guest
 *   guest_fs/NAME/*.c         each is compiled to a program in /usr/bin; it may include headers beside it and the driver's
 *   guest_fs/NAME/*_test.sh, *_test, *_test.c
 *                             its tests, as scripts or programs: NAME_test.sh first, the others in alphabetical order
 *   guest_fs/NAME/NAME_stress.sh
 *                             its stress test
 *   guest_fs/NAME/NAME_bench.sh, NAME_bench.c
 *                             its benchmark; each of these gets the id of the device to use as its argument
 */
export interface ProjectDevice {
  readonly device: Device;
  /** The directory that contains its `device/`: the project's or the package's. */
  readonly root: string;
  readonly files: DeviceFiles;
}

export interface DeviceFiles {
  /** C sources and headers for QEMU; empty for a device of QEMU's own. */
  readonly qemu: readonly string[];
  readonly driver: DriverFiles | undefined;
  /** A fragment of the guest kernel's configuration. */
  readonly kernelConfig: string | undefined;
  /** Files to copy to the guest unchanged. */
  readonly guest: readonly GuestFile[];
  /** Programs to compile for the guest. */
  readonly programs: readonly GuestProgram[];
  /** The tests among `guest` and `programs`. */
  readonly tests: readonly GuestTest[];
  readonly stress: GuestTest | undefined;
  /** Its benchmark, which prints rows for `bench`. */
  readonly bench?: GuestTest | undefined;
}

export interface DriverFiles {
  readonly directory: string;
  /** Name of the module. */
  readonly module: string;
  /** File names in the directory, sorted. */
  readonly names: readonly string[];
}

/** A file on the host, with its path and mode in the guest. */
export interface GuestFile {
  readonly file: string;
  readonly path: string;
  readonly mode: number;
}

/** A C file on the host, and the guest program built from it. */
export interface GuestProgram extends GuestFile {
  readonly name: string;
  /** Headers that it may include. */
  readonly headers: readonly string[];
}

/** A guest script or program that tests a device. */
export interface GuestTest extends GuestFile {
  /** Its file name up to `_test`; the device's name for its first test. */
  readonly name: string;
  /** Minimum of what it causes, by names of `Verdict.counts`, from a line at its top such as `# causes: commands=20`; undefined without one. */
  readonly causes: Readonly<Record<string, number>> | undefined;
}

/** One device instance of a machine. */
export interface DeviceInstance extends ProjectDevice {
  /** Its name in QEMU, in traces and in reports. */
  readonly id: string;
  /** Properties for QEMU: the device's defaults, overridden by the configuration. */
  readonly properties: Properties;
}

/** The device instances of a machine, in the order of its configuration. Throws 'bad-config' for an unknown device. */
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
