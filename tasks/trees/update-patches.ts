// SPDX-License-Identifier: MIT
/** Turns manual changes in a patched tree into patch files, by git format-patch. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { chainOf, type Commit, recommit, treeOf } from './series/chain.js';
import type { Repository } from './repository/repository.js';
import { changing, installIndex } from './repository/locks.js';
import { saveChanges, recover } from './move.js';
import { type PatchFile, readPatchFiles, subjectOf } from './series/patch-file.js';
import { type PlannedSeries, plannedSeries } from './series/planned-series.js';
import { replaySeries } from './series/replay.js';

export interface PatchUpdate {
  /** Name of the patch file. */
  readonly name: string;
  readonly change: 'changed' | 'new' | 'removed';
  /** Paths in the tree for which it changed. */
  readonly paths: readonly string[];
}

/** The patch files of a tree. */
export interface PatchSeries {
  /** Where they are written. */
  readonly directory: string;
  /** Paths, in the order in which they are applied. */
  readonly files: readonly string[];
  /** The first of `files`: they belong to the package, and are never written. */
  readonly fixed: readonly string[];
}

interface UpdatePlan {
  readonly updates: readonly PatchUpdate[];
  /** Writes the patch files, if there are updates, then makes commits of them in the tree. Killed in between, the next call does the rest. */
  readonly write: () => Promise<void>;
}

/**
 * A file that patches touch already belongs to the last of them; all others go into one new patch.
 * Commits on top of the patches become a patch each. That the new files lead to this very tree is
 * tried out before anything is written. Throws 'patch-failed' where that is impossible, and where
 * commits have changed a fixed patch.
 */
export async function planUpdate(
  repository: Repository,
  { directory, files, fixed: fixedFiles }: PatchSeries,
): Promise<UpdatePlan> {
  await recover(repository);
  const present = await readPatchFiles(files.slice(fixedFiles.length));
  const fixed = await readPatchFiles(fixedFiles);
  const series = await plannedSeries(repository, fixed.length);
  refuseChanged(repository, series, fixed);
  const { base, planned, dropped } = series;
  const made = repository.file('patches');
  await rm(made, { recursive: true, force: true });
  await mkdir(made, { recursive: true });

  const updates: PatchUpdate[] = [];
  const names: string[] = [];
  const used = new Set<PatchFile>();
  let tip = series.commits[fixed.length - 1]?.id ?? base;
  for (const { tree, from, paths } of planned) {
    const file = await fileOf(
      repository,
      present.filter((each) => !used.has(each)),
      from,
    );
    if (file !== undefined) used.add(file);
    const isInOrder = file !== undefined && basename(file.file) > (names.at(-1) ?? '');
    if (file !== undefined && isInOrder && file.sha256 === from?.patch) {
      const unchanged = await tryPatch(repository, tip, file, tree);
      if (unchanged !== undefined) {
        names.push(basename(file.file));
        tip = unchanged;
        continue;
      }
    }
    const commit =
      from === undefined
        ? await newCommit(repository, tip, tree, paths)
        : await recommit(repository, tip, tree, from.id);
    const { slug, content } = await formatPatch(repository, commit, made);
    const name = isInOrder ? basename(file.file) : nextName(names.at(-1), file, slug);
    await writeFileAtomic(join(made, name), [content]);
    const [written] = await readPatchFiles([join(made, name)]);
    const next = written && (await tryPatch(repository, tip, written, tree));
    if (next === undefined) {
      throw new StopwatchError(
        'patch-failed',
        `${repository.what}: the patch ${name} would not lead to the tree as it is: ${paths.join(', ')}`,
        { hint: `Nothing was written. Please report this with ${join(made, name)}.` },
      );
    }
    const was = present.find((each) => basename(each.file) === name);
    if (was?.sha256 !== written?.sha256) {
      updates.push({ name, change: was === undefined ? 'new' : 'changed', paths });
    }
    names.push(name);
    tip = next;
  }
  for (const { file, sha256 } of present) {
    const name = basename(file);
    if (!names.includes(name)) updates.push({ name, change: 'removed', paths: dropped.get(sha256) ?? [] });
  }
  return {
    updates,
    async write() {
      if (updates.length === 0 && (await chainOf(repository)).head === tip) return;
      for (const { name, change } of updates) {
        if (change !== 'removed')
          await writeFileAtomic(join(directory, name), [await readFile(join(made, name))]);
      }
      for (const { name, change } of updates)
        if (change === 'removed') await rm(join(directory, name), { force: true });
      const head = await saveChanges(repository.quiet());
      await changing(repository, async () => {
        await repository.git(['read-tree', '-m', tip]);
        await installIndex(repository);
        await repository.git(['update-ref', '-m', 'stopwatch: update_patches', 'HEAD', tip, head]);
      });
    },
  };
}

