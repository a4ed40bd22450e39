// SPDX-License-Identifier: MIT
/** `guest:disk`: the root of `run --rw`. It keeps the guest's changes; the files that are built here are updated in it. */
import { existsSync } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import type { Config } from '../../config/schema.js';
import type { Task, TaskContext } from '../../engine/task.js';
import { flush, writeFileAtomic } from '../../../lib/files/atomic.js';
import type { ProjectDevice } from '../../../vm/device.js';
import {
  editable,
  nextOf,
  readDisk,
  readWritten,
  recordWritten,
  sumOf,
  type WrittenSums,
} from './guest-edits.js';
import type { Layout } from '../layout.js';
import { ownEntries } from './own-files.js';
import { debugfsScript, rootEntries } from './root-entries.js';
import { byDebugfs, rootFiles } from './rootfs.js';

/** Records that the disk has the files of this build. The disk itself is no output, because guests change it. */
const stampOf = ({ disk }: Layout): string => `${disk}.json`;

/** A disk that was deleted is made again. To be called before the task is looked at. */
export async function missDisk(layout: Layout): Promise<void> {
  if (!existsSync(layout.disk)) await rm(stampOf(layout), { force: true });
}

/** True if a guest may have written to the disk since it was made from the image. */
export async function diskWritten(layout: Layout): Promise<boolean> {
  if (!existsSync(layout.disk)) return false;
  const stamp = await readFile(stampOf(layout), 'utf8').catch(() => '');
  if (stamp !== stampText(layout, true)) return true;
  return (await stat(layout.disk)).mtimeMs > (await stat(stampOf(layout))).mtimeMs;
}

const stampText = ({ disk }: Layout, unwritten: boolean): string =>
  `${JSON.stringify({ disk, ...(unwritten ? { unwritten } : {}) })}\n`;

export function diskTask(config: Config, layout: Layout, devices: readonly ProjectDevice[]): Task {
  const { ext4, disk } = layout;
  return {
    name: 'guest:disk',
    title: 'Guest: disk that keeps changes',
    deps: ['guest:ext4'],
    inputs: {},
    outputs: [stampOf(layout)],
    jobs: 'one',
    run: async (context) => {
      const unwritten = !(await diskWritten(layout));
      const isNew = !existsSync(disk);
      const before = isNew ? {} : readWritten(disk);
      await recordWritten(disk, before);
      // A kill leaves the old disk and its record, or the new ones.
      const next = nextOf(disk);
      const kept = isNew ? {} : await guestsOwn(context, disk, before);
      await context.exec('cp', [isNew ? ext4 : disk, next]);
      if (!isNew) await refresh(context, config, layout, devices, Object.keys(kept));
      const written: Record<string, string> = {};
      for (const { file, path } of editable(config, layout, devices))
        written[path] = sumOf(await readFile(file));
      await recordWritten(next, { ...written, ...kept });
      await flush(next);
      await rename(next, disk);
      await recordWritten(disk, { ...written, ...kept });
      await writeFileAtomic(stampOf(layout), stampText(layout, unwritten));
    },
  };
}

/** The earlier checksums of the files that the guest has edited. */
async function guestsOwn(context: TaskContext, disk: string, before: WrittenSums): Promise<WrittenSums> {
  context.notice(`${disk} keeps what the guest wrote; delete it to start from a new one`);
  const { contents } = await readDisk(disk, Object.keys(before), context);
  const kept = Object.fromEntries(
    Object.entries(before).filter(([path, was]) => {
      const content = contents.get(path);
      return content !== undefined && sumOf(content) !== was;
    }),
  );
  const paths = Object.keys(kept);
  if (paths.length > 0) {
    context.notice(
      `Edited in the guest, and left as it is there: ${paths.join(', ')} (npx stopwatch update_patches takes it to guest_fs/)`,
    );
  }
  return kept;
}

/** Writes the files that were built here to the next disk, except `keep`. */
async function refresh(
  context: TaskContext,
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
  keep: readonly string[],
): Promise<void> {
  const next = nextOf(layout.disk);
  // A machine that was switched off leaves a journal to be played back. 1: something was repaired.
  await context.exec('sh', ['-c', 'e2fsck -p "$0" || [ $? = 1 ]', next]);
  const root = rootEntries([], rootFiles(config, layout, devices), ownEntries(config, layout));
  const files = root.filter(({ kind, path }) => kind === 'file' && !keep.includes(path));
  // debugfs cannot replace a file.
  const remove = files.map(({ path }) => `rm ${path}\n`).join('');
  await byDebugfs(context, layout, `${remove}${debugfsScript(files)}`, next);
}
