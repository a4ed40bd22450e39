// SPDX-License-Identifier: MIT
/** The schema of the machine's and the cross-check's settings. `config.ts` has the default values. */
import { z } from 'zod';

/** Properties for QEMU's -device. */
const propertiesSchema = z.record(z.string(), z.union([z.string(), z.boolean(), z.int()]));

/** A device instance. */
const instanceSchema = z.strictObject({
  /** Name of a device in the project's list. */
  device: z.string().min(1),
  /** Id in QEMU, in traces and in reports; by default the device's name. */
  id: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,30}$/, 'expected a name of lower-case letters, digits, - and _')
    .optional(),
  /** They override the device's defaults. */
  properties: propertiesSchema.optional(),
});

export const vmSchema = z.strictObject({
  /** The machine's device instances, in order. A device may occur several times with different ids. */
  devices: z.array(instanceSchema),
  /** auto: KVM if the host is aarch64 with KVM and `clock` is realtime, otherwise TCG. */
  accelerator: z.enum(['auto', 'tcg', 'kvm']),
  cpu: z.string().min(1),
  cpus: z.int().min(1).max(8),
  memoryMiB: z.int().min(64).max(65536),
  /** icount: deterministic, and the guest's sleeps take no time; realtime: the host's clock. */
  clock: z.enum(['icount', 'realtime']),
  /** How the driver is built and loaded. */
  driver: z.enum(['module', 'builtin']),
  /** Root file system of run-test-quit and run. */
  rootfs: z.enum(['initramfs', 'ext4']),
  ext4MiB: z.int().min(8).max(65536),
  /** Whether a splat (BUG, WARNING, KASAN, lockdep, …) in a run whose tests passed is a warning or a failure. */
  splats: z.enum(['warn', 'fail']),
  /** Appended to the guest kernel's command line. */
  append: z.array(z.string()),
  /** Appended to QEMU's arguments. */
  qemuArgs: z.array(z.string()),
  /** A guest without any output for this long after the start counts as silent, host seconds. */
  firstOutputSeconds: z.number().positive(),
  /** A guest that stops printing for this long counts as hung, host seconds. */
  silenceSeconds: z.number().positive(),
  /** Limit for a test run, host seconds. */
  totalSeconds: z.number().positive(),
});

export const crosscheckSchema = z.strictObject({
  /** Also check `run`, not only run-test-quit. */
  run: z.boolean(),
  /** Compare QEMU's own trace of memory accesses and interrupts with the device's. */
  monitor: z.boolean(),
  /** How late a timer may expire with `clock: realtime`, milliseconds of virtual time. With icount it must be exact. */
  slackMs: z.number().min(0),
});

export type Properties = z.infer<typeof propertiesSchema>;
export type VmSettings = z.infer<typeof vmSchema>;