/** Throws 'patch-failed' unless the tree's first commits are made from the fixed patches. */
function refuseChanged({ tree }: Repository, { commits }: PlannedSeries, fixed: readonly PatchFile[]): void {
  const changed = fixed.find(({ sha256 }, at) => commits[at]?.patch !== sha256);
  if (changed === undefined) return;
  throw new StopwatchError(
    'patch-failed',
    `${tree}: the commit of ${changed.file} was changed, moved or dropped, and that patch is not this project's`,
    {
      hint: 'Nothing was written. Take that back with git rebase -i, and put your change into a commit of its own on top.',
    },
  );
}

/** The patch file that a commit is from: unchanged, or with the same subject. */
async function fileOf(
  repository: Repository,
  files: readonly PatchFile[],
  from: Commit | undefined,
): Promise<PatchFile | undefined> {
  const same = files.find(({ sha256 }) => sha256 === from?.patch);
  if (same !== undefined || from === undefined) return same;
  for (const file of files) if ((await subjectOf(repository, file)) === from.subject) return file;
  return undefined;
}

/** The commit that the patch file makes on top of `tip`, if that has this tree. */
async function tryPatch(
  repository: Repository,
  tip: string,
  patch: PatchFile,
  tree: string,
): Promise<string | undefined> {
  const commit = await replaySeries(repository.quiet(), tip, [{ patch }]).catch((error: unknown) => {
    if (error instanceof StopwatchError && error.code === 'patch-failed') return undefined;
    throw error;
  });
  return commit !== undefined && (await treeOf(repository, commit)) === tree ? commit : undefined;
}

async function newCommit(
  repository: Repository,
  parent: string,
  tree: string,
  paths: readonly string[],
): Promise<string> {
  const what = repository.what.replace(/ [\d.]+(-rc\d+)?$/, '').replace(/ in \/.*$/s, '');
  const count = paths.length === 1 ? (paths[0] ?? '') : `${paths.length} files`;
  const lines = [
    `Change ${count} of ${what}`,
    '',
    'Made by update_patches. Say here why: this text is kept, and the file may',
    'be renamed.',
    '',
    ...paths.map((path) => `  ${path}`),
    '',
  ];
  const input = lines.join('\n');
  return repository.git(['commit-tree', tree, '-p', parent, '-F', '-'], { input });
}

const FORMAT = [
  '-1',
  '--no-numbered',
  '--unified=1',
  '--zero-commit',
  '--full-index',
  '--binary',
  '--no-renames',
  '--no-signature',
  '--no-stat',
];

/** The patch of a commit, byte for byte, and the name that git gives it without its number. */
async function formatPatch(
  repository: Repository,
  commit: string,
  directory: string,
): Promise<{ readonly slug: string; readonly content: Buffer }> {
  const args = ['format-patch', ...FORMAT, '-o', join(directory, 'format'), commit];
  const file = await repository.git(args);
  return { slug: basename(file).replace(/^\d+-/, ''), content: await readFile(file) };
}

/** The number after the last one, as wide, then the name that the file had. Sorts after the last one. */
function nextName(last: string | undefined, file: PatchFile | undefined, slug: string): string {
  const rest = file === undefined ? slug : basename(file.file).replace(/^\d+-/, '');
  if (last === undefined) return `0001-${rest}`;
  // At the beginning, or after a stem that was put in front.
  for (const number of [/^()(\d+)/, /^(.*_)(\d+)-/]) {
    const [, prefix, digits = ''] = number.exec(last) ?? [];
    if (prefix === undefined) continue;
    const name = `${prefix}${String(Number(digits) + 1).padStart(digits.length, '0')}-${rest}`;
    if (name > last) return name;
  }
  // '_' sorts after the '.' of the last one's ending.
  return `${basename(last, '.patch')}_0001-${rest}`;
}
