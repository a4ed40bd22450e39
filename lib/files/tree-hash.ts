// SPDX-License-Identifier: MIT
/** The content sums of a tree's files, and the one digest of the whole tree. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errnoOf } from '../errno.js';
import { StopwatchError } from '../errors.js';
import { type Entry, kindOf } from './tree-listing.js';

export const SUM_BYTES = 32;
/** Longest stretch of hashing before others get their turn, milliseconds: compilers may be waiting for an answer. */
const SLICE_MS = 4;
const BUFFER_BYTES = 1024 * 1024;

/**
 * Writes sha256 of each regular file among `which` (indexes of `entries`) into `sums`; a file that
 * has gone gets zeros. Synchronous reads in slices: for small files that is several times faster
 * than asynchronous ones, and needs one buffer.
 */
export async function hashEntries(
  root: string,
  entries: readonly Entry[],
  which: readonly number[],
  sums: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let sliceEnd = performance.now() + SLICE_MS;
  for (const index of which) {
    const entry = entries[index];
    if (entry === undefined || kindOf(entry).type !== 'f') continue;
    const sum = hashFile(join(root, toPath(entry.path)), entry.path, root, buffer);
    sum.copy(sums, index * SUM_BYTES);
    if (performance.now() >= sliceEnd) {
      await nextTurn();
      if (signal.aborted)
        throw new StopwatchError('interrupted', `Interrupted while ${root} was being read.`);
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
}

/** One digest over paths, types, permissions, link targets and sums; neither times nor the order of `find` matter. */
export function digestTree(entries: readonly Entry[], sums: Buffer): string {
  const order = entries.map((_, index) => index);
  order.sort((a, b) => ((entries[a]?.path ?? '') < (entries[b]?.path ?? '') ? -1 : 1));
  const hash = createHash('sha256');
  for (const index of order) {
    const entry = entries[index];
    if (entry === undefined) continue;
    // The mode of a directory says nothing about a build.
    const { type, mode } = kindOf(entry);
    hash.update(`${entry.path}\0${type}${type === 'd' ? '' : mode}\0${entry.link}\0`, 'latin1');
    hash.update(sums.subarray(index * SUM_BYTES, (index + 1) * SUM_BYTES));
  }
  return hash.digest('hex');
}

/** A latin1 string of bytes as a path for node's file functions and for people. */
export function toPath(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function hashFile(path: string, raw: string, root: string, buffer: Buffer): Buffer {
  let fd: number;
  try {
    const utf8 = Buffer.from(toPath(raw), 'utf8').equals(Buffer.from(raw, 'latin1'));
    // A name that is not UTF-8 goes as bytes.
    fd = openSync(utf8 ? path : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(raw, 'latin1')]), 'r');
  } catch (cause) {
    const { code, message } = errnoOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return Buffer.alloc(SUM_BYTES);
    throw new StopwatchError('file-unreadable', `Cannot read ${path}: ${message}.`, {
      cause,
      hint: 'Make it readable for you; it is an input of the build.',
    });
  }
  try {
    const hash = createHash('sha256');
    for (;;) {
      const got = readSync(fd, buffer, 0, buffer.length, null);
      hash.update(buffer.subarray(0, got));
      if (got < buffer.length) return hash.digest();
    }
  } finally {
    closeSync(fd);
  }
}
