// SPDX-License-Identifier: MIT
/** Where each task finds its sources and puts its results. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Paths } from '../config/paths.js';
import type { Config, SourceName } from '../config/schema.js';
import type { Variant } from '../config/variants.js';

export interface Layout extends Paths {
  readonly variant: Variant;
  /** Source tree of a release, a copy of the user's own, or that itself where it is built in place. */
  tree(source: SourceName): string;
  /** What is built, and the user's own trees that it is copied from: where edits are to be noticed. */
  readonly watchedTrees: readonly string[];
  /** Says which archive the tree was made from; absent for a tree of the user's own. */
  sourceStamp(source: SourceName): string;
  /** Where QEMU is configured and compiled; some variants compile only the device again, beside it. */
  readonly qemuBuild: string;
  readonly qemu: string;
  /** Generated from the list of devices; `hw/misc/pv` of QEMU's tree leads to it. */
  readonly qemuDevices: string;
  /** meson and pycotap, for releases of QEMU that were repacked without them. */
  readonly mesonTools: string;
  readonly linuxBuild: string;
  readonly kernel: string;
  /** A directory for each driver that is built as a module, with links to its sources. */
  readonly drivers: string;
  /** Generated from the list of devices; `drivers/misc/pv` of the Linux tree leads to it. */
  readonly builtinDrivers: string;
  readonly busyboxBuild: string;
  readonly busybox: string;
  /** The kernel's maker of initramfs. */
  readonly cpioTool: string;
  readonly initramfs: string;
  /** The devices' programs for the guest, compiled. */
  readonly guestPrograms: string;
  /** The user's own Debian packages for the guest, unpacked. */
  readonly guestPackages: string;
  readonly ext4: string;
  /** A copy of the ext4 image that keeps what a guest writes. */
  readonly disk: string;
  /** The machine's device tree, as QEMU makes it, and its source. */
  readonly dtb: string;
  readonly dts: string;
  readonly manifest: string;
  /** The compiler's commands, for editors. */
  readonly compileCommands: string;
}

export function layoutOf(config: Config, paths: Paths): Layout {
  const { src, build } = paths;
  const release = (source: SourceName) => join(src, `${source}-${config.sources[source].version}`);
  const { variant } = config.build;
  const of = (variants: readonly Variant[], name: string) =>
    variants.includes(variant) ? `${name}-${variant}` : name;
  const linuxBuild = join(build, of(['debug'], 'linux'));
  const qemuBuild = join(build, of(['sanitize'], 'qemu'));
  const vm = variant === 'plain' ? paths.vm : join(paths.vm, variant);
  const treeOf = (source: SourceName): string => {
    const { tree, inPlace } = config.sources[source];
    if (tree === null) return release(source);
    return inPlace ? tree : join(src, `${source}-own-${ownTreeId(tree)}`);
  };
  const names = ['qemu', 'linux', 'busybox'] as const;
  return {
    ...paths,
    variant,
    vm,
    tree: treeOf,
    watchedTrees: [
      ...new Set(names.flatMap((name) => [treeOf(name), config.sources[name].tree ?? []].flat())),
    ],
    sourceStamp: (source) => `${release(source)}.source.json`,
    qemuBuild,
    qemu: join(build, of(['sanitize', 'coverage', 'debug'], 'qemu'), 'qemu-system-aarch64'),
    qemuDevices: join(build, 'qemu-devices'),
    mesonTools: join(build, 'meson-tools'),
    linuxBuild,
    kernel: join(linuxBuild, 'arch', 'arm64', 'boot', 'Image'),
    drivers: join(build, of(['debug'], 'drivers')),
    builtinDrivers: join(build, 'linux-drivers'),
    busyboxBuild: join(build, 'busybox'),
    busybox: join(build, 'busybox', 'busybox'),
    cpioTool: join(build, 'gen_init_cpio'),
    initramfs: join(vm, 'initramfs.cpio'),
    guestPrograms: join(build, 'guest-programs'),
    guestPackages: join(build, 'guest-packages'),
    ext4: join(vm, 'rootfs.ext4'),
    disk: join(vm, 'disk.ext4'),
    dtb: join(vm, 'virt.dtb'),
    dts: join(vm, 'virt.dts'),
    manifest: join(vm, 'manifest.json'),
    compileCommands: join(vm, 'compile_commands.json'),
  };
}

/**
 * The work directory of everything that runs in a container, below the host's own. Not the same one: the compilers
 * differ, so each change between host and container would make every task stale; and a QEMU that was built inside
 * needs the libraries inside.
 */
export function containerWork(work: string): string {
  return join(work, 'docker');
}

/** Of a path. */
export function ownTreeId(tree: string): string {
  return createHash('sha256').update(tree).digest('hex').slice(0, 16);
}
