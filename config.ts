// SPDX-License-Identifier: MIT
/**
 * The defaults. Pure data; versions, mirrors and checksums are in sources.json.
 *
 * To change them for a project of your own, write a `stopwatch.config.ts`
 * beside your package.json that exports only what differs; environment
 * variables (STOPWATCH_VM_MEMORY_MIB=256) and flags override it.
 * `stopwatch status --json` shows the effective values and their origins.
 */
import pins from './sources.json' with { type: 'json' };
import { defineConfig } from './tasks/config/define.js';

export default defineConfig({
  sources: {
    qemu: {
      tree: null,
      inPlace: false,
      // Three quarters of the tree. What configure reads of these is patched out.
      exclude: [
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
      ...pins.sources.qemu,
    },
    linux: {
      tree: null,
      inPlace: false,
      // What no kernel for arm64 is built from, and the 440 MB of register names that only AMD's graphics
      // driver wants. Of some architectures crypto/ stays: its Kconfig is read whatever is built.
      exclude: [
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
      ...pins.sources.linux,
    },
    busybox: {
      tree: null,
      inPlace: false,
      exclude: [],
      ...pins.sources.busybox,
    },
  },
  releases: pins.releases,
  qemuTools: pins.qemuTools,
  // Each is a folder device/NAME, here or in the package.
  devices: ['stopwatch', 'rngboi', 'virtio-rng'],
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
  kernel: {
    config: [],
  },
  guest: {
    files: [],
    busybox: [],
  },
  vm: {
    devices: [{ device: 'stopwatch' }],
    accelerator: 'auto',
    cpu: 'cortex-a57',
    cpus: 1,
    memoryMiB: 128,
    clock: 'icount',
    driver: 'module',
    rootfs: 'initramfs',
    ext4MiB: 64,
    splats: 'warn',
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
  // For reports, logs and downloads, each.
  keep: {
    count: 200,
    maxMiB: 2048,
  },
  downloads: {
    directory: null,
    stallSeconds: 20,
    tries: 4,
    offline: false,
  },
});
