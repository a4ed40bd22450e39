// SPDX-License-Identifier: MIT
/** The stopwatch, as the toolchain sees it. */
import type { DeviceDescription } from '../../vm/device-kit.js';

export const stopwatchDescription: DeviceDescription = {
  name: 'stopwatch',
  qemuType: 'stopwatch',
  compatible: 'stopwatch',
  kernelParameter: 'stopwatch',
  module: 'stopwatch',
  properties: { start_at_boot: true },
  tracePatterns: ['stopwatch_*'],
  monitorRegions: ['stopwatch-regs'],
  build: {
    qemu: {
      patches: 'patches/qemu',
      links: [
        { link: 'hw/misc/stopwatch/stopwatch.c', target: 'device/stopwatch/stopwatch.c' },
        { link: 'hw/misc/stopwatch/stopwatch.h', target: 'device/stopwatch/stopwatch.h' },
        { link: 'hw/misc/stopwatch/trace-events', target: 'device/stopwatch/trace-events' },
        { link: 'hw/misc/stopwatch/stopwatch_hw-sw.h', target: 'driver/stopwatch/stopwatch_hw-sw.h' },
        { link: 'configs/devices/aarch64-softmmu/stopwatch.mak', target: 'vm/qemu/stopwatch.mak' },
      ],
      deviceList: 'stopwatch',
      writeHandler: 'stopwatch_write',
    },
    linux: {
      patches: 'patches/linux',
      links: [{ link: 'drivers/misc/stopwatch', target: 'driver/stopwatch' }],
      symbol: 'CONFIG_STOPWATCH',
      directory: 'drivers/misc/stopwatch',
      sources: 'driver/stopwatch',
      config: 'vm/linux/kernel.config',
    },
    busybox: { config: 'vm/busybox/busybox.config' },
    guest: [
      { file: 'guest_fs/base/init.sh', path: '/init', mode: 0o755 },
      { file: 'guest_fs/base/poweroff.sh', path: '/usr/sbin/poweroff', mode: 0o755 },
      { file: 'guest_fs/base/poweroff.sh', path: '/usr/sbin/reboot', mode: 0o755 },
      { file: 'guest_fs/base/poweroff.sh', path: '/usr/sbin/halt', mode: 0o755 },
      { file: 'guest_fs/base/network_update.sh', path: '/usr/bin/network_update.sh', mode: 0o755 },
      { file: 'guest_fs/stopwatch/stopwatch_ctrl.sh', path: '/usr/bin/stopwatch_ctrl.sh', mode: 0o755 },
      { file: 'guest_fs/stopwatch/stopwatch_stress.sh', path: '/usr/bin/stopwatch_stress.sh', mode: 0o755 },
      { file: 'guest_fs/stopwatch/stopwatch_test.sh', path: '/usr/bin/stopwatch_test.sh', mode: 0o755 },
      { file: 'guest_fs/base/testing.sh', path: '/usr/lib/stopwatch/testing.sh', mode: 0o644 },
    ],
  },
  guestTest: 'guest_fs/stopwatch/stopwatch_test.sh',
  guestStress: 'guest_fs/stopwatch/stopwatch_stress.sh',
};
