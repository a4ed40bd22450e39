// SPDX-License-Identifier: MIT
/**
 * The defaults: versions, places, sums, the VM. Pure data.
 *
 * To change them for a project of your own, write a `stopwatch.config.ts`
 * beside your package.json that exports only what differs; environment
 * variables (STOPWATCH_VM_MEMORY_MIB=256) and flags go over it.
 * `stopwatch status --json` shows what is in force and where it came from.
 */
import { defineConfig } from './tasks/config/define.js';

export default defineConfig({
  sources: {
    // The upstream sums are those that distributions publish for the same files.
    qemu: {
      version: '10.0.2',
      places: [
        {
          url: 'https://download.qemu.org/qemu-10.0.2.tar.xz',
          sha256: 'ef786f2398cb5184600f69aef4d5d691efd44576a3cff4126d38d4c6fec87759',
        },
        {
          debian: 'pool/main/q/qemu/qemu_10.0.2+ds.orig.tar.xz',
          sha256: '0901da33844a331bf8b3602b9c1fbd178e60b737c8e3ade678255bd090c9b9f1',
        },
      ],
      tree: null,
      // Three quarters of the tree. docs/meson.build is read; what else configure reads of these is patched out.
      leaveOut: [
        'roms',
        'tests',
        'docs/*/*',
        'docs/*.rst',
        'docs/*.txt',
        'subprojects/berkeley-*',
        'subprojects/libvfio-user',
        'pc-bios/*.bin',
        'pc-bios/*.bz2',
        'pc-bios/*.img',
        'pc-bios/*.rom',
        'pc-bios/*.lid',
      ],
    },
    linux: {
      version: '6.12.94',
      places: [
        {
          url: 'https://cdn.kernel.org/pub/linux/kernel/v6.x/linux-6.12.94.tar.xz',
          sha256: 'e998a232b9418db3301cb58468e291a4f41d6ab8306029b30d991f56251dc8d2',
        },
        {
          debian: 'pool/main/l/linux/linux_6.12.94.orig.tar.xz',
          sha256: '3eea3dd18f67a103f6f8312e314075f695a27eaddd839e7b6c4641e6616dabba',
        },
      ],
      tree: null,
      // What no kernel for arm64 is built from, and the 440 MB of register names that only AMD's graphics
      // driver wants. Of some architectures crypto/ stays: its Kconfig is read whatever is built.
      leaveOut: [
        'Documentation/[a-z]*',
        'tools/testing',
        'tools/perf',
        'arch/alpha',
        'arch/arc',
        'arch/csky',
        'arch/hexagon',
        'arch/m68k',
        'arch/microblaze',
        'arch/nios2',
        'arch/openrisc',
        'arch/parisc',
        'arch/sh',
        'arch/um/[!s]*',
        'arch/xtensa',
        'arch/loongarch/[!c]*',
        'arch/mips/[!c]*',
        'arch/powerpc/[!c]*',
        'arch/riscv/[!c]*',
        'arch/s390/[!c]*',
        'arch/sparc/[!c]*',
        'arch/arm/boot',
        'arch/arm/configs',
        'arch/arm/kernel',
        'arch/arm/mach-*',
        'arch/arm/mm',
        'arch/x86/boot',
        'arch/x86/configs',
        'arch/x86/events',
        'arch/x86/kernel',
        'arch/x86/kvm',
        'arch/x86/lib',
        'arch/x86/mm',
        'arch/x86/platform',
        'drivers/gpu/drm/amd/include/asic_reg',
      ],
    },
    busybox: {
      version: '1.37.0',
      places: [
        {
          url: 'https://www.busybox.net/downloads/busybox-1.37.0.tar.bz2',
          sha256: '3311dff32e746499f4df0d5df04d7eb396382d7e108bb9250e7b519b837043a4',
        },
        {
          url: 'https://sources.buildroot.net/busybox/busybox-1.37.0.tar.bz2',
          sha256: '3311dff32e746499f4df0d5df04d7eb396382d7e108bb9250e7b519b837043a4',
        },
        {
          debian: 'pool/main/b/busybox/busybox_1.37.0.orig.tar.bz2',
          sha256: '3311dff32e746499f4df0d5df04d7eb396382d7e108bb9250e7b519b837043a4',
        },
      ],
      tree: null,
      leaveOut: [],
    },
  },
  // A release of QEMU that Debian repacked brings no wheels; upstream's does, and needs neither.
  qemuTools: {
    meson: {
      debian: 'pool/main/m/meson/meson_1.7.0-1_all.deb',
      sha256: 'e92d04e60e784336883d537755d09b7dcb856809fa318a0931df3898e84ded95',
    },
    pycotap: {
      debian: 'pool/main/p/python-pycotap/python3-pycotap_1.3.1-2_all.deb',
      sha256: '7e8dbf3ac06434275a461d0de79792e2b80126febc53866c89027adde5192ac9',
    },
  },
  build: {
    cross: 'aarch64-linux-gnu-',
    jobs: 0,
    ccache: 'auto',
    variant: 'plain',
  },
  cache: {
    remote: null,
    readOnly: false,
    timeoutSeconds: 2,
  },
  vm: {
    accelerator: 'auto',
    cpu: 'cortex-a57',
    cpus: 1,
    memoryMiB: 128,
    clock: 'icount',
    driver: 'module',
    rootfs: 'initramfs',
    ext4MiB: 64,
    splats: 'warn',
    deviceProperties: {},
    append: [],
    qemuArgs: [],
    firstOutputSeconds: 10,
    silenceSeconds: 6,
    totalSeconds: 300,
  },
  crosscheck: {
    run: false,
    monitor: true,
    slackMs: 1000,
  },
  // What is old goes by itself when it is more than this. Edits by hand never do.
  keep: {
    reports: 200,
    maxMiB: 4096,
  },
  downloads: {
    directory: null,
    stallSeconds: 20,
    tries: 4,
    offline: false,
  },
});
