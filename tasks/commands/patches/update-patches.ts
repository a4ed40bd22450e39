// SPDX-License-Identifier: MIT
/** `update_patches`: what was changed by hand in the QEMU and Linux trees becomes patches/ again, and what the guest changed guest_fs/. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Result, Services } from '../../config/services.js';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import { withLock } from '../../../lib/lock.js';
import type { Processes } from '../../../lib/process/process.js';
import { explainFsError } from '../../trees/fs-errors.js';
import type { Release } from '../../trees/pristine.js';
import { patchesFromTree, type TreePatches } from '../../trees/tree-to-patches.js';
import type { PatchUpdate } from '../../trees/update-patches.js';
import { bringUpToDate, toolchain } from '../../build/toolchain.js';
import { type Layout, layoutOf } from '../../build/layout.js';
import { finishWriting, writeUpdates } from './patch-writing.js';
import { PATCHED, type PatchedName, type PatchedTree, patchedTree } from '../../build/patching.js';
import { readStamp } from '../../build/source-stamp.js';
import { fetchFor } from '../../build/sources.js';
import { guestUpdate, writeGuest } from '../../boot/update-guest.js';
import { treeDeps } from '../../build/work-trees.js';

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
 * 'patch-failed' where trees and patches contradict one another.
 */
export async function updatePatches(services: Services): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const device = await services.device();
  const processes = await services.processes();
  const trees = () =>
    PATCHED.map((name) => ({ name, ...patchedTree(name, config, layout, device.description) }));
  const targets = PATCHED.map((name) => `${name}:patch`);
  const locked = <T>(action: () => Promise<T>) => underLock(services, processes, layout.work, action);

  await locked(async () => {
    for (const { patchDirectory, stateDir } of trees()) await finishWriting(patchDirectory, stateDir);
  });
  await bringUpToDate(await toolchain(services), targets);
  const written = await locked(async () => {
    // One after the other: what is known of a tree of 80,000 files is large.
    const updates: { readonly tree: PatchedTree; readonly found: TreePatches }[] = [];
    for (const tree of trees()) {
      updates.push({ tree, found: await updatesOf(services, processes, layout, tree) });
    }
    // Looked at before anything is written: where both sides changed, nothing is.
    const guest = await guestUpdate(services, layout, device.description);
    for (const text of guest.told) services.emit({ type: 'notice', task: undefined, text });
    const all: Written[] = [];
    for (const file of await writeGuest(services, layout, guest)) {
      all.push({ file, change: 'changed', paths: ["the guest's"] });
    }
    for (const { tree, found } of updates) {
      const { patches, updates: some } = found;
      if (some.length === 0) continue;
      await writeUpdates(tree.patchDirectory, tree.stateDir, patches, some).catch((error: unknown) => {
        throw explainFsError(error, 'write the patches', tree.patchDirectory);
      });
      for (const { name, change, paths: files } of some) {
        all.push({ file: relative(paths.project, join(tree.patchDirectory, name)), change, paths: files });
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

async function updatesOf(
  services: Services,
  processes: Processes,
  layout: Layout,
  tree: PatchedTree & { readonly name: PatchedName },
): Promise<TreePatches> {
  const deps = await treeDeps(services);
  if (tree.own) {
    deps.notice(
      `${tree.tree} is your own tree: what is changed in it is left to you and its version control.`,
    );
    return { patches: [], updates: [] };
  }
  const release = await releaseOf(services, processes, layout, tree);
  const index = join(layout.work, 'state', 'trees');
  return patchesFromTree({ ...tree, index }, release, deps);
}

/** The archive is looked for, or fetched again, only when something is wanted from it. */
async function releaseOf(
  services: Services,
  processes: Processes,
  layout: Layout,
  { name, tree, what }: PatchedTree & { readonly name: PatchedName },
): Promise<Release> {
  const { loaded, environment, signal, emit } = services;
  const { mirrors, exclude: leaveOut } = loaded.config.sources[name];
  const stamp = await readStamp(layout.sourceStamp(name));
  if (stamp === undefined) {
    throw new StopwatchError('bad-source-tree', `Which archive ${tree} was made from is not known`, {
      hint: `Move ${tree} away and run npx stopwatch prepare ${name}; then put your changes into the new tree.`,
    });
  }
  const archive = async () => {
    if (existsSync(stamp.file)) return stamp.file;
    const report = {
      signal,
      progress: () => {},
      log: () => {},
      notice: (text: string) => emit({ type: 'notice', task: undefined, text }),
    };
    const same = mirrors.filter(({ sha256 }) => sha256 === stamp.sha256);
    const ports = { processes, environment };
    return (await fetchFor(report, what, same.length > 0 ? same : [stamp.mirror], loaded.config, ports)).file;
  };
  return { tree, archive, sha256: stamp.sha256, leaveOut };
}

async function underLock<T>(
  { signal, emit }: Services,
  processes: Processes,
  work: string,
  action: () => Promise<T>,
): Promise<T> {
  const onWaiting = (holder: string) => emit({ type: 'waiting', holder });
  return withLock(join(work, 'lock'), { signal, processes, onWaiting }, action);
}

function textOf(written: readonly Written[]): string {
  if (written.length === 0)
    return 'Nothing to write: the patches say all that was changed in the trees, and guest_fs/ what was in the guest.\n';
  const width = Math.max(...written.map(({ file }) => file.length));
  return written
    .map(({ file, change, paths }) => `${file.padEnd(width)}  ${change.padEnd(7)}  ${paths.join(', ')}\n`)
    .join('');
}
