// SPDX-License-Identifier: MIT
/** What was changed by hand in a patched tree becomes patches again. Nothing is written here: the answer says what to write. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { diffOf } from './diff.js';
import { patchSections, type PatchSection } from './patch-file.js';
import { type FileState, readState, sameState, type ScratchDeps, withScratch } from './archive/scratch.js';

export interface NamedPatch {
  readonly name: string;
  readonly text: string;
}

export interface UpdateRequest {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  readonly tree: string;
  /** As they are applied to the tree, in order. */
  readonly patches: readonly NamedPatch[];
  /** Paths in the tree that are not as the release has them. */
  readonly changed: readonly string[];
  /** What the release has at these paths and at those of the patches; null: nothing. */
  readonly originals: ReadonlyMap<string, FileState>;
  /** A directory to work in. */
  readonly scratch: string;
}

export interface PatchUpdate {
  readonly name: string;
  /** Undefined: nothing of this patch is left in the tree, and its file is to go. */
  readonly text: string | undefined;
  readonly change: 'changed' | 'new' | 'removed';
  /** Paths in the tree for which it changed. */
  readonly paths: readonly string[];
}

/** Unchanged lines around a change, where no patch says otherwise. */
const CONTEXT = 3;

/**
 * The patches that lead from the release to the tree as it is; only those that
 * differ from what there is. A file that patches touch already belongs to the
 * last of them; all others go into one new patch. That the new series leads to
 * this very tree is tried out on copies before it is given back.
 * Throws 'patch-failed' where that is impossible.
 */
export async function updatedPatches(
  request: UpdateRequest,
  deps: ScratchDeps,
): Promise<readonly PatchUpdate[]> {
  const { what, patches, changed, originals, scratch } = request;
  const covering = new Map<string, number>();
  const sections = patches.map(({ text }) => patchSections(text));
  sections.forEach((list, at) => list.forEach(({ path }) => covering.set(path, at)));
  const paths = [...new Set([...covering.keys(), ...changed])].sort();
  checkPaths(what, changed);
  await mkdir(scratch, { recursive: true });

  const now = new Map<string, FileState>();
  for (const path of paths) now.set(path, await readState(join(request.tree, path)));
  const original = (path: string): FileState => originals.get(path) ?? null;
  /** What each file was before the last patch that touches it, and after all. */
  const before = new Map<string, FileState>();
  const after = await series(request, patches, deps, async (at, read) => {
    for (const [path, last] of covering) if (last === at) before.set(path, await read(path));
  });

  const differing = paths.filter((path) => !sameState(now.get(path) ?? null, after.get(path) ?? null));
  const updates: PatchUpdate[] = [];
  for (const [at, { name, text }] of patches.entries()) {
    const mine = differing.filter((path) => covering.get(path) === at);
    if (mine.length === 0) continue;
    const list = sections[at] ?? [];
    const replaced = new Map<string, string>();
    for (const path of mine) {
      const from = before.get(path) ?? null;
      const change = { path, from, to: now.get(path) ?? null, context: contextOf(list, path) };
      replaced.set(path, await diffOf(change, scratch, deps));
    }
    const next = withSections(text, list, replaced);
    updates.push({ name, text: next, change: next === undefined ? 'removed' : 'changed', paths: mine });
  }
  const others = differing.filter((path) => !covering.has(path));
  const parts: string[] = [];
  for (const path of others) {
    const change = { path, from: original(path), to: now.get(path) ?? null, context: CONTEXT };
    parts.push(await diffOf(change, scratch, deps));
  }
  if (others.length > 0) {
    const text = `${header(what, others, original, now)}${parts.join('')}`;
    updates.push({ name: nextName(patches), text, change: 'new', paths: others });
  }
  if (updates.length > 0) await checkRoundTrip(request, merged(patches, updates), now, deps);
  return updates;
}

/** The series with its updates. */
function merged(patches: readonly NamedPatch[], updates: readonly PatchUpdate[]): NamedPatch[] {
  const all = new Map<string, string | undefined>(patches.map(({ name, text }) => [name, text]));
  for (const { name, text } of updates) all.set(name, text);
  return [...all].flatMap(([name, text]) => (text === undefined ? [] : [{ name, text }]));
}

