// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import type { DeviceDescription, ProjectDevice } from '../../../vm/device.js';
import { cSources, qemuDirectory } from './qemu-devices.js';

function device(description: Partial<DeviceDescription> & { name: string }, qemu: string[]): ProjectDevice {
  return {
    device: { description: { qemuType: description.name, properties: {}, ...description } },
    root: '/project',
    files: {
      qemu,
      driver: undefined,
      kernelConfig: undefined,
      guest: [],
      programs: [],
      tests: [],
      stress: undefined,
    },
  };
}

const lamp = device(
  {
    name: 'lamp',
    qemuType: 'pv-lamp',
    deviceTree: { compatible: 'acme,lamp', regions: ['mem', 'regs'] },
    traceEvents: { prefix: 'lamp_', text: 'lamp_on(const char *id) "id=%s"\n' },
  },
  ['/project/device/lamp/lamp.c', '/project/driver/lamp/lamp_hw-sw.h'],
);
const layout = { package: '/package', qemuDevices: '/build/qemu-devices' };
const edu = device({ name: 'edu', qemuConfig: ['CONFIG_EDU=y'] }, []);

test('every list of QEMU is made from the list of devices', () => {
  const { files, links } = qemuDirectory(layout, [lamp, edu], 'CONFIG_ARM_VIRT=y\n');
  expect(links).toEqual({
    'lamp/lamp.c': '/project/device/lamp/lamp.c',
    'lamp/lamp_hw-sw.h': '/project/driver/lamp/lamp_hw-sw.h',
    'pv.h': '/package/vm/qemu/pv.h',
  });
  expect(files['meson.build']).toContain("  'lamp/lamp.c',\n");
  expect(files['trace-events']).toBe('lamp_on(const char *id) "id=%s"\n');
  expect(files['devices.h']).toContain('DEVICE("pv-lamp", "acme,lamp", "mem", "regs")\n');
  expect(files['devices.h']).not.toContain('edu');
  const both = { compatible: ['acme,lamp', '8lamp'], regions: [] } as const;
  const two = qemuDirectory(layout, [device({ name: 'lamp', deviceTree: both }, [])], '');
  expect(two.files['devices.h']).toContain('DEVICE("lamp", "acme,lamp\\0008lamp")\n');
  expect(files['pv.mak']).toBe('CONFIG_ARM_VIRT=y\nCONFIG_EDU=y\n');
});

test('a C file is found in the tree by the name of its device', () => {
  expect(cSources(lamp)).toEqual([{ link: 'hw/misc/pv/lamp/lamp.c', target: '/project/device/lamp/lamp.c' }]);
  expect(cSources(edu)).toEqual([]);
});
