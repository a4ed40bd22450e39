// SPDX-License-Identifier: MIT
/** What a source tree was before anybody touched it: the sum of every file, and the content of those that were changed. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { createTreeIndex, type TreeEntry } from '../../lib/files/tree-index.js';
import { extractRelease, type ExtractDeps } from './archive/extract.js';
import { membersOf } from './archive/members.js';
import { type FileState, LINK_MODE } from './archive/scratch.js';
import { membersByBlock } from './archive/xz-blocks.js';

/** Without directories, by path. */
export type Pristine = ReadonlyMap<string, TreeEntry>;

/** Where a tree came from. */
export interface Release {
  /** The tree itself; what is known of it is kept beside it. */
  readonly tree: string;
  /** Finds the archive, or fetches it again. */
  readonly archive: () => Promise<string>;
  /** sha256 of the archive. */
  readonly sha256: string;
  readonly leaveOut: readonly string[];
}

const manifestOf = ({ tree }: Release): string => `${tree}.pristine`;
/** A manifest of another archive, or of another part of it, says nothing. */
const keyOf = ({ sha256, leaveOut }: Release): string => JSON.stringify({ version: 1, sha256, leaveOut });

/**
 * Writes down a tree that has just been extracted. Its files are read, as the
 * build that follows would have to: `index` is where it looks for their sums.
 */
export async function recordPristine(release: Release, index: string, deps: ExtractDeps): Promise<void> {
  await writeManifest(release, await entriesOf(release.tree, index, deps));
}

/**
 * What the tree was. Where it was not written down (a tree of an earlier
 * version, a manifest that is lost), the archive is extracted once more, beside
 * the tree, looked at and removed; `notice` says so, for that takes a while.
 */
export async function pristineOf(
  release: Release,
  deps: ExtractDeps,
  notice: (text: string) => void,
): Promise<Pristine> {
  const known = await knownPristine(release);
  if (known !== undefined) return known;
  notice(`What ${release.tree} was before anybody changed it is looked up in its archive; only once.`);
  const fresh = `${release.tree}.looked-up`;
  const archive = await release.archive();
  const { leaveOut } = release;
  await extractRelease({ archive, directory: fresh, leaveOut, replace: true }, deps);
  const index = `${fresh}.index`;
  try {
    await writeManifest(release, await entriesOf(fresh, index, deps));
  } finally {
    await rm(index, { recursive: true, force: true });
    await rm(fresh, { recursive: true, force: true });
  }
  const made = await knownPristine(release);
  if (made === undefined) throw new StopwatchError('internal', `${manifestOf(release)} cannot be read back`);
  return made;
}

/**
 * The original content of these paths; null for one that the release does not
 * have. `offered`: contents that may be it; each is checked. What was taken out
 * of the archive is kept, because that takes seconds. Throws 'extract-failed'.
 */
export async function originalsOf(
  release: Release,
  pristine: Pristine,
  paths: readonly string[],
  offered: ReadonlyMap<string, FileState>,
  deps: ExtractDeps,
): Promise<ReadonlyMap<string, FileState>> {
  const store = `${release.tree}.originals`;
  const found = new Map<string, FileState>();
  const wanted: string[] = [];
  for (const path of paths) {
    const entry = pristine.get(path);
    if (entry === undefined) found.set(path, null);
    else if (entry.type === 'l') found.set(path, { content: Buffer.from(entry.link), mode: LINK_MODE });
    else {
      const offer = offered.get(path)?.content;
      const content = isIt(offer, entry) ? offer : await readKept(join(store, path), entry);
      if (content === undefined) wanted.push(path);
      else found.set(path, { content, mode: entry.executable ? 0o755 : 0o644 });
    }
  }
  if (wanted.length === 0) return found;
  const archive = await release.archive();
  const members = new Map(await membersByBlock(archive, wanted, deps));
  const rest = wanted.filter((path) => {
    const entry = pristine.get(path);
    return entry === undefined || !isIt(members.get(path), entry);
  });
  if (rest.length > 0) {
    for (const [path, content] of await membersOf(archive, rest, `${store}.partial`, deps)) {
      members.set(path, content);
    }
  }
  for (const path of wanted) {
    const entry = pristine.get(path);
    const content = members.get(path);
    if (entry === undefined || !isIt(content, entry)) {
      throw new StopwatchError(
        'extract-failed',
        `${archive} does not give ${path} as the tree had it at first: expected sha256 ${entry?.sum}, got ${content === undefined ? 'no such file' : sumOf(content)}`,
        { hint: `Remove ${manifestOf(release)} and run the same command again: it is made anew.` },
      );
    }
    await mkdir(dirname(join(store, path)), { recursive: true });
    await writeFileAtomic(join(store, path), [content]);
    found.set(path, { content, mode: entry.executable ? 0o755 : 0o644 });
  }
  return found;
}

async function readKept(path: string, entry: TreeEntry): Promise<Buffer | undefined> {
  const kept = await readFile(path).catch(() => undefined);
  return isIt(kept, entry) ? kept : undefined;
}

function isIt(content: Buffer | undefined, { sum }: TreeEntry): content is Buffer {
  return content !== undefined && sumOf(content) === sum;
}

const sumOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

async function entriesOf(tree: string, index: string, { processes, signal }: ExtractDeps) {
  const trees = createTreeIndex({ directory: index, processes, signal });
  await trees.digest(tree);
  const entries = trees.entries(tree);
  if (entries === undefined) throw new StopwatchError('internal', `${tree} was not there to be looked at`);
  return entries;
}

/** The key, then type, executable, sum, path and link target of each entry, each ended by a NUL, which no path has in it. */
async function writeManifest(release: Release, entries: readonly TreeEntry[]): Promise<void> {
  const fields = entries.flatMap(({ type, executable, sum, path, link }) => [
    `${type}${executable ? 'x' : '-'}${sum}`,
    path,
    link,
  ]);
  await writeFileAtomic(manifestOf(release), `${[keyOf(release), ...fields].join('\0')}\0`);
}

/** What was written down; undefined when nothing was, or about another archive. */
export async function knownPristine(release: Release): Promise<Pristine | undefined> {
  const text = await readFile(manifestOf(release), 'utf8').catch(() => '');
  const fields = text.split('\0');
  // The last field is what comes after the last NUL.
  if (fields[0] !== keyOf(release) || fields.length % 3 !== 2) return undefined;
  const pristine = new Map<string, TreeEntry>();
  for (let at = 1; at + 2 < fields.length; at += 3) {
    const [kind = '', path = '', link = ''] = fields.slice(at, at + 3);
    pristine.set(path, { type: kind.charAt(0), executable: kind[1] === 'x', sum: kind.slice(2), path, link });
  }
  return pristine;
}
