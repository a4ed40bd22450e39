// SPDX-License-Identifier: MIT
/**
 * Digests of large source trees without reading them again.
 *
 * The last listing of each tree is kept with the sums of its files. The same listing: the same
 * digest. Else only files whose stat data differ are read. Like git's index, stat data are not
 * trusted for a file that was changed so shortly before it was read that a second change could
 * have left the same time on it.
 */
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from './atomic.js';
import type { Processes } from '../process/process.js';
import { digestTree, hashEntries, SUM_BYTES, toPath } from './tree-hash.js';
import type { TreeWatch } from './tree-watch.js';
import { changeTime, type Entry, halfOf, kindOf, listTree, parseListing } from './tree-listing.js';

/** The digest of a tree that is not there. */
export const ABSENT = 'absent';
/** The kernel stamps files with a clock that ticks every 1 to 10 ms; a file changed within this before a look is looked at again, seconds. */
const TICK_S = 0.05;
/** Entries from which on a tree is listed by two processes. */
const LARGE = 10_000;
const MAGIC = 'stopwatch tree 2\n';

export interface TreeIndex {
  /** Digest of the tree's present content, `ABSENT` if it is no directory. Throws 'file-unreadable', 'interrupted'. */
  digest(root: string): Promise<string>;
  /** Keeps the state with this digest, just given by `digest`, for `changes` later. */
  keep(root: string, digest: string): void;
  /** Paths that differ between the kept state and the one that `digest` saw last, sorted; undefined when it was not kept. */
  changes(root: string, was: string): string[] | undefined;
  /** Forgets all kept states but these. */
  prune(kept: readonly { readonly root: string; readonly digest: string }[]): void;
}

interface Snapshot {
  readonly root: string;
  readonly digest: string;
  /** Indexes of entries whose stat data prove nothing yet. */
  readonly racy: readonly number[];
  /** Names at the top that are listed apart; see `listTree`. */
  readonly apart: readonly string[];
  readonly listing: Buffer;
  readonly sums: Buffer;
}

export interface TreeIndexOptions {
  /** Where the index lives; made when there is something to write. */
  readonly directory: string;
  readonly processes: Processes;
  readonly signal: AbortSignal;
  /** Says which trees need not even be listed. */
  readonly watch?: TreeWatch | undefined;
}

export function createTreeIndex({ directory, processes, signal, watch }: TreeIndexOptions): TreeIndex {
  const place = (root: string) =>
    join(directory, createHash('sha256').update(root).digest('hex').slice(0, 16));
  const current = (root: string) => join(place(root), 'current');
  const keptFile = (root: string, digest: string) => join(place(root), digest);

  const digestNow = async (root: string): Promise<string> => {
    // Before the look: what changes during it has another one.
    const generation = await watch?.generation(root);
    const known = watch?.known.get(root);
    if (generation !== undefined && known?.generation === generation) return known.digest;
    const digest = await digestByListing(root);
    if (generation !== undefined) watch?.known.set(root, { generation, digest });
    return digest;
  };

  const digestByListing = async (root: string): Promise<string> => {
    const startedS = Date.now() / 1000;
    const last = readSnapshot(current(root), root);
    const listing = await listTree(root, last?.apart ?? [], processes, signal);
    if (listing === undefined) return ABSENT;
    if (last !== undefined && last.racy.length === 0 && last.listing.equals(listing)) return last.digest;
    const next = await update(root, listing, last, startedS, signal);
    await writeSnapshot(current(root), next);
    return next.digest;
  };

  const running = new Map<string, Promise<string>>();
  return {
    digest(root) {
      const under = running.get(root);
      if (under !== undefined) return under;
      const promise = digestNow(root).finally(() => running.delete(root));
      running.set(root, promise);
      return promise;
    },
    keep(root, digest) {
      if (digest === ABSENT || readSnapshot(keptFile(root, digest), root) !== undefined) return;
      if (readSnapshot(current(root), root)?.digest !== digest) return;
      rmSync(keptFile(root, digest), { force: true });
      // Snapshots are only ever replaced by renaming, so a second name is a copy that costs nothing.
      linkSync(current(root), keptFile(root, digest));
    },
    changes(root, was) {
      const before = was === ABSENT ? undefined : readSnapshot(keptFile(root, was), root);
      const now = readSnapshot(current(root), root);
      return before === undefined || now === undefined ? undefined : differences(before, now);
    },
    prune(kept) {
      const wanted = new Set(kept.map(({ root, digest }) => keptFile(root, digest)));
      for (const tree of entriesOf(directory)) {
        for (const name of entriesOf(join(directory, tree))) {
          const path = join(directory, tree, name);
          if (/^[0-9a-f]{64}$/.test(name) && !wanted.has(path)) rmSync(path, { force: true });
        }
      }
    },
  };
}

