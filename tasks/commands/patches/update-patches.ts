// SPDX-License-Identifier: MIT
/** `update_patches`: what was changed by hand in the QEMU and Linux trees becomes patches/ again, and what the guest changed guest_fs/. */
import { join, relative } from 'node:path';
import type { Result, Services } from '../../config/services.js';
import { EXIT } from '../../../lib/errors.js';
import { guestUpdate, writeGuest } from '../../build/guest/guest-edits.js';
import { layoutOf } from '../../build/layout.js';
import { PATCHED, patchedTree } from '../../build/patching.js';
import { bringUpToDate, toolchain } from '../../build/toolchain.js';
import { gitPortsOf, withWorkLock } from '../../build/work-trees.js';
import { Repository } from '../../trees/repository/repository.js';
import { type PatchUpdate, planUpdate } from '../../trees/update-patches.js';

/** Of one patch file. */
interface Written {
  /** Relative to the project. */
  readonly file: string;
  readonly change: PatchUpdate['change'];
  readonly paths: readonly string[];
}

/**
 * First the trees get the patches as they are now, so that none is forgotten
 * that came from elsewhere; then the patches are made from the trees. Throws
 * 'patch-failed' where trees and patches contradict one another, and where one of the package's patches was changed.
 */
export async function writePatches(services: Services): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const devices = await services.devices();
  const targets = PATCHED.map((name) => `${name}:patch`);
  await bringUpToDate(await toolchain(services), targets);
  const written = await withWorkLock(services, layout.work, async () => {
    const ports = await gitPortsOf(services);
    const plans = [];
    for (const name of PATCHED) {
      const tree = patchedTree(name, config, layout);
      plans.push({ tree, plan: await planUpdate(new Repository(tree.repository, ports), tree.series) });
    }
    // Looked at before anything is written: where both sides changed, nothing is.
    const guest = await guestUpdate(services, layout, devices);
    for (const text of guest.notices) services.emit({ type: 'notice', task: undefined, text });
    const all: Written[] = [];
    for (const file of await writeGuest(layout, guest)) {
      all.push({ file, change: 'changed', paths: ["the guest's"] });
    }
    for (const { tree, plan } of plans) {
      await plan.write();
      for (const { name, change, paths: files } of plan.updates) {
        all.push({ file: relative(paths.project, join(tree.series.directory, name)), change, paths: files });
      }
    }
    return all;
  });
  // The trees have these patches already: that is written down, and nothing else changes.
  if (written.length > 0) await bringUpToDate(await toolchain(services), targets);
  return {
    exitCode: EXIT.passed,
    text: textOf(written),
    data: { written },
    ...(written.length > 0 ? { next: 'git diff' } : {}),
  };
}

function textOf(written: readonly Written[]): string {
  if (written.length === 0)
    return 'Nothing to write: the patches say all that was changed in the trees, and guest_fs/ what was in the guest.\n';
  const width = Math.max(...written.map(({ file }) => file.length));
  return written
    .map(({ file, change, paths }) => `${file.padEnd(width)}  ${change.padEnd(7)}  ${paths.join(', ')}\n`)
    .join('');
}
