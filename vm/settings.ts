// SPDX-License-Identifier: MIT
/** The settings of a machine and of its cross-check: types and limits. `config.ts` has the values. */
import { z } from 'zod';

/** Properties of a device, as for QEMU's -device. */
const propertiesSchema = z.record(z.string(), z.union([z.string(), z.boolean(), z.int()]));

/** A device of the machine. */
const instanceSchema = z.strictObject({
  /** Which one of the project's list. */
  device: z.string().min(1),
  /** Its name in QEMU, in traces and in reports; that of the device if absent. */
  id: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,30}$/, 'expected a name of lower-case letters, digits, - and _')
    .optional(),
  /** They go over the device's own. */
  properties: propertiesSchema.optional(),
});

export const vmSchema = z.strictObject({
  /** The devices that the machine has, in this order. One may be named several times, each time with another id. */
  devices: z.array(instanceSchema),
  /** auto: KVM where the host is aarch64 and has it, and the clock is the host's; else TCG. */
  accelerator: z.enum(['auto', 'tcg', 'kvm']),
  cpu: z.string().min(1),
  cpus: z.int().min(1).max(8),
  memoryMiB: z.int().min(64).max(65536),
  /** icount: deterministic, the guest's sleeps cost nothing; realtime: the host's clock. */
  clock: z.enum(['icount', 'realtime']),
  /** How the driver is built and loaded. */
  driver: z.enum(['module', 'builtin']),
  /** Root file system of run-test-quit and run. */
  rootfs: z.enum(['initramfs', 'ext4']),
  ext4MiB: z.int().min(8).max(65536),
  /** Of a test that passes although the kernel complained (BUG, WARNING, KASAN, lockdep, …): pass with a warning, or fail. */
  splats: z.enum(['warn', 'fail']),
  /** Added to the guest kernel's command line. */
  append: z.array(z.string()),
  /** Added to QEMU's arguments, at the end. */
  qemuArgs: z.array(z.string()),
  /** A guest that prints nothing for this long after the start counts as silent, host seconds. */
  firstOutputSeconds: z.number().positive(),
  /** A guest that stops printing for this long counts as hung, host seconds. */
  silenceSeconds: z.number().positive(),
  /** A test run is ended after this long in any case, host seconds. */
  totalSeconds: z.number().positive(),
});

export const crosscheckSchema = z.strictObject({
  /** Check `run` too, not only run-test-quit. */
  run: z.boolean(),
  /** Compare QEMU's own memory and interrupt-controller events with the device's. */
  monitor: z.boolean(),
  /** How late a timer may be on the host's clock, milliseconds of virtual time. With icount it must be exact. */
  slackMs: z.number().min(0),
});

export type Properties = z.infer<typeof propertiesSchema>;
export type VmSettings = z.infer<typeof vmSchema>;
