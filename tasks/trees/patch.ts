// SPDX-License-Identifier: MIT
/** Keeps a source tree patched with exactly the wanted patches, whatever set it has now. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { removeTemporaries } from '../../lib/files/atomic.js';
import { explainFsError } from './fs-errors.js';
import { announceWrite, refuseLinks, treeRoot, type UsersOwn } from './own-tree.js';
import { type FilePatch, parsePatch, PatchSyntaxError } from './patch-file.js';
import { commitChange, recover } from './patch-journal.js';
import { type AppliedPatch, type PatchState, readPatchState } from './patch-state.js';
import {
  type ApplyFailure,
  type FileState,
  isLink,
  readState,
  sameState,
  type Scratch,
  type ScratchDeps,
  withScratch,
} from './archive/scratch.js';

export interface PatchRequest {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  readonly tree: string;
  /** Paths of the patch files, in order; none takes back what was applied. */
  readonly patches: readonly string[];
  /** Where is written down what was applied to this tree; for nothing else, and for no other tree. */
  readonly stateDir: string;
  readonly usersOwn?: UsersOwn;
}

export interface PatchDeps extends ScratchDeps {
  readonly notice: (text: string) => void;
  readonly log: (line: string) => void;
}

export interface PatchResult {
  /** Paths in the tree that were written; empty when there was nothing to do. */
  readonly changed: readonly string[];
  /** Paths in the tree that had been edited by hand just where a patch applies, and were left as they are. */
  readonly kept: readonly string[];
}

interface Parsed extends AppliedPatch {
  readonly files: readonly FilePatch[];
}

/**
 * Takes back the patches that we applied and that are no longer wanted, and
 * applies the wanted ones; edits by hand elsewhere in the same files stay. All
 * is worked out on copies first: when something does not fit, 'patch-failed'
 * names the file and shows the hunk, and nothing has been changed. Only files
 * whose content changes are written.
 *
 * Throws StopwatchError: patch-failed, bad-source-tree, command-not-found (git),
 * file-unreadable, disk-full, permission-denied, interrupted. The caller holds
 * the lock of the work directory.
 */
export async function applyPatches(request: PatchRequest, deps: PatchDeps): Promise<PatchResult> {
  const root = await treeRoot(request.what, request.tree);
  try {
    await removeScratch(request.stateDir);
    const restored = await recover(root, request.stateDir);
    if (restored.length > 0) deps.log(`Put back after a run that was killed: ${restored.join(', ')}`);
    const old = await readPatchState(request.stateDir);
    const wanted = await Promise.all(request.patches.map(readPatch));
    const plan = await makePlan(request, root, old, wanted, deps);
    const changed = plan.files.filter((file) => !sameState(file.from, file.to));
    const paths = changed.map((file) => file.path);
    announceWrite(root, paths, request.usersOwn, deps.notice);
    if (plan.kept.length > 0) {
      deps.notice(`${request.what}: left as edited by hand where a patch applies: ${plan.kept.join(', ')}`);
    }
    if (plan.state !== undefined) {
      const id = randomBytes(8).toString('hex');
      await commitChange(root, request.stateDir, { id, files: changed }, { ...plan.state, id });
    }
    return { changed: paths, kept: plan.kept };
  } catch (error) {
    throw explainFsError(error, `patch ${request.what}`, root);
  }
}

interface Plan {
  readonly files: readonly { readonly path: string; readonly from: FileState; readonly to: FileState }[];
  readonly kept: readonly string[];
  /** Undefined: what is written down stays true. */
  readonly state: Omit<PatchState, 'id'> | undefined;
}

const NOTHING: Plan = { files: [], kept: [], state: undefined };

async function makePlan(
  request: PatchRequest,
  root: string,
  old: PatchState,
  wanted: readonly Parsed[],
  deps: PatchDeps,
): Promise<Plan> {
  const isSameSet =
    old.patches.length === wanted.length && wanted.every((patch, at) => patch.text === old.patches[at]?.text);
  const current = new Map<string, FileState>();
  const links = new Set([
    ...old.files.filter(({ before, after }) => isLink(before) || isLink(after)).map(({ path }) => path),
    ...wanted.flatMap(({ files }) => files.filter(({ link }) => link).map(({ path }) => path)),
  ]);
  for (const path of new Set([...old.files.map((file) => file.path), ...pathsOf(wanted)])) {
    await refuseLinks(root, path, links.has(path));
    current.set(path, await readState(join(root, path)));
  }
  const now = (path: string): FileState => current.get(path) ?? null;
  if (isSameSet && old.files.every((file) => sameState(now(file.path), file.after))) return NOTHING;

  return withScratch(request.stateDir, deps, async (scratch) => {
    const taken = isSameSet ? undefined : await takeAllBack(scratch, wanted, current);
    if (taken !== undefined && old.patches.length > 0) {
      // Patches that were made from this very tree: only what is written down about it has to change.
      if (old.files.every(({ path, before }) => sameState(taken.get(path) ?? null, before))) {
        const recorded = pathsOf(wanted).map((path) => ({
          path,
          before: taken.get(path) ?? null,
          after: now(path),
        }));
        const patches = wanted.map(({ name, text }) => ({ name, text }));
        return { files: [], kept: [], state: { patches, files: recorded } };
      }
    }
    for (const [path, state] of current) await scratch.write(path, state);
    const kept = await takeBack(request, old, now, isSameSet, scratch);
    const active = [...current.keys()].filter((path) => !kept.includes(path));
    const before = new Map<string, FileState>();
    for (const path of active) before.set(path, await scratch.read(path));

    for (const patch of wanted) {
      const paths = pathsOf([patch]).filter((path) => !kept.includes(path));
      if (paths.length === 0) continue;
      const failure = await scratch.apply(patch.text, { reverse: false, paths });
      if (failure === undefined) continue;
      if (old.patches.length === 0 && taken !== undefined) {
        deps.log(`${request.what} has these patches already`);
        return NOTHING;
      }
      throw conflict(`${patch.name} does not fit ${request.what} in ${root}`, patch.files, failure, false);
    }

    const files = [];
    for (const path of active)
      files.push({ path, from: now(path), to: withRights(await scratch.read(path), now(path)) });
    const touched = new Set(pathsOf(wanted));
    const recorded = files
      .filter((file) => touched.has(file.path))
      .map(({ path, to }) => ({ path, before: before.get(path) ?? null, after: to }));
    const stays = old.files.filter((file) => kept.includes(file.path));
    const patches = wanted.map(({ name, text }) => ({ name, text }));
    return { files, kept, state: { patches, files: [...recorded, ...stays] } };
  });
}

