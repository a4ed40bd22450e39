// SPDX-License-Identifier: MIT
/**
 * The devices of a project: each is a folder `device/NAME` of its own, or of
 * the package. Everything below the command line gets them handed in.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Device, ProjectDevice } from '../../vm/device.js';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import { deviceKitModules } from '../../lab/search/kit-modules.js';
import { didYouMean } from '../config/closest.js';
import { deviceFileIn, deviceFilesIn, deviceNamesIn } from '../config/device-files.js';
import { isPlainObject } from '../config/layers.js';
import { assertTrusted } from '../config/ownership.js';
import { isPackageItself, type Paths } from '../config/paths.js';
import { runUserModule } from '../config/user-module.js';
import { got } from '../config/wording.js';

/** Each has one for a device. What is there is built, and runs. */
const FOLDERS = ['device', 'driver', 'guest_fs'];

/** By the file that declares the device. */
const loaded = new Map<string, Promise<Device>>();

/** Loads them, in this order, each once. Throws 'bad-config' that names the file which is no device. */
export async function loadDevices(names: readonly string[], paths: Paths): Promise<readonly ProjectDevice[]> {
  const devices: ProjectDevice[] = [];
  // One after the other: of modules that they share, jiti would show the second one half loaded.
  for (const name of names) {
    const { root, file } = find(name, paths);
    if (root !== paths.package)
      assertTrusted(...FOLDERS.flatMap((folder) => [join(root, folder), join(root, folder, name)]));
    let device = loaded.get(file);
    if (device === undefined) {
      device = root === paths.package ? ownDevice(name) : projectDevice(file, paths);
      loaded.set(file, device);
    }
    const value = await device;
    check(value, name, file);
    devices.push({ device: value, root, files: deviceFilesIn(root, value) });
  }
  return devices;
}

/** The project's, else the package's. */
function find(name: string, paths: Paths): { readonly root: string; readonly file: string } {
  const { project, package: own } = paths;
  // The devices of a checkout are those that are compiled.
  const roots = isPackageItself(paths) ? [own] : [project, own];
  for (const root of roots) {
    const file = deviceFileIn(root, name);
    if (file !== undefined) return { root, file };
  }
  const known = [...new Set(roots.flatMap((root) => deviceNamesIn(root)))];
  throw new StopwatchError(
    'bad-config',
    `devices names ${name}, but there is no ${join('device', name, 'device.ts')}${didYouMean(name, known)}`,
    { hint: `It was looked for in ${roots.join(' and in ')}. There is: ${known.join(', ') || 'no device'}.` },
  );
}

/** Bundled: rolldown.config.js takes every device/NAME/device.ts. */
async function ownDevice(name: string): Promise<Device> {
  const module: { readonly device: Device } = await import(`../../device/${name}/device.ts`);
  return module.device;
}

async function projectDevice(file: string, { work }: Paths): Promise<Device> {
  assertTrusted(file);
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, {
    virtualModules: deviceKitModules(),
    // What was transpiled is kept, but no directory is made for it.
    fsCache: existsSync(work) ? join(work, 'config-cache') : false,
    interopDefault: false,
  });
  let module: { readonly device?: unknown };
  try {
    module = await runUserModule(file, async () => jiti.import<{ readonly device?: unknown }>(file));
  } catch (cause) {
    if (cause instanceof StopwatchError) throw cause;
    throw new StopwatchError('bad-config', `${file} cannot be loaded: ${messageOf(cause)}`, {
      hint: 'Its imports of the tool are #device-kit and #device-kit/fuzz; the rest is your own code. In a clone of Stopwatch that was updated, run `npm ci` first: it builds dist/ again.',
      cause,
    });
  }
  const { device } = module;
  if (isDevice(device)) return device;
  throw new StopwatchError(
    'bad-config',
    `${file}: expected an export \`device\` with a description that has a name, a qemuType and properties, got ${got(device)}`,
    {
      hint: 'Write `export const device: Device = { … }`, with the type from #device-kit: an editor says what is missing.',
    },
  );
}

function isDevice(value: unknown): value is Device {
  if (!isPlainObject(value)) return false;
  const { description, checker, generated } = value;
  return (
    isPlainObject(description) &&
    typeof description['name'] === 'string' &&
    typeof description['qemuType'] === 'string' &&
    isPlainObject(description['properties']) &&
    (checker === undefined || typeof checker === 'function') &&
    (generated === undefined || Array.isArray(generated))
  );
}

function check({ description }: Device, name: string, file: string): void {
  if (description.name === name) return;
  throw new StopwatchError(
    'bad-config',
    `${file}: the device is called ${description.name}, but its folder is called ${name}`,
    { hint: 'The name is that of its folders in device/, driver/ and guest_fs/: change one of the two.' },
  );
}
