// SPDX-License-Identifier: MIT
/** The paths of all sources and results in the work directory. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { Paths } from '../config/paths.js';
import type { Config, SourceName } from '../config/schema.js';
import { KERNEL_VARIANTS, type Variant } from '../config/variants.js';

export type Layout = Readonly<ReturnType<typeof layoutOf>>;

export function layoutOf(config: Config, paths: Paths) {
  const { src, build } = paths;
  const release = (source: SourceName) => join(src, `${source}-${config.sources[source].version}`);
  const { variant } = config.build;
  const of = (variants: readonly Variant[], name: string) =>
    variants.includes(variant) ? `${name}-${variant}` : name;
  /** `-linux-6.18.5`, where another release than the project's is built. */
  const mark = (...sources: readonly SourceName[]) =>
    sources.map((name) => (paths.beside?.includes(name) ? `-${basename(release(name))}` : '')).join('');
  const linuxBuild = join(build, `${of(KERNEL_VARIANTS, 'linux')}${mark('linux')}`);
  const qemuBuild = join(build, `${of(['sanitize'], 'qemu')}${mark('qemu')}`);
  const vmOf = (...sources: readonly SourceName[]) =>
    join(paths.vm, variant === 'plain' ? '' : variant, mark(...sources).slice(1));
  const vm = vmOf('qemu');
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
    /** Source tree of a release, a copy of the user's own tree, or the user's own tree if built in place. */
    tree: treeOf,
    /** The trees that are built, and the user's own trees that they are copied from. */
    watchedTrees: [
      ...new Set(names.flatMap((name) => [treeOf(name), config.sources[name].tree ?? []].flat())),
    ],
    /** Says which archive the tree was made from; absent for a tree of the user's own. */
    sourceStamp: (source: SourceName) => `${release(source)}.source.json`,
    /** Where QEMU is configured and compiled; some variants compile only the device again, beside it. */
    qemuBuild,
    qemu: join(
      build,
      `${of(['sanitize', 'coverage', 'debug'], 'qemu')}${mark('qemu')}`,
      'qemu-system-aarch64',
    ),
    /** Generated from the list of devices; `hw/misc/pv` of QEMU's tree leads to it. */
    qemuDevices: join(build, 'qemu-devices'),
    /** meson and pycotap, for releases of QEMU that were repacked without them. */
    mesonTools: join(build, `meson-tools${mark('qemu')}`),
    linuxBuild,
    kernel: join(linuxBuild, 'arch', 'arm64', 'boot', 'Image'),
    /** A directory for each driver that is built as a module, with links to its sources. */
    drivers: join(build, `${of(KERNEL_VARIANTS, 'drivers')}${mark('linux')}`),
    /** Generated from the list of devices; `drivers/misc/pv` of the Linux tree leads to it. */
    builtinDrivers: join(build, 'linux-drivers'),
    busyboxBuild: join(build, 'busybox'),
    busybox: join(build, 'busybox', 'busybox'),
    /** The kernel's gen_init_cpio. */
    cpioTool: join(build, `gen_init_cpio${mark('linux')}`),
    initramfs: join(vmOf('linux'), 'initramfs.cpio'),
    /** The devices' programs for the guest, compiled. */
    guestPrograms: join(build, 'guest-programs'),
    /** The user's own Debian packages for the guest, unpacked. */
    guestPackages: join(build, 'guest-packages'),
    ext4: join(vmOf('linux'), 'rootfs.ext4'),
    /** A copy of the ext4 image that keeps what a guest writes. */
    disk: join(vmOf('linux'), 'disk.ext4'),
    /** The machine's device tree, as QEMU makes it, and its source. */
    dtb: join(vm, 'virt.dtb'),
    dts: join(vm, 'virt.dts'),
    manifest: join(vmOf('linux', 'qemu'), 'manifest.json'),
    /** The compiler's commands, for editors. */
    compileCommands: join(vmOf('linux', 'qemu'), 'compile_commands.json'),
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

/** Identifies a tree of the user's own by its path. */
export function ownTreeId(tree: string): string {
  return createHash('sha256').update(tree).digest('hex').slice(0, 16);
}