/** Applies patches to copies of the originals; `each` is asked before each of them. Gives the last state of all files. */
async function series(
  { what, originals, scratch: parent }: UpdateRequest,
  patches: readonly NamedPatch[],
  deps: ScratchDeps,
  each: (at: number, read: (path: string) => Promise<FileState>) => Promise<void>,
): Promise<ReadonlyMap<string, FileState>> {
  return withScratch(parent, deps, async (scratch) => {
    for (const [path, state] of originals) await scratch.write(path, state);
    for (const [at, { name, text }] of patches.entries()) {
      await each(at, (path) => scratch.read(path));
      const paths = [...new Set(patchSections(text).map(({ path }) => path))];
      const failure = await scratch.apply(text, { reverse: false, paths });
      if (failure === undefined) continue;
      throw new StopwatchError('patch-failed', `${name} does not fit ${what} as it was released`, {
        hint: 'Nothing was written. Run npx stopwatch patch to see where.',
        lastLines: failure.lines,
      });
    }
    const end = new Map<string, FileState>();
    for (const path of originals.keys()) end.set(path, await scratch.read(path));
    return end;
  });
}

async function checkRoundTrip(
  request: UpdateRequest,
  patches: readonly NamedPatch[],
  now: ReadonlyMap<string, FileState>,
  deps: ScratchDeps,
): Promise<void> {
  const end = await series(request, patches, deps, async () => {});
  const wrong = [...now].filter(([path, state]) => !sameState(state, end.get(path) ?? null));
  if (wrong.length === 0) return;
  throw new StopwatchError(
    'patch-failed',
    `${request.what}: the patches would not lead to the tree as it is, but differ in ${wrong.map(([path]) => path).join(', ')}`,
    { hint: 'Nothing was written. This is a fault of stopwatch itself: please report it with these files.' },
  );
}

/** What our own patches cannot say. */
function checkPaths(what: string, changed: readonly string[]): void {
  const all = new Set(changed);
  for (const path of changed) {
    if (!/^[A-Za-z0-9_.,+@=/ -]+$/.test(path)) {
      throw new StopwatchError(
        'patch-failed',
        `${what}: ${path} was changed, but a patch here cannot name it: expected letters, digits and _.,+@=/ -`,
        { hint: 'Nothing was written. Rename the file, or take the change back.' },
      );
    }
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      if (!all.has(parent)) continue;
      throw new StopwatchError(
        'patch-failed',
        `${what}: ${parent} is a file on one side and a directory on the other, which a patch here cannot say`,
        { hint: 'Nothing was written. Give one of them another name.' },
      );
    }
  }
}

/** As the section that is replaced has it: some patches keep little context on purpose, to fit other releases. */
function contextOf(list: readonly PatchSection[], path: string): number {
  const lengths = list
    .filter((section) => section.path === path)
    .flatMap(({ hunks }) => hunks)
    .map(({ lines }) => {
      const body = lines.slice(1).filter((line) => !line.startsWith('\\'));
      const first = body.findIndex((line) => /^[-+]/.test(line));
      const last = body.findLastIndex((line) => /^[-+]/.test(line));
      return Math.max(first, body.length - 1 - last);
    });
  const longest = Math.max(0, ...lengths);
  return longest === 0 ? CONTEXT : longest;
}

/** The patch with other sections for some files; undefined when no section is left. All else stays as it is, byte for byte. */
function withSections(
  text: string,
  list: readonly PatchSection[],
  replaced: ReadonlyMap<string, string>,
): string | undefined {
  const lines = text.split('\n');
  const out: string[] = [];
  const done = new Set<string>();
  let at = 0;
  let left = 0;
  for (const { path, start, end } of list) {
    out.push(...lines.slice(at, start).map((line) => `${line}\n`));
    at = end;
    const other = replaced.get(path);
    if (other === undefined) out.push(...lines.slice(start, end).map((line) => `${line}\n`));
    else if (!done.has(path)) out.push(other);
    if (other !== '') left++;
    done.add(path);
  }
  const rest = lines.slice(at).join('\n');
  return left === 0 ? undefined : `${out.join('')}${rest}`;
}

function nextName(patches: readonly NamedPatch[]): string {
  const numbers = patches.map(({ name }) => Number(/^\d+/.exec(name)?.[0] ?? 0));
  const next = Math.max(0, ...numbers) + 1;
  return `${String(next).padStart(4, '0')}-changes-by-hand.patch`;
}

function header(
  what: string,
  paths: readonly string[],
  original: (path: string) => FileState,
  now: ReadonlyMap<string, FileState>,
): string {
  const lines = paths.map((path) => {
    const word = original(path) === null ? 'new' : (now.get(path) ?? null) === null ? 'removed' : 'changed';
    return `  ${word.padEnd(8)} ${path}`;
  });
  const count = paths.length === 1 ? (paths[0] ?? '') : `${paths.length} files`;
  return [
    `Subject: [PATCH] Change ${count} of ${what.replace(/ [\d.]+(-rc\d+)?$/, '')}`,
    '',
    `Made by update_patches from a tree of ${what}. Say here what it is for:`,
    'this text is kept, and the file may be renamed.',
    '',
    ...lines,
    '---',
    '',
  ].join('\n');
}
