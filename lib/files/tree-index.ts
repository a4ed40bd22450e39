// SPDX-License-Identifier: MIT
/**
 * Digests of large source trees, by git: a private index for each tree tells which files to read again, and the digest is
 * the id of the tree that git writes from it. Only these tree objects are stored, no contents of files.
 *
 * Content, names, links and the right to execute count, whatever .gitignore and .gitattributes say; empty directories
 * and other rights do not. A file that is rewritten within a second of the last look, at the same size and with an old
 * time set on it, is missed: git compares whole seconds. Each process uses a copy of the index, so there are no locks.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTemporaries } from './atomic.js';
import { isDirectory } from '../directory.js';
import { baseEnvironment } from '../environment.js';
import { StopwatchError } from '../errors.js';
import { runGit, VERBATIM } from '../git.js';
import type { Processes } from '../process/process.js';
import { IGNORED_NAMES } from './ignored.js';
import type { TreeWatch } from './tree-watch.js';

/** The digest of a tree that is not there. */
export const ABSENT = 'absent';

export interface TreeIndex {
  /** Digest of the tree's present content, `ABSENT` if it is no directory. Throws 'file-unreadable', 'interrupted'. */
  digest(root: string): Promise<string>;
  /** Paths that differ between two states of the tree, sorted; undefined when one of them is not known any more. */
  changes(root: string, was: string, is: string): Promise<string[] | undefined>;
  /** Removes what killed runs have left, and forgets trees that were changed so often that their states take much room. */
  prune(): Promise<void>;
}

interface TreeIndexOptions {
  /** Where the index lives; made when there is something to write. */
  readonly directory: string;
  readonly processes: Processes;
  readonly signal: AbortSignal;
  /** Says which trees need not even be looked at. */
  readonly watch?: TreeWatch | undefined;
}

const EXCLUDED = IGNORED_NAMES.map((name) => `-x '${name}'`).join(' ');
/** git lists only the directory of a repository in the tree, so `find` lists its files. */
const PRUNED = IGNORED_NAMES.map((name) => `-name '${name}'`).join(' -o ');

/** A directory with a link or a file in its place is removed by name: git refuses a path beyond a link. */
const SNAPSHOT = `
t=$GIT_INDEX_FILE
new=$GIT_DIR/new\${t##*/index} changed=$GIT_DIR/changed\${t##*/index}
[ ! -e "$GIT_DIR/index" ] || ln "$GIT_DIR/index" "$t"
git ls-files -o -z ${EXCLUDED} >"$new" &
git diff-files --name-status --no-renames -z >"$changed"
wait $!
if [ -s "$new" ] || [ -s "$changed" ]; then
  sed -zn 'N; s/^D\\x00//p' "$changed" | git update-index --force-remove -z --stdin
  { sed -zn 'N; /^D\\x00/!s/^.\\x00//p' "$changed"
    grep -zv '/$' "$new" || true
    { grep -z '/$' "$new" || true; } | xargs -0r -I{} find {} '(' ${PRUNED} ')' -prune -o '(' -type f -o -type l ')' -printf '%p\\0'
  } | tr -s / | git update-index --info-only --add --remove --replace -z --stdin
fi
git write-tree --missing-ok
rm "$new" "$changed"
if [ "$t" -ef "$GIT_DIR/index" ]; then rm "$t"; else mv -f "$t" "$GIT_DIR/index"; fi
`;

/** Some 200 MB. */
const MANY_OBJECTS = 50_000;

let counter = 0;

export function createTreeIndex({ directory, processes, signal, watch }: TreeIndexOptions): TreeIndex {
  const place = (root: string) =>
    join(directory, createHash('sha256').update(root).digest('hex').slice(0, 16));

  const git = async (root: string, file: string, args: readonly string[]) => {
    const gitDir = place(root);
    const index = join(gitDir, `index.${process.pid}-${++counter}.tmp`);
    const command = { file, args, env: baseEnvironment(), gitDir, workTree: root, index };
    return runGit(processes, command, { signal });
  };

  const digestNow = async (root: string): Promise<string> => {
    if (!isDirectory(root)) return ABSENT;
    const store = place(root);
    // What git takes for a repository. Two processes may do this at the same time.
    for (const part of ['info', 'objects', 'refs']) mkdirSync(join(store, part), { recursive: true });
    writeFileSync(join(store, 'HEAD'), 'ref: refs/heads/none\n');
    writeFileSync(join(store, 'info', 'attributes'), VERBATIM);
    let result = await git(root, 'sh', ['-e', '-c', SNAPSHOT]);
    if (!result.ok) {
      // The index may be damaged: without it, all is read again.
      rmSync(join(store, 'index'), { force: true });
      result = await git(root, 'sh', ['-e', '-c', SNAPSHOT]);
    }
    if (result.ok) return result.stdout.trim();
    throw new StopwatchError(
      'file-unreadable',
      `Cannot read the tree ${root}: ${result.said[0] ?? 'git failed'}.`,
      {
        hint: 'Make all of it readable for you; it is an input of the build.',
        lastLines: result.said.slice(-20),
      },
    );
  };

  const watched = async (root: string): Promise<string> => {
    // Before the look: what changes during it has another one.
    const generation = await watch?.generation(root);
    const known = watch?.known.get(root);
    if (generation !== undefined && known?.generation === generation) return known.digest;
    const digest = await digestNow(root);
    if (generation !== undefined) watch?.known.set(root, { generation, digest });
    return digest;
  };

  const running = new Map<string, Promise<string>>();
  return {
    digest(root) {
      const under = running.get(root);
      if (under !== undefined) return under;
      const promise = watched(root).finally(() => running.delete(root));
      running.set(root, promise);
      return promise;
    },
    async changes(root, was, is) {
      if (was === ABSENT || is === ABSENT) return undefined;
      const names = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', was, is];
      const { ok, stdout } = await git(root, 'git', names);
      return ok ? stdout.split('\0').filter(Boolean).sort() : undefined;
    },
    async prune() {
      for (const name of entriesOf(directory)) {
        const store = join(directory, name);
        await removeTemporaries(store);
        // As git gc --auto guesses: objects are spread evenly over 256 directories.
        if (entriesOf(join(store, 'objects', '17')).length > MANY_OBJECTS / 256)
          rmSync(store, { recursive: true, force: true });
      }
    },
  };
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
