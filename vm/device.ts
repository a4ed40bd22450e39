// SPDX-License-Identifier: MIT
/** What the toolchain has to know about a device; nothing below `vm/` names one otherwise. */
import type { CheckFileOptions, CheckOptions, LiveCrosscheck, Verdict } from './crosscheck/index.js';
import type { VmSettings } from './settings.js';

/** A device as a whole: its description, and its half of the cross-check. `lab/search` adds what `fuzz` needs. */
export interface Device {
  readonly description: DeviceDescription;
  /** What the guest's test causes at least, by the names of `Verdict.counts`. */
  readonly testCauses: Readonly<Record<string, number>>;
  /** A checker for a run in progress. */
  crosscheck(how: ModelSettings, options: CheckOptions): LiveCrosscheck;
  /** Checks a saved stream. */
  checkFile(file: string, how: ModelSettings, options: CheckFileOptions): Promise<Verdict>;
  /** Files of the device that follow from its contract, such as the header for C. They are kept current. */
  readonly generated: readonly GeneratedFile[];
}

export interface GeneratedFile {
  /** Relative to the device's root. */
  readonly file: string;
  readonly text: string;
}

/** What the model must be told about a run. Can be written as JSON. */
export interface ModelSettings {
  /** How late an expiry may be, virtual nanoseconds; 0 under a driven or counted clock. */
  readonly slackNs: number;
  /** The device's properties, as they were given to QEMU. */
  readonly properties: VmSettings['deviceProperties'];
}

export interface DeviceDescription {
  /** For people. */
  readonly name: string;
  /** Type for QEMU's `-device`. */
  readonly qemuType: string;
  /** `compatible` of its node in the device tree. */
  readonly compatible: string;
  /** Parameter on the kernel's command line that tells the guest's init what to do. */
  readonly kernelParameter: string;
  /** Name of the driver's module. */
  readonly module: string;
  /** Properties that QEMU's device is given; `vm.deviceProperties` of the configuration goes over them. */
  readonly properties: VmSettings['deviceProperties'];
  /** QEMU trace events of the device itself, as glob patterns. */
  readonly tracePatterns: readonly string[];
  /** Names that QEMU's own `memory_region_ops_*` events give to its trapping regions. */
  readonly monitorRegions: readonly string[];
  readonly build: DeviceBuild;
  /** The guest's test, whose lines failed checks are told at: a file of the device's root. */
  readonly guestTest: string;
  /** Its stress test, which the guest's init runs when told to. */
  readonly guestStress?: string;
}

/** A symbolic link in a source tree, `link` relative to the tree, `target` relative to the device's root. */
export interface BuildLink {
  readonly link: string;
  readonly target: string;
}

/**
 * How the device and its driver get into the two source trees. Paths are
 * relative to the device's root unless said otherwise: the directory that
 * `device/` is in, be it the package's or a project's own.
 */
export interface DeviceBuild {
  readonly qemu: {
    /** Directory of the patches: every *.patch in it, in the order of their names. */
    readonly patches: string;
    /** The first .c among them is the device itself. */
    readonly links: readonly BuildLink[];
    /** Name of the device list: configs/devices/aarch64-softmmu/NAME.mak in QEMU's tree. */
    readonly deviceList: string;
    /** The C function that takes the guest's writes to its registers: where `run --gdb-qemu` stops. */
    readonly writeHandler: string;
  };
  readonly linux: {
    readonly patches: string;
    readonly links: readonly BuildLink[];
    /** The driver's symbol, CONFIG_ included. */
    readonly symbol: string;
    /** Directory of the driver in the tree. */
    readonly directory: string;
    /** The driver's sources: a directory. */
    readonly sources: string;
    /** The guest's kernel, as what it has on top of `allnoconfig`. */
    readonly config: string;
  };
  readonly busybox: {
    /** The same of Busybox. */
    readonly config: string;
  };
  /** What runs in the guest: file to its path and mode there. */
  readonly guest: readonly { readonly file: string; readonly path: string; readonly mode: number }[];
}

/** The device's own C source among what is linked into QEMU's tree. */
export function deviceSource({ build }: DeviceDescription): BuildLink | undefined {
  return build.qemu.links.find(({ link }) => link.endsWith('.c'));
}

/** The properties that QEMU's device is given: its own, and over them the configuration's. */
export function propertiesOf(
  { properties }: DeviceDescription,
  { deviceProperties }: Pick<VmSettings, 'deviceProperties'>,
): VmSettings['deviceProperties'] {
  return { ...properties, ...deviceProperties };
}

/** `id` of the device in QEMU: its path is `/machine/peripheral/device0`. */
export const DEVICE_ID = 'device0';
