// SPDX-License-Identifier: MIT
/**
 * The download cache, shared by every checkout of the user:
 *
 *     <cache>/downloads/<sha256>/<name>          verified, under its own name
 *     <cache>/downloads/partial/<sha256>         what has arrived so far
 *     <cache>/downloads/locks/<sha256>           held by the process that is downloading
 *     <cache>/downloads/<name>                   put there by hand
 *
 * A name is only given to what verified, and what is found is verified again
 * whenever it is asked for.
 */
import { type Hash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../../lib/errno.js';
import { sha256File } from '../../../lib/files/sha256.js';
import { explainFsError, interrupted, isMissing } from '../fs-errors.js';

export interface StorePaths {
  readonly downloads: string;
  /** Directory of the verified file. */
  readonly directory: string;
  readonly partial: string;
  readonly lock: string;
}

export function storePaths(cache: string, sha256: string): StorePaths {
  const downloads = join(cache, 'downloads');
  return {
    downloads,
    directory: join(downloads, sha256),
    partial: join(downloads, 'partial', sha256),
    lock: join(downloads, 'locks', sha256),
  };
}

/** Makes the directories of the cache. Throws StopwatchError 'permission-denied' or 'disk-full'. */
export async function prepareStore(cache: string): Promise<void> {
  const downloads = join(cache, 'downloads');
  try {
    await mkdir(join(downloads, 'partial'), { recursive: true });
    await mkdir(join(downloads, 'locks'), { recursive: true });
  } catch (error) {
    throw explainFsError(error, 'make the download cache', downloads);
  }
}

/** Adds a whole file to a hash, with flat memory. Gives the number of bytes. */
export async function addFile(hash: Hash, path: string, signal: AbortSignal): Promise<number> {
  const handle = await open(path);
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    let total = 0;
    for (;;) {
      if (signal.aborted) throw interrupted(`checking ${path}`);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return total;
      hash.update(buffer.subarray(0, bytesRead));
      total += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** The verified file with this sum, or undefined. One that no longer verifies is removed. */
export async function findStored(
  cache: string,
  sha256: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { directory } = storePaths(cache, sha256);
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw explainFsError(error, 'read the download cache', directory);
  }
  for (const name of names.sort()) {
    const path = join(directory, name);
    try {
      // A leading dot: the copy of a hand-placed file that was cut off.
      if (!name.startsWith('.') && (await sha256File(path, signal)) === sha256) return path;
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      if (!isMissing(error)) throw explainFsError(error, 'check the download cache', path);
    }
  }
  return undefined;
}

export type HandPlaced =
  | { readonly kind: 'absent' }
  | { readonly kind: 'taken'; readonly file: string }
  | { readonly kind: 'wrong'; readonly path: string; readonly got: string };

/** Takes `<cache>/downloads/<name>` if a user put it there and it verifies. It stays where it is. */
export async function takeHandPlaced(
  cache: string,
  name: string,
  sha256: string,
  signal: AbortSignal,
): Promise<HandPlaced> {
  const { downloads, directory } = storePaths(cache, sha256);
  const path = join(downloads, name);
  let got: string;
  try {
    got = await sha256File(path, signal);
  } catch (error) {
    if (isMissing(error) || errnoOf(error).code === 'EISDIR') return { kind: 'absent' };
    throw explainFsError(error, 'read the file that was put there by hand', path);
  }
  if (got !== sha256) return { kind: 'wrong', path, got };
  const file = join(directory, name);
  try {
    await mkdir(directory, { recursive: true });
    await copyWhole(path, file);
  } catch (error) {
    throw explainFsError(error, 'take over the file that was put there by hand', directory);
  }
  return { kind: 'taken', file };
}

/** Copies, without using more space where the file system can share it. What is at `to` is replaced. */
async function copyWhole(from: string, to: string): Promise<void> {
  const copy = join(dirname(to), `.copy-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await copyFile(from, copy, constants.COPYFILE_FICLONE);
    await syncPath(copy);
    await rename(copy, to);
  } finally {
    await rm(copy, { force: true });
  }
}

/** Puts a copy of any file into the cache, under its own sum, so that it is found there like a download. Gives the sum. */
export async function keepFile(
  cache: string,
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly file: string; readonly sha256: string }> {
  const sha256 = await sha256File(path, signal);
  const { directory } = storePaths(cache, sha256);
  const file = join(directory, name);
  try {
    await mkdir(directory, { recursive: true });
    await copyWhole(path, file);
    await syncPath(directory);
  } catch (error) {
    throw explainFsError(error, 'put the file into the download cache', file);
  }
  return { file, sha256 };
}

/** Gives a verified partial file its name. Gives the path. */
export async function commitPartial(cache: string, sha256: string, name: string): Promise<string> {
  const { directory, partial, downloads } = storePaths(cache, sha256);
  const file = join(directory, name);
  try {
    await mkdir(directory, { recursive: true });
    await rename(partial, file);
    await syncPath(directory);
    await syncPath(downloads);
  } catch (error) {
    throw explainFsError(error, 'put the download into the cache', file);
  }
  return file;
}

/** Flushes a file or a directory to the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