/** Takes over the sums of untouched files and reads the others. */
async function update(
  root: string,
  listing: Buffer,
  last: Snapshot | undefined,
  startedS: number,
  signal: AbortSignal,
): Promise<Snapshot> {
  const entries = [...parseListing(listing)];
  const sums = Buffer.alloc(entries.length * SUM_BYTES);
  const known = new Map<string, { readonly stat: string; readonly index: number }>();
  if (last !== undefined) {
    const racy = new Set(last.racy);
    let index = 0;
    for (const { path, stat } of parseListing(last.listing)) {
      if (!racy.has(index)) known.set(path, { stat, index });
      index++;
    }
  }
  const unread: number[] = [];
  entries.forEach((entry, index) => {
    const before = known.get(entry.path);
    if (last !== undefined && before?.stat === entry.stat) {
      last.sums.copy(sums, index * SUM_BYTES, before.index * SUM_BYTES, (before.index + 1) * SUM_BYTES);
    } else {
      unread.push(index);
    }
  });
  await hashEntries(root, entries, unread, sums, signal);
  const racy = unread.filter((index) => {
    const entry = entries[index];
    return entry !== undefined && kindOf(entry).type === 'f' && changeTime(entry) >= startedS - TICK_S;
  });
  const apart = entries.length < LARGE ? [] : halfOf(entries);
  return { root, digest: digestTree(entries, sums), racy, apart, listing, sums };
}

function differences(before: Snapshot, now: Snapshot): string[] {
  const states = ({ listing, sums }: Snapshot) => {
    const map = new Map<string, string>();
    let index = 0;
    for (const entry of parseListing(listing)) {
      const sum = sums.toString('latin1', index * SUM_BYTES, (index + 1) * SUM_BYTES);
      map.set(entry.path, stateOf(entry, sum));
      index++;
    }
    return map;
  };
  const was = states(before);
  const is = states(now);
  const changed: string[] = [];
  for (const [path, state] of is) if (was.get(path) !== state) changed.push(toPath(path));
  for (const path of was.keys()) if (!is.has(path)) changed.push(toPath(path));
  return changed.sort();
}

function stateOf(entry: Entry, sum: string): string {
  const { type, mode } = kindOf(entry);
  return `${type}${type === 'd' ? '' : mode}\0${entry.link}\0${sum}`;
}

const headSchema = z.object({
  root: z.string(),
  digest: z.string(),
  racy: z.array(z.number()),
  apart: z.array(z.string()),
  /** Bytes of each section. */
  listing: z.number(),
  sums: z.number(),
});

/** A snapshot that is missing, cut off or of another version is no snapshot: then everything is read again. */
function readSnapshot(path: string, root: string): Snapshot | undefined {
  try {
    const data = readFileSync(path);
    const end = data.indexOf('\n', MAGIC.length);
    if (data.toString('latin1', 0, MAGIC.length) !== MAGIC || end < 0) return undefined;
    const head = headSchema.parse(JSON.parse(data.toString('utf8', MAGIC.length, end)));
    const listing = data.subarray(end + 1, end + 1 + head.listing);
    const sums = data.subarray(end + 1 + head.listing);
    if (head.root !== root || listing.length !== head.listing || sums.length !== head.sums) return undefined;
    return { root, digest: head.digest, racy: head.racy, apart: head.apart, listing, sums };
  } catch {
    return undefined;
  }
}

async function writeSnapshot(
  path: string,
  { root, digest, racy, apart, listing, sums }: Snapshot,
): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true });
  const head = JSON.stringify({ root, digest, racy, apart, listing: listing.length, sums: sums.length });
  await writeFileAtomic(path, [Buffer.from(`${MAGIC}${head}\n`), listing, sums]);
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