/**
 * Brings the copies to the state without the old patches. What is exactly as we
 * left it goes back to what it was; what was put back by somebody stays; what
 * was edited goes through the reversed patches. Gives the paths where that is
 * impossible; unless the same set is wanted again, that is a conflict.
 */
async function takeBack(
  request: PatchRequest,
  old: PatchState,
  now: (path: string) => FileState,
  isSameSet: boolean,
  scratch: Scratch,
): Promise<readonly string[]> {
  const kept: string[] = [];
  const parsed = old.patches.map((patch) => ({ ...patch, files: parsePatch(patch.text) })).reverse();
  for (const { path, before, after } of old.files) {
    const state = now(path);
    if (sameState(state, before)) continue;
    if (sameState(state, after)) {
      await scratch.write(path, before);
      continue;
    }
    for (const patch of parsed) {
      const file = patch.files.find((candidate) => candidate.path === path);
      if (file === undefined) continue;
      const failure = await scratch.apply(patch.text, { reverse: true, paths: [path] });
      if (failure === undefined) continue;
      if (!isSameSet) {
        const text = `${path} of ${request.what} was edited by hand where ${patch.name} had changed it; the old patch cannot be taken back`;
        throw conflict(text, [file], failure, true);
      }
      kept.push(path);
      break;
    }
  }
  return kept;
}

/** The files without the patches, when the tree has all of them, whoever's doing that was: they can be taken back, the last one first. */
async function takeAllBack(
  scratch: Scratch,
  wanted: readonly Parsed[],
  current: ReadonlyMap<string, FileState>,
): Promise<ReadonlyMap<string, FileState> | undefined> {
  for (const [path, state] of current) await scratch.write(path, state);
  for (const patch of [...wanted].reverse()) {
    const failure = await scratch.apply(patch.text, { reverse: true, paths: pathsOf([patch]) });
    if (failure !== undefined) return undefined;
  }
  const taken = new Map<string, FileState>();
  for (const [path, state] of current) taken.set(path, withRights(await scratch.read(path), state));
  return taken;
}

function pathsOf(patches: readonly Parsed[]): readonly string[] {
  return [...new Set(patches.flatMap((patch) => patch.files.map((file) => file.path)))];
}

/** git writes files with rights of its own; of these only executability is the patch's. */
function withRights(to: FileState, from: FileState): FileState {
  if (to === null || from === null || isLink(to) || isLink(from)) return to;
  const executable = (to.mode & 0o100) !== 0;
  if (executable === ((from.mode & 0o100) !== 0)) return { content: to.content, mode: from.mode };
  return { content: to.content, mode: executable ? from.mode | 0o111 : from.mode & ~0o111 };
}

function conflict(
  text: string,
  files: readonly FilePatch[],
  failure: ApplyFailure,
  reverse: boolean,
): StopwatchError {
  const shown = failure.places.flatMap(({ path, line }) => {
    const hunks = files.find((file) => file.path === path)?.hunks ?? [];
    const hunk = hunks.find((candidate) => (reverse ? candidate.newStart : candidate.oldStart) === line);
    return [`${path}, hunk at line ${line}:`, ...(hunk?.lines ?? [])];
  });
  const where = failure.places.map(({ path, line }) => `${path}, line ${line}`).join('; ');
  return new StopwatchError('patch-failed', where === '' ? text : `${text}: ${where}`, {
    hint: 'Nothing was changed. Make the tree and the patch agree there, or take a fresh tree.',
    lastLines: [...failure.lines, ...shown],
  });
}

async function readPatch(path: string): Promise<Parsed> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new StopwatchError('file-unreadable', `Could not read the patch ${path}`, { cause });
  }
  const text = bytes.toString('utf8');
  try {
    // What does not survive decoding would be applied as something else.
    if (!Buffer.from(text).equals(bytes)) throw new PatchSyntaxError(1, 'it is not UTF-8');
    return { name: basename(path), text, files: parsePatch(text) };
  } catch (error) {
    if (!(error instanceof PatchSyntaxError)) throw error;
    throw new StopwatchError(
      'patch-failed',
      `The patch ${path} cannot be used: line ${error.line}: ${error.message}`,
    );
  }
}

/** What a run that was killed has left in the state directory. */
async function removeScratch(stateDir: string): Promise<void> {
  await removeTemporaries(stateDir);
  const names = await readdir(stateDir).catch(() => []);
  for (const name of names) {
    if (name.startsWith('scratch-')) await rm(join(stateDir, name), { recursive: true, force: true });
  }
}
