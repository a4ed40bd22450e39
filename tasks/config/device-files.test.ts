// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Device } from '../../vm/device.js';
import { deviceFilesIn, deviceNamesIn } from './device-files.js';

const root = mkdtempSync(join(tmpdir(), 'device-files-'));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(...files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
}

const deviceOf = (name: string, ...generated: readonly string[]): Device => ({
  description: { name, qemuType: name, properties: {} },
  generated: generated.map((file) => ({ file, text: '' })),
});
const inGuest = (name: string) => ({
  file: join(root, 'guest_fs/led', name),
  path: `/usr/bin/${name}`,
  mode: 0o755,
});

test('everything has its place', () => {
  write('device/led/device.ts', 'device/led/led.c', 'device/led/led.h', 'device/led/.#led.c');
  write('device/led/model/step.ts', 'device/other/other.c');
  write('driver/led/Kbuild', 'driver/led/led.c', 'driver/led/led_hw-sw.h', 'driver/led/kernel.config');
  write('driver/led/led.yaml', 'driver/led/sysfs-led');
  write('guest_fs/led/led.sh', 'guest_fs/led/led_stress.sh', 'guest_fs/led/led_test.sh');
  expect(deviceFilesIn(root, deviceOf('led'))).toEqual({
    qemu: ['device/led/led.c', 'device/led/led.h', 'driver/led/led_hw-sw.h'].map((file) => join(root, file)),
    driver: {
      directory: join(root, 'driver/led'),
      module: 'led',
      names: ['Kbuild', 'led.c', 'led_hw-sw.h'],
    },
    kernelConfig: join(root, 'driver/led/kernel.config'),
    guest: ['led.sh', 'led_stress.sh', 'led_test.sh'].map(inGuest),
    programs: [],
    tests: [{ ...inGuest('led_test.sh'), name: 'led', causes: undefined }],
    stress: { ...inGuest('led_stress.sh'), name: 'led', causes: undefined },
  });
  expect(deviceNamesIn(root)).toEqual(['led']);
});

test('a device of QEMU’s own with the driver of Linux', () => {
  write('device/rng/device.ts', 'driver/rng/kernel.config');
  expect(deviceFilesIn(root, deviceOf('rng'))).toEqual({
    qemu: [],
    driver: undefined,
    kernelConfig: join(root, 'driver/rng/kernel.config'),
    guest: [],
    programs: [],
    tests: [],
    stress: undefined,
  });
});

test('a header that is generated counts before it is written', () => {
  write('device/led/device.ts', 'device/led/led.c', 'driver/led/Kbuild');
  const { qemu, driver } = deviceFilesIn(root, deviceOf('led', 'driver/led/led_hw-sw.h'));
  expect(qemu).toContain(join(root, 'driver/led/led_hw-sw.h'));
  expect(driver?.names).toEqual(['Kbuild', 'led_hw-sw.h']);
});

function script(name: string, text: string, mode = 0o755): void {
  write(`guest_fs/led/${name}`);
  writeFileSync(join(root, 'guest_fs/led', name), text, { mode });
  chmodSync(join(root, 'guest_fs/led', name), mode);
}
const tests = () => deviceFilesIn(root, deviceOf('led')).tests.map(({ name, causes }) => [name, causes]);

test('each C file of the guest is a program, with the headers beside it and those of the driver', () => {
  write('guest_fs/led/led.c', 'guest_fs/led/load_test.c', 'guest_fs/led/common.h', 'guest_fs/led/led.sh');
  write('driver/led/led_uapi.h');
  const found = deviceFilesIn(root, deviceOf('led'));
  const headers = ['guest_fs/led/common.h', 'driver/led/led_uapi.h'].map((file) => join(root, file));
  const program = (name: string) => ({ ...inGuest(name), file: join(root, 'guest_fs/led', `${name}.c`) });
  expect(found.guest).toEqual([inGuest('led.sh')]);
  expect(found.programs).toEqual([
    { ...program('led'), name: 'led', headers },
    { ...program('load_test'), name: 'load_test', headers },
  ]);
  expect(found.tests).toEqual([{ ...program('load_test'), name: 'load', causes: undefined }]);
});

describe('tests', () => {
  test('are scripts and programs, the one of the device’s name first', () => {
    script('a_test.sh', '#!/bin/sh\n#\n#  causes:  reads=2 writes=11\n');
    script('led_test.sh', '#!/bin/sh\n\n# causes: reads=1\n');
    script('z_test', '\x7fELF # causes: reads=1');
    script('c_test.c', '// SPDX\n/*\n * causes: writes=3\n */\nint main(void);\n/*\n * causes: x=1\n */');
    script('notes_test', 'text', 0o644);
    script('led_stress.sh', '#!/bin/sh\n');
    expect(tests()).toEqual([
      ['led', undefined],
      ['a', { reads: 2, writes: 11 }],
      ['c', { writes: 3 }],
      ['z', undefined],
    ]);
  });

  test('refuse what they cannot cause', () => {
    script('a_test.sh', '#!/bin/sh\n# causes: reads 2\n');
    expect(tests).toThrow(/a_test\.sh: expected NAME=NUMBER after 'causes:', got 'reads'/);
  });
});
