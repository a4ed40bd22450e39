// SPDX-License-Identifier: MIT
/** What the toolchain has to know about a device; nothing below `vm/` names one otherwise. */
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
  /** QEMU trace events of the device itself, as glob patterns. */
  readonly tracePatterns: readonly string[];
  /** Names that QEMU's own `memory_region_ops_*` events give to its trapping regions. */
  readonly witnessRegions: readonly string[];
}

/** `id` of the device in QEMU: its path is `/machine/peripheral/device0`. */
export const DEVICE_ID = 'device0';
