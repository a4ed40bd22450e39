// SPDX-License-Identifier: MIT
/** `--device NAME`, for the commands that concern one device. */
import { StopwatchError } from '../../lib/errors.js';
import type { ProjectDevice } from '../../vm/device.js';
import { didYouMean } from './closest.js';

interface DeviceChoice {
  /** `--device`. */
  readonly name?: string | undefined;
  /** Completes 'This device cannot …': 'be searched'. */
  readonly can: string;
  applies(device: ProjectDevice): boolean;
  /** Says how a device that does not apply could. */
  readonly hint?: string | undefined;
}

const nameOf = ({ device }: ProjectDevice): string => device.description.name;

/** The device that is named, or the only one that applies. Throws 'bad-usage'. */
export function chooseDevice(devices: readonly ProjectDevice[], choice: DeviceChoice): ProjectDevice {
  const { name, can, hint } = choice;
  if (name !== undefined) return namedDevice(devices, choice, name);
  const [first, ...more] = devices.filter((device) => choice.applies(device));
  if (first === undefined) {
    const names = devices.map(nameOf).join(', ') || 'none';
    throw new StopwatchError('bad-usage', `No device of this project can ${can} (its devices: ${names})`, {
      hint,
    });
  }
  if (more.length === 0) return first;
  const names = [first, ...more].map(nameOf).join(', ');
  throw new StopwatchError('bad-usage', `Several devices can ${can}: ${names}: name one with --device`);
}

/** The devices that apply, or the one that is named. Throws 'bad-usage' where one is named that does not. */
export function chooseDevices(
  devices: readonly ProjectDevice[],
  choice: DeviceChoice,
): readonly ProjectDevice[] {
  if (choice.name !== undefined) return [namedDevice(devices, choice, choice.name)];
  return devices.filter((device) => choice.applies(device));
}

function namedDevice(
  devices: readonly ProjectDevice[],
  { can, hint, ...choice }: DeviceChoice,
  name: string,
): ProjectDevice {
  const found = devices.find((device) => nameOf(device) === name);
  if (found === undefined) {
    const names = devices.map(nameOf);
    throw new StopwatchError(
      'bad-usage',
      `--device ${name}: the project has no such device${didYouMean(name, names)}`,
      { hint: `Its devices: ${names.join(', ') || 'none'}; the setting \`devices\` lists them.` },
    );
  }
  if (choice.applies(found)) return found;
  throw new StopwatchError('bad-usage', `--device ${name}: this device cannot ${can}`, { hint });
}
