// SPDX-License-Identifier: MIT
/**
 * The device that is built: the package's own, or that of a project which has a
 * `device/NAME/device.ts`. Everything below the command line gets it handed in.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../vm/device.js';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import { deviceKitModules } from '../../lab/search/kit-modules.js';
import { isPlainObject } from '../config/layers.js';
import { deviceFileIn, type Paths } from '../config/paths.js';
import { got } from '../config/wording.js';

const loaded = new Map<string, Promise<Device>>();

/** Loads it, once. Throws 'bad-config' that names the project's file where that is no device. */
export async function loadDevice(paths: Paths): Promise<Device> {
  const { device: root, package: own } = paths;
  let device = loaded.get(root);
  if (device === undefined) {
    device = root === own ? ownDevice() : projectDevice(paths);
    loaded.set(root, device);
  }
  return device;
}

async function ownDevice(): Promise<Device> {
  return (await import('../../device/stopwatch/device.js')).device;
}

async function projectDevice({ device: root, work }: Paths): Promise<Device> {
  const file = deviceFileIn(root) ?? join(root, 'device', 'NAME', 'device.ts');
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, {
    virtualModules: deviceKitModules(),
    // What was transpiled is kept, but no directory is made for it.
    fsCache: existsSync(work) ? join(work, 'config-cache') : false,
    interopDefault: false,
  });
  let module: { readonly device?: unknown };
  try {
    module = await jiti.import(file);
  } catch (cause) {
    throw new StopwatchError('bad-config', `${file} cannot be loaded: ${messageOf(cause)}`, {
      hint: 'Its imports of the tool are #device-kit and #device-kit/fuzz; the rest is your own code.',
      cause,
    });
  }
  const { device } = module;
  if (!isDevice(device)) {
    throw new StopwatchError(
      'bad-config',
      `${file}: expected an export \`device\` with a description, crosscheck(), checkFile() and generated, got ${got(device)}`,
      {
        hint: 'Write `export const device: Device = { … }`, with the type from #device-kit: an editor says what is missing.',
      },
    );
  }
  checkFiles(device, root, file);
  return device;
}

function isDevice(value: unknown): value is Device {
  return (
    isPlainObject(value) &&
    isPlainObject(value['description']) &&
    isPlainObject(value['description']['build']) &&
    typeof value['crosscheck'] === 'function' &&
    typeof value['checkFile'] === 'function' &&
    Array.isArray(value['generated'])
  );
}

/** A link that leads nowhere would only be seen by a compiler. */
function checkFiles({ description, generated }: Device, root: string, file: string): void {
  const { qemu, linux, busybox, guest } = description.build;
  const made = new Set(generated.map((one) => one.file));
  const declared = [
    ...qemu.links.map(({ target }) => target),
    ...linux.links.map(({ target }) => target),
    linux.sources,
    linux.config,
    busybox.config,
    ...guest.map((one) => one.file),
    description.guestTest,
    ...(description.guestStress === undefined ? [] : [description.guestStress]),
  ];
  const missing = [...new Set(declared)].filter((path) => !made.has(path) && !existsSync(join(root, path)));
  if (missing.length === 0) return;
  throw new StopwatchError(
    'bad-config',
    `${file}: ${missing.length === 1 ? 'a file' : `${missing.length} files`} that the device declares ${missing.length === 1 ? 'is' : 'are'} not there: ${missing.join(', ')}`,
    { hint: `Paths are relative to ${root}; correct them in the device's description.` },
  );
}
