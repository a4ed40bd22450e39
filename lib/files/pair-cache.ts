// SPDX-License-Identifier: MIT
/** A small cache on disk: an answer for each name, valid while its key is the same. */
import { z } from 'zod';
import { writeFileAtomic } from './atomic.js';
import { readJson } from '../read-json.js';

const pairs = z.record(z.string(), z.tuple([z.string(), z.string()]));

interface PairCache {
  /** The answer kept for `name`, if it was kept under the same key. */
  get(name: string, key: string): string | undefined;
  set(name: string, key: string, answer: string): void;
  /** Writes the cache if it has changed. */
  save(): Promise<void>;
}

/** Reads `file` now; a missing or damaged one is an empty cache. */
export function createPairCache(file: string): PairCache {
  const known = new Map(Object.entries(readJson(file, pairs) ?? {}));
  let changed = false;
  return {
    get(name, key) {
      const pair = known.get(name);
      return pair?.[0] === key ? pair[1] : undefined;
    },
    set(name, key, answer) {
      known.set(name, [key, answer]);
      changed = true;
    },
    async save() {
      if (!changed) return;
      changed = false;
      await writeFileAtomic(file, JSON.stringify(Object.fromEntries(known)));
    },
  };
}
