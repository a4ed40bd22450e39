// SPDX-License-Identifier: MIT
/** QEMU's own virtio random generator, with Linux's driver: to stand beside rngboi. Nothing checks it against a model. */
import type { Device } from '../../vm/device-kit.js';

export const device: Device = {
  description: { name: 'virtio-rng', qemuType: 'virtio-rng-device', properties: {} },
};
