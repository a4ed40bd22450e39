// SPDX-License-Identifier: MIT
/** The meaning of each setting, for docs/commands.md. The rest of a row comes from the schema and the defaults. */

/** By path, `sources.NAME.*` standing for all three sources. A test sees to it that none is missing and none is left over. */
export const SETTINGS: Readonly<Record<string, string>> = {
  'sources.NAME.version':
    'release; part of the names of trees and tasks. Another one needs its own `mirrors`',
  'sources.NAME.mirrors':
    'where the archive comes from, tried in this order: `{ url, sha256 }`, or `{ debian, sha256 }` for a path below the Debian mirror that apt on this host is configured for',
  'sources.NAME.tree':
    'directory of a tree of your own, a copy of which is used instead of a release (`--source`)',
  'sources.NAME.inPlace': 'patch and build that directory itself instead of a copy (`--source-in-place`)',
  'sources.NAME.exclude': 'tar patterns, below the top directory, of what is not extracted',
  'releases.qemu':
    'sha256 of the archives of other releases, by version: those that `matrix` may build, from the same mirrors',
  'releases.linux': 'the same of Linux',
  'qemuTools.meson':
    'Debian package of meson, unpacked and not installed; for releases of QEMU without wheels',
  'qemuTools.pycotap': 'the same of pycotap',
  devices:
    'the devices of the project, which are built: each is a folder `device/NAME` here or in the package: [own-device.md](own-device.md)',
  'build.cross': 'prefix of the cross compiler and its tools',
  'build.jobs': 'processes at once of a build, of which one runs at a time; 0: one per processor (`--jobs`)',
  'build.ccache': 'auto: where it is installed; on: it must be there; off: never',
  'build.variant':
    'plain: QEMU as it is; sanitize: with the address and undefined-behaviour sanitizers; coverage: with the device counting which lines and branches it reaches; debug: the device and the kernel with debug information, the kernel with KASAN, lockdep and other checks, more memory and longer limits; kunit: the kernel with KUnit (`--variant`)',
  'cache.remote':
    'address of a compile cache that several machines share, behind the local one; null for none: [cache.md](cache.md)',
  'cache.readOnly': 'take from the shared cache, and write nothing to it',
  'cache.timeoutSeconds': 'an answer of the shared cache that takes longer is given up, seconds',
  'kernel.config':
    'options of the guest’s kernel, over those of the package and of the devices: `CONFIG_X=y`, `# CONFIG_X is not set`, or the path of a file with such lines: [guest.md](guest.md)',
  'guest.files':
    'files of the host for the guest: `{ from, to, mode }`. `from` is a file, a directory or a Debian package for arm64 (relative to the project), `to` a path in the guest: [guest.md](guest.md)',
  'guest.busybox': 'options of Busybox, as in `kernel.config`',
  'vm.devices':
    'the devices that the VM has, in this order: `{ device, id, properties }`. `id` is its name in QEMU, in traces and in reports (default: that of the device); `properties` are as for `-device`, over those that the device declares',
  'vm.accelerator':
    'auto: KVM where the host is aarch64, may use it, and the clock is the host’s; else TCG (`--accel`)',
  'vm.cpu': 'processor model under TCG; under KVM it is the host’s',
  'vm.cpus': 'virtual processors',
  'vm.memoryMiB': 'memory of the guest, MiB',
  'vm.clock':
    'icount: the deterministic clock, which counts instructions, and sleeps cost no time; realtime: the host’s clock (`--realtime`). `run` always has the host’s',
  'vm.driver': 'module: loaded by init; builtin: in the kernel image (`--driver`)',
  'vm.rootfs': 'root file system of `all`, `run-test-quit` and `run` (`--rootfs`)',
  'vm.ext4MiB': 'size of the ext4 image, MiB',
  'vm.splats':
    'when the kernel complained (BUG, WARNING, KASAN, lockdep, …) and the test passed all the same: warn, or fail',
  'vm.append': 'added to the guest kernel’s command line',
  'vm.qemuArgs': 'added to QEMU’s arguments, at the end',
  'vm.firstOutputSeconds':
    'the guest counts as silent if it prints nothing for this long after the start, host seconds',
  'vm.silenceSeconds': 'the guest counts as hung if it prints nothing for this long, host seconds',
  'vm.totalSeconds': 'a test is stopped after this long in any case, host seconds',
  'crosscheck.run': 'judge `run` too (`--crosscheck`)',
  'crosscheck.monitor': 'compare QEMU’s own trace with the device’s',
  'crosscheck.slackMs':
    'how late an expiry may be on the host’s clock, milliseconds of virtual time; with icount it is always 0',
  'keep.count': 'how many reports, logs and downloads stay, of each',
  'keep.maxMiB': 'how much reports, logs and downloads may take, each, MiB; null: no limit',
  'downloads.directory':
    'the cache that all checkouts share; null: `$XDG_CACHE_HOME/stopwatch`, or `~/.cache/stopwatch`',
  'downloads.stallSeconds': 'a server that sends nothing for this long has stalled, seconds',
  'downloads.tries':
    'tries at one mirror before the next one, with growing pauses; a try that got on by 1 MiB does not count',
  'downloads.offline': 'use only what is there (`--offline`)',
};
