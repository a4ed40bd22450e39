// SPDX-License-Identifier: MIT
/** `guest:disk`: the root of `run --rw`. What the guest writes stays; what is built here is brought up to date in it. */
import { existsSync } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import type { Config } from '../../config/schema.js';
import type { Task, TaskContext } from '../../engine/task.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import type { ProjectDevice } from '../../../vm/device.js';
import { readBase, sumsOnDisk, writeBase } from './guest-changes.js';
import { guestFiles } from './guest-base.js';
import { withDisk } from './guest-disk.js';
import type { Layout } from '../layout.js';
import { ownEntries } from './own-files.js';
import { debugfsScript, rootEntries } from './root-entries.js';
import { byDebugfs, rootFiles } from './rootfs.js';

/** Says that the disk has the files of this build. The disk itself is no output: guests change it. */
const stampOf = ({ disk }: Layout): string => `${disk}.json`;

/** A disk that was deleted is made anew. To be called before the task is looked at. */
export async function missDisk(layout: Layout): Promise<void> {
  if (!existsSync(layout.disk)) await rm(stampOf(layout), { force: true });
}

/** Whether a guest may have written to the disk since it was made from the image. */
export async function diskWritten(layout: Layout): Promise<boolean> {
  if (!existsSync(layout.disk)) return false;
  const told = await readFile(stampOf(layout), 'utf8').catch(() => '');
  if (told !== stampText(layout, true)) return true;
  return (await stat(layout.disk)).mtimeMs > (await stat(stampOf(layout))).mtimeMs;
}

const stampText = ({ disk }: Layout, unwritten: boolean): string =>
  `${JSON.stringify({ disk, ...(unwritten ? { unwritten } : {}) })}\n`;

export function diskTask(config: Config, layout: Layout, devices: readonly ProjectDevice[]): Task {
  return {
    name: 'guest:disk',
    title: 'Guest: disk that keeps changes',
    deps: ['guest:ext4'],
    inputs: {},
    outputs: [stampOf(layout)],
    jobs: 'one',
    run: async (context) => {
      const unwritten = !(await diskWritten(layout));
      const guest = guestFiles(layout, devices);
      const there = existsSync(layout.disk);
      const kept = there ? await refresh(context, config, layout, devices) : new Map<string, string>();
      if (!there) await copy(context, layout);
      const sums = await withDisk(layout.disk, context, async (reader) => sumsOnDisk(reader, guest));
      // Of what the guest's edit stays, what was there before it.
      await writeBase(layout.disk, { ...sums, ...Object.fromEntries(kept) });
      await writeFileAtomic(stampOf(layout), stampText(layout, unwritten));
    },
  };
}

async function copy(context: TaskContext, { ext4, disk }: Layout): Promise<void> {
  const partial = `${disk}.partial`;
  await context.exec('cp', [ext4, partial]);
  await rename(partial, disk);
}

/** Files that the guest has edited stay as they are; gives what was written of them before. */
async function refresh(
  context: TaskContext,
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
): Promise<ReadonlyMap<string, string>> {
  context.notice(`${layout.disk} keeps what the guest wrote; delete it to start from a new one`);
  // A machine that was switched off leaves a journal to be played back. 1: something was repaired.
  await context.exec('sh', ['-c', 'e2fsck -p "$0" || [ $? = 1 ]', layout.disk]);
  const base = (await readBase(layout.disk)) ?? {};
  const guest = guestFiles(layout, devices);
  const sums = await withDisk(layout.disk, context, async (reader) => sumsOnDisk(reader, guest));
  const kept = new Map(
    Object.entries(base).filter(([path, was]) => sums[path] !== undefined && sums[path] !== was),
  );
  if (kept.size > 0) {
    const paths = [...kept.keys()].join(', ');
    context.notice(
      `Edited in the guest, and left as it is there: ${paths} (npx stopwatch update_patches takes it to guest_fs/)`,
    );
  }
  const root = rootEntries([], rootFiles(config, layout, devices), ownEntries(config, layout));
  const files = root.filter(({ kind, path }) => kind === 'file' && !kept.has(path));
  // debugfs cannot replace a file.
  const remove = files.map(({ path }) => `rm ${path}\n`).join('');
  await byDebugfs(context, layout, `${remove}${debugfsScript(files)}`, layout.disk);
  return kept;
}
