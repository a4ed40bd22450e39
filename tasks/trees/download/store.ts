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
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf, isMissing } from '../../../lib/errno.js';
import { flush } from '../../../lib/files/atomic.js';
import { sha256File } from '../../../lib/files/sha256.js';

interface StorePaths {
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

export async function prepareStore(cache: string): Promise<void> {
  const downloads = join(cache, 'downloads');
  await mkdir(join(downloads, 'partial'), { recursive: true });
  await mkdir(join(downloads, 'locks'), { recursive: true });
}

/** The verified file with this sum, or undefined. One that no longer verifies is removed. */
export async function findStored(
  cache: string,
  sha256: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { directory } = storePaths(cache, sha256);
  const names = await readdir(directory).catch((error: unknown): string[] => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of names.sort()) {
    const path = join(directory, name);
    // A leading dot: the copy of a hand-placed file that was cut off.
    if (!name.startsWith('.') && (await sumOf(path, signal)) === sha256) return path;
    await rm(path, { recursive: true, force: true });
  }
  return undefined;
}

/** Undefined when there is no such file. */
async function sumOf(path: string, signal: AbortSignal): Promise<string | undefined> {
  return sha256File(path, signal).catch((error: unknown) => {
    if (isMissing(error) || errnoOf(error).code === 'EISDIR') return undefined;
    throw error;
  });
}

type HandPlaced =
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
  const got = await sumOf(path, signal);
  if (got === undefined) return { kind: 'absent' };
  if (got !== sha256) return { kind: 'wrong', path, got };
  const file = join(directory, name);
  await copyWhole(path, file);
  return { kind: 'taken', file };
}

/** Copies, without using more space where the file system can share it. What is at `to` is replaced. */
async function copyWhole(from: string, to: string): Promise<void> {
  const copy = join(dirname(to), `.copy-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(dirname(to), { recursive: true });
  try {
    await copyFile(from, copy, constants.COPYFILE_FICLONE);
    await flush(copy);
    await rename(copy, to);
    await flush(dirname(to));
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
  await copyWhole(path, file);
  return { file, sha256 };
}

/** Gives a verified partial file its name. Gives the path. */
export async function commitPartial(cache: string, sha256: string, name: string): Promise<string> {
  const { directory, partial, downloads } = storePaths(cache, sha256);
  const file = join(directory, name);
  await mkdir(directory, { recursive: true });
  await rename(partial, file);
  await flush(directory);
  await flush(downloads);
  return file;
}
