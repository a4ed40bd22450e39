// SPDX-License-Identifier: MIT
/** `guest:disk`: the root of `run --rw`. It keeps the guest's changes; the files that are built here are updated in it. */
import { existsSync } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import type { Config } from '../../config/schema.js';
import type { Task, TaskContext } from '../../engine/task.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import type { ProjectDevice } from '../../../vm/device.js';
import { editable, readDisk, readWritten, recordWritten, sumOf, type WrittenSums } from './guest-edits.js';
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
      let kept: WrittenSums = {};
      if (existsSync(disk)) kept = await refresh(context, config, layout, devices);
      else {
        await context.exec('cp', [ext4, `${disk}.partial`]);
        await rename(`${disk}.partial`, disk);
      }
      const written: Record<string, string> = {};
      for (const { file, path } of editable(config, layout, devices))
        written[path] = sumOf(await readFile(file));
      await recordWritten(disk, { ...written, ...kept });
      await writeFileAtomic(stampOf(layout), stampText(layout, unwritten));
    },
  };
}

/** Keeps files that the guest has edited; returns their earlier checksums. */
async function refresh(
  context: TaskContext,
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
): Promise<WrittenSums> {
  const { disk } = layout;
  context.notice(`${disk} keeps what the guest wrote; delete it to start from a new one`);
  // A machine that was switched off leaves a journal to be played back. 1: something was repaired.
  await context.exec('sh', ['-c', 'e2fsck -p "$0" || [ $? = 1 ]', disk]);
  const before = readWritten(disk);
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
  const root = rootEntries([], rootFiles(config, layout, devices), ownEntries(config, layout));
  const files = root.filter(({ kind, path }) => kind === 'file' && !paths.includes(path));
  // debugfs cannot replace a file.
  const remove = files.map(({ path }) => `rm ${path}\n`).join('');
  await byDebugfs(context, layout, `${remove}${debugfsScript(files)}`, disk);
  return kept;
}
