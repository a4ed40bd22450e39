// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import type { ProjectDevice } from '../../vm/device.js';
import { chooseDevice, chooseDevices } from './choose-device.js';

function named(name: string): ProjectDevice {
  const files = { qemu: [], driver: undefined, kernelConfig: undefined, guest: [], programs: [] };
  return {
    device: { description: { name, qemuType: name, properties: {} } },
    root: '/',
    files: { ...files, tests: [], stress: undefined },
  };
}
const [led, rng, watch] = [named('led'), named('rng'), named('watch')];
const devices = [led, rng, watch];
const choice = (able: readonly ProjectDevice[], name?: string) => ({
  name,
  can: 'be searched',
  applies: (device: ProjectDevice) => able.includes(device),
  hint: 'It needs a search.',
});

test('the only one that applies needs no name', () => {
  expect(chooseDevice(devices, choice([rng]))).toBe(rng);
  expect(chooseDevice(devices, choice([rng, watch], 'watch'))).toBe(watch);
});

test.each([
  [choice([led, watch]), 'Several devices can be searched: led, watch: name one with --device'],
  [choice([]), 'No device of this project can be searched (its devices: led, rng, watch)'],
  [choice([led], 'rng'), '--device rng: this device cannot be searched'],
  [choice([led], 'wacht'), "--device wacht: the project has no such device; did you mean 'watch'?"],
])('otherwise it says what there is', (given, message) => {
  expect(() => chooseDevice(devices, given)).toThrow(expect.objectContaining({ code: 'bad-usage', message }));
});

test('all that apply, or the one that is named', () => {
  expect(chooseDevices(devices, choice([led, watch]))).toEqual([led, watch]);
  expect(chooseDevices(devices, choice([led, watch], 'led'))).toEqual([led]);
  expect(chooseDevices(devices, choice([]))).toEqual([]);
  expect(() => chooseDevices(devices, choice([led], 'rng'))).toThrow('this device cannot be searched');
});
