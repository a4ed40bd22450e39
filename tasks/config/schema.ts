// SPDX-License-Identifier: MIT
/**
 * What can be configured, with its types and limits. The values are in `config.ts`.
 * Import only types from here where the start matters: zod is loaded when there is something to check.
 */
import { z } from 'zod';
import { EXPECTED_REMOTE, isRemoteAddress } from './cache-address.js';
import { VARIANTS } from './variants.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits of a sha256');

/** One place that has a source: an address, or a path below the Debian mirror that the host's apt is configured for. */
export const placeSchema = z.union([
  z.strictObject({ url: z.url({ protocol: /^https?$/ }), sha256 }),
  z.strictObject({
    debian: z.string().startsWith('pool/', "expected a path that starts with 'pool/'"),
    sha256,
  }),
]);

/** Where a source tree comes from: a release that is downloaded, or (`tree`) a directory of the user's own. */
const source = z.strictObject({
  version: z.string().regex(/^\d+(\.\d+)+(-rc\d+)?$/, 'expected a version such as 10.0.2'),
  /** Tried in this order. */
  places: z.array(placeSchema).min(1),
  /** Path of a tree of the user's own, used instead; null for none. */
  tree: z.string().nullable(),
  /** tar patterns below the archive's top directory that are not extracted. */
  leaveOut: z.array(z.string()),
});

export const configSchema = z.strictObject({
  sources: z.strictObject({ qemu: source, linux: source, busybox: source }),
  /** Python packages that QEMU's configure needs where the release does not bring them: Debian packages, unpacked and not installed. */
  qemuTools: z.strictObject({ meson: placeSchema, pycotap: placeSchema }),
  build: z.strictObject({
    /** Prefix of the cross compiler and its tools. */
    cross: z.string().min(1),
    /** Compile processes at once over all tasks; 0: one per processor. */
    jobs: z.int().min(0).max(1024),
    /** auto: where it is installed; on: it must be; off: never. */
    ccache: z.enum(['auto', 'on', 'off']),
    /** As it is; QEMU with sanitizers; QEMU counting the device's lines; or all for debuggers, and a kernel that checks itself. */
    variant: z.enum(VARIANTS),
  }),
  cache: z.strictObject({
    /** Address of a compile cache shared by several machines, behind the local one; null for none. Its credentials are in the environment. */
    remote: z.string().refine(isRemoteAddress, `expected ${EXPECTED_REMOTE}`).nullable(),
    /** Take from it, and write nothing to it. */
    readOnly: z.boolean(),
    /** An answer that takes longer is given up. */
    timeoutSeconds: z.number().min(0.1).max(60),
  }),
  vm: z.strictObject({
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
    /** Properties of the device, as for -device. */
    deviceProperties: z.record(z.string(), z.union([z.string(), z.boolean(), z.int()])),
    /** Added to the guest kernel's command line. */
    append: z.array(z.string()),
    /** Added to QEMU's arguments, at the end. */
    qemuArgs: z.array(z.string()),
    /** The guest is taken for silent when it has printed nothing at all for this long after the start, host seconds. */
    firstOutputSeconds: z.number().positive(),
    /** The guest is taken for hung when it prints nothing for this long, host seconds. */
    silenceSeconds: z.number().positive(),
    /** A test run is ended after this long whatever happens, host seconds. */
    totalSeconds: z.number().positive(),
  }),
  crosscheck: z.strictObject({
    /** Judge `run` too, not only run-test-quit. */
    run: z.boolean(),
    /** Compare QEMU's own memory and interrupt-controller events with the device's. */
    witness: z.boolean(),
    /** How late a timer may be on the host's clock, milliseconds of virtual time. With icount it must be exact. */
    slackMs: z.number().min(0),
  }),
  /** Old state: reports, kept results, source trees of other versions, the container's directory. */
  keep: z.strictObject({
    /** Reports of finished runs; the oldest go. */
    reports: z.int().min(1),
    /** What old state may take together, MiB; null: no limit. */
    maxMiB: z.number().min(0).nullable(),
  }),
  downloads: z.strictObject({
    /** Directory shared by all checkouts; null: $XDG_CACHE_HOME/stopwatch or ~/.cache/stopwatch. */
    directory: z.string().nullable(),
    /** A server that sends nothing for this long has stalled. */
    stallSeconds: z.number().positive(),
    /** Tries at one place before the next one, with growing pauses between them. */
    tries: z.int().min(1).max(20),
    /** Use only what is there. */
    offline: z.boolean(),
  }),
});

/** The configuration in force. */
export type Config = z.infer<typeof configSchema>;
export type Source = Config['sources']['qemu'];
export type Place = Source['places'][number];
export type SourceName = keyof Config['sources'];

/** Any part of the configuration, as a user's `stopwatch.config.ts` gives it. */
export type PartialConfig = DeepPartial<Config>;
type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;
