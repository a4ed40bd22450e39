// SPDX-License-Identifier: MIT
/** Writes files that exist whole or not at all, even after a power cut. */
import { mkdir, open, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sendSignal } from '../process/group.js';

let counter = 0;

/** Writes beside `path`, flushes, renames over it and flushes the directory. Creates the directory if needed. */
export async function writeFileAtomic(path: string, data: string | readonly Uint8Array[]): Promise<void> {
  const directory = dirname(path);
  const temporary = `${path}.${process.pid}-${++counter}.tmp`;
  await mkdir(directory, { recursive: true });
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      if (typeof data === 'string') await file.writeFile(data);
      else for (const piece of data) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flush(directory);
}

/** Creates or replaces a symbolic link. After a kill, either the old or the new link exists. */
export async function linkAtomic(path: string, target: string): Promise<void> {
  const temporary = `${path}.new-link`;
  await mkdir(dirname(path), { recursive: true });
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, path);
}

/** Flushes a file's or directory's own data to the disk. Does nothing when it is missing or cannot be flushed. */
export async function flush(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file system cannot flush, or we may not read the file.
  }
}

/** Removes the temporary files of killed writers from a directory. */
export async function removeTemporaries(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    const writer = /\.(\d+)-\d+\.tmp(?:\.lock)?$/.exec(name)?.[1];
    if (writer === undefined || (Number(writer) !== process.pid && sendSignal(Number(writer), 0))) continue;
    await rm(join(directory, name), { force: true });
  }
}
