// SPDX-License-Identifier: MIT
/**
 * The schema of the configuration, with types and limits. The values are in `config.ts`.
 * Import only types from here where the start matters: zod is loaded when there is something to check.
 */
import { z } from 'zod';
import { EXPECTED_REMOTE, isRemoteAddress } from './cache-address.js';
import { crosscheckSchema, vmSchema } from '../../vm/settings.js';
import { VARIANTS } from './variants.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits of a sha256');

/** A place to download a file from: an address, or a path below the Debian mirror that the host's apt is configured for. */
export const mirrorSchema = z.union([
  z.strictObject({ url: z.url({ protocol: /^https?$/ }), sha256 }),
  z.strictObject({
    debian: z.string().startsWith('pool/', "expected a path that starts with 'pool/'"),
    sha256,
  }),
]);

const version = z.string().regex(/^\d+(\.\d+)+(-rc\d+)?$/, 'expected a version such as 10.0.2');

/** A source tree: a release that is downloaded, or (`tree`) a directory of the user's own. */
const source = z.strictObject({
  version,
  /** Tried in this order. */
  mirrors: z.array(mirrorSchema).min(1),
  /** Path of a tree of the user's own, used instead; null for none. */
  tree: z.string().nullable(),
  /** Patch and build `tree` where it is, instead of a copy of it. */
  inPlace: z.boolean(),
  /** tar patterns below the archive's top directory that are not extracted. */
  exclude: z.array(z.string()),
});

export const configSchema = z.strictObject({
  sources: z.strictObject({ qemu: source, linux: source, busybox: source }),
  /** sha256 of the archives of other releases, by their versions: what `matrix` may build. */
  releases: z.strictObject({ qemu: z.record(version, sha256), linux: z.record(version, sha256) }),
  /** Python packages that QEMU's configure needs where the release does not bring them: Debian packages, unpacked and not installed. */
  qemuTools: z.strictObject({ meson: mirrorSchema, pycotap: mirrorSchema }),
  /** The devices of the project: those that are built. Each is a folder device/NAME of the project, or of this package. */
  devices: z.array(z.string().regex(/^[a-z][a-z0-9_-]*$/, 'expected the name of a folder in device/')),
  build: z.strictObject({
    /** Prefix of the cross compiler and its tools. */
    cross: z.string().min(1),
    /** Processes of the one running build; as many single-process tasks may run beside it. 0: one per processor. */
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
  kernel: z.strictObject({
    /** Options over those of the package and the devices: `CONFIG_X=y`, `# CONFIG_X is not set`, or the path of a file with such lines. */
    config: z.array(z.string().min(1)),
  }),
  guest: z.strictObject({
    /** Files of the host for the guest. */
    files: z.array(
      z.strictObject({
        /** A file, a directory with all below it, or a Debian package, which is unpacked. */
        from: z.string().min(1),
        /** In the guest; `/` for a package. */
        to: z.string().regex(/^\//, 'expected an absolute path of the guest'),
        /** Octal; absent: 0755 for what is executable on the host, else 0644. */
        mode: z
          .string()
          .regex(/^[0-7]{3,4}$/, "expected an octal mode such as '0755'")
          .optional(),
      }),
    ),
    /** Options of Busybox, as in `kernel.config`. */
    busybox: z.array(z.string().min(1)),
  }),
  vm: vmSchema,
  crosscheck: crosscheckSchema,
  /** Limits for reports, logs and downloads, each. */
  keep: z.strictObject({
    /** The newest stay. */
    count: z.int().min(1),
    /** What they may take, MiB; null: no limit. */
    maxMiB: z.number().min(0).nullable(),
  }),
  downloads: z.strictObject({
    /** Directory shared by all checkouts; null: $XDG_CACHE_HOME/stopwatch or ~/.cache/stopwatch. */
    directory: z.string().nullable(),
    /** A server that sends nothing for this long has stalled. */
    stallSeconds: z.number().positive(),
    /** Tries at one mirror before the next one, with growing pauses between them. */
    tries: z.int().min(1).max(20),
    /** Use only what is there. */
    offline: z.boolean(),
  }),
});

/** The configuration in force. */
export type Config = z.infer<typeof configSchema>;
export type Source = Config['sources']['qemu'];
export type Mirror = Source['mirrors'][number];
export type SourceName = keyof Config['sources'];

/** Any part of the configuration, as a user's `stopwatch.config.ts` gives it. */
export type PartialConfig = DeepPartial<Config>;
type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;
