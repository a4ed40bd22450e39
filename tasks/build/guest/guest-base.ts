// SPDX-License-Identifier: MIT
/** The files of the guest that come from the host: those that every guest has, and the devices' own. */
import { join } from 'node:path';
import { PRODUCT } from '../../../lib/product.js';
import type { GuestFile, ProjectDevice } from '../../../vm/device.js';
import type { Layout } from '../layout.js';

/** Names in guest_fs/base of the package, with their paths and modes in the guest. */
const BASE = [
  ['init.sh', '/init', 0o755],
  ['poweroff.sh', '/usr/sbin/poweroff', 0o755],
  ['poweroff.sh', '/usr/sbin/reboot', 0o755],
  ['poweroff.sh', '/usr/sbin/halt', 0o755],
  ['network_update.sh', '/usr/bin/network_update.sh', 0o755],
  ['run_command.sh', '/usr/bin/run_command.sh', 0o755],
  ['testing.sh', `/usr/lib/${PRODUCT}/testing.sh`, 0o644],
] as const;

export function guestFiles(layout: Layout, devices: readonly ProjectDevice[]): readonly GuestFile[] {
  const directory = join(layout.package, 'guest_fs', 'base');
  const base = BASE.map(([name, path, mode]) => ({ file: join(directory, name), path, mode }));
  return [...base, ...devices.flatMap(({ files }) => files.guest)];
}
