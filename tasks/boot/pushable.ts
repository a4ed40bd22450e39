// SPDX-License-Identifier: MIT
/** What a running guest can be given anew, and by which names. */
import { basename, join } from 'node:path';
import type { DeviceDescription } from '../../vm/device.js';
import { didYouMean } from '../config/closest.js';
import type { Config } from '../config/schema.js';
import { StopwatchError } from '../../lib/errors.js';
import { MODULE_TARGETS } from '../build/graph.js';
import type { Layout } from '../build/layout.js';
import { modulePath } from '../build/linux.js';

export interface Pushable {
  readonly name: string;
  /** File on the host. */
  readonly from: string;
  /** In the guest. */
  readonly path: string;
  readonly mode: number;
  /** Name of the module that this is. */
  readonly module: string | undefined;
  /** What must be up to date first. */
  readonly targets: readonly string[];
}

/** The scripts of the guest, but for the one that runs as long as it does, and the module where there is one. */
export function pushables(config: Config, layout: Layout, device: DeviceDescription): Pushable[] {
  const { module } = device;
  const scripts = device.build.guest
    .filter(({ path }) => path !== '/init')
    .map(({ file, path, mode }) => ({
      name: basename(path, '.sh'),
      from: join(layout.device, file),
      path,
      mode,
      module: undefined,
      targets: [],
    }));
  if (config.vm.driver === 'builtin') return scripts;
  const driver = {
    name: `${module}_module`,
    from: modulePath(layout, device),
    path: `/lib/modules/${module}.ko`,
    mode: 0o644,
    module,
    targets: MODULE_TARGETS,
  };
  return [...scripts, driver];
}

/** The guest's test. */
export function testOf(
  all: readonly Pushable[],
  layout: Layout,
  { guestTest }: DeviceDescription,
): Pushable | undefined {
  return all.find(({ from }) => from === join(layout.device, guestTest));
}

/** Those with these names; all, when none is named. Throws 'bad-usage'. */
export function chosen(all: readonly Pushable[], names: readonly string[]): readonly Pushable[] {
  if (names.length === 0) return all;
  return [...new Set(names)].map((name) => all.find((one) => one.name === name) ?? fail(all, name));
}

function fail(all: readonly Pushable[], name: string): never {
  const names = all.map((one) => one.name);
  const builtin = !all.some(({ module }) => module !== undefined) && name.endsWith('_module');
  throw new StopwatchError(
    'bad-usage',
    `Cannot push '${name}': expected one of ${names.join(', ')}${didYouMean(name, names)}`,
    builtin ? { hint: 'The driver is built into the kernel: start the VM with --driver module.' } : {},
  );
}
