// SPDX-License-Identifier: MIT
/** Digests of small inputs, files or directories, by content, permissions and link target; cached by stat data. */
import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errno.js';
import { StopwatchError } from '../errors.js';
import { isIgnored } from './ignored.js';
import { createPairCache } from './pair-cache.js';

/** Nanoseconds. A file changed this recently can change again without a new time, so its digest is not kept. */
const TICK_NS = 50_000_000n;

interface FileIndex {
  /** The path itself, or all paths below a directory, each with its digest. Leaves out missing paths. */
  digests(path: string): Map<string, string>;
  /** Writes the cache if it has changed. */
  save(): Promise<void>;
}

/** Reads `cacheFile` now; it may be missing or damaged. */
export function createFileIndex(cacheFile: string): FileIndex {
  const cache = createPairCache(cacheFile);

  const contentSum = (path: string, stat: BigIntStats): string => {
    const key = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
    const known = cache.get(path, key);
    if (known !== undefined) return known;
    const lookedNs = BigInt(Date.now()) * 1_000_000n;
    const sum = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (stat.ctimeNs < lookedNs - TICK_NS) cache.set(path, key, sum);
    return sum;
  };

  const visit = (path: string, into: Map<string, string>, followDirectories: boolean): void => {
    const own = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (own === undefined) return;
    const link = own.isSymbolicLink() ? `link ${readlinkSync(path)} ` : '';
    const stat = link === '' ? own : statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      into.set(path, `${link}directory`);
      // A link inside a directory may lead anywhere, even back up.
      if (link !== '' && !followDirectories) return;
      for (const name of readdirSync(path)) if (!isIgnored(name)) visit(join(path, name), into, false);
    } else if (stat?.isFile()) {
      into.set(path, `${link}${(stat.mode & 0o7777n).toString(8)} ${contentSum(path, stat)}`);
    } else {
      into.set(path, `${link}${stat === undefined ? 'dangling' : 'special'}`);
    }
  };

  return {
    digests(path) {
      const into = new Map<string, string>();
      try {
        visit(path, into, true);
      } catch (cause) {
        const { code, message } = errnoOf(cause);
        // It has just been removed, or a parent is not a directory.
        if (code === 'ENOENT' || code === 'ENOTDIR') return into;
        throw new StopwatchError('file-unreadable', `Cannot read the input ${path}: ${message}.`, {
          cause,
          hint: 'Make it readable for you.',
        });
      }
      return into;
    },
    save: () => cache.save(),
  };
}
