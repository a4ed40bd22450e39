// SPDX-License-Identifier: MIT
/** Whether patches fit another release, hunk by hunk: tried on copies, so that nothing changes in the tree. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { type Hunk, patchSections, type PatchSection } from './patch-file.js';
import { readPatchState } from './patch-state.js';
import { readState, sameState, type Scratch, type ScratchDeps, withScratch } from './archive/scratch.js';

export interface HunkTrial {
  /** Name of the patch file. */
  readonly patch: string;
  /** Path in the tree. */
  readonly path: string;
  /** The hunk's own line, of the release that the patch was made for; 0 where the file is made, removed or only its rights change. */
  readonly line: number;
  /** Lines by which it has moved; undefined where it does not fit. */
  readonly offset: number | undefined;
  /** Lines of context that had to be left out of account on each side, at most; `patch` itself leaves out none. */
  readonly fuzz: number;
  readonly rejected: boolean;
  /** The hunk as the patch has it. */
  readonly lines: readonly string[];
}

/** How many lines of context may be wrong before a hunk is called rejected: patch(1) takes as many. */
const MOST_FUZZ = 2;

export interface TrialRequest {
  readonly tree: string;
  /** Paths of the patch files, in order. */
  readonly patches: readonly string[];
  /** As for applyPatches, of this tree: what patches found there is tried on again where they were applied. */
  readonly stateDir: string;
}

/** In the order of the patches. Throws 'file-unreadable', 'interrupted', and 'patch-failed' for a damaged record. */
export async function tryPatches(
  { tree, patches, stateDir }: TrialRequest,
  deps: ScratchDeps,
): Promise<readonly HunkTrial[]> {
  const texts = await Promise.all(
    patches.map(async (file) => {
      const text = await readFile(file, 'utf8').catch((cause: unknown) => {
        throw new StopwatchError('file-unreadable', `Could not read the patch ${file}`, { cause });
      });
      return { name: basename(file), text };
    }),
  );
  const applied = new Map((await readPatchState(stateDir)).files.map((file) => [file.path, file]));
  const unpatched = async (path: string) => {
    const now = await readState(join(tree, path));
    const known = applied.get(path);
    return known !== undefined && sameState(now, known.after) ? known.before : now;
  };
  return withScratch(stateDir, deps, async (scratch) => {
    const trials: HunkTrial[] = [];
    const copied = new Set<string>();
    for (const { name, text } of texts) {
      const lines = text.split('\n');
      for (const section of patchSections(text)) {
        if (!copied.has(section.path)) {
          await scratch.write(section.path, await unpatched(section.path));
          copied.add(section.path);
        }
        trials.push(...(await trySection(name, lines.slice(section.start, section.end), section, scratch)));
      }
    }
    return trials;
  });
}

/** A whole file where that is all there is to try; else each hunk alone, after those before it. */
async function trySection(
  patch: string,
  lines: readonly string[],
  { path, hunks }: PatchSection,
  scratch: Scratch,
): Promise<HunkTrial[]> {
  const header = lines.slice(0, lines.length - hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0));
  const whole = { patch, path, line: 0, fuzz: 0, lines };
  const exact = await scratch.apply(`${lines.join('\n')}\n`, { reverse: false, paths: [path] });
  const isNewOrGone = hunks.length === 0 || header.some((line) => /^(---|\+\+\+) \/dev\/null/.test(line));
  if (isNewOrGone) {
    const rejected = exact !== undefined;
    return [{ ...whole, offset: rejected ? undefined : 0, rejected }];
  }
  /** Lines that the hunks before have added. */
  let added = 0;
  if (exact === undefined) {
    const places = scratch.places();
    return hunks.map((hunk, index) => {
      const { oldStart: line, newStart, lines: text } = hunk;
      const offset = (places.get(index + 1) ?? newStart) - added - line;
      added += growthOf(hunk);
      return { patch, path, line, offset, fuzz: 0, rejected: false, lines: text };
    });
  }
  const trials: HunkTrial[] = [];
  for (const hunk of hunks) {
    const trial = await tryHunk(patch, path, header, { ...hunk, added }, scratch);
    trials.push(trial);
    if (!trial.rejected) added += growthOf(hunk);
  }
  return trials;
}

function growthOf({ lines }: Hunk): number {
  const count = (kind: string) => lines.slice(1).filter((line) => line.startsWith(kind)).length;
  return count('+') - count('-');
}

async function tryHunk(
  patch: string,
  path: string,
  header: readonly string[],
  hunk: Hunk & { readonly added: number },
  scratch: Scratch,
): Promise<HunkTrial> {
  const common = { patch, path, line: hunk.oldStart, lines: hunk.lines };
  const text = `${[...header, ...hunk.lines].join('\n')}\n`;
  const { leading, trailing } = contextOf(hunk);
  const most = Math.max(leading, trailing);
  // One line at least must be right: without any, a hunk fits everywhere.
  for (let fuzz = 0; fuzz === 0 || (fuzz <= MOST_FUZZ && fuzz < most); fuzz++) {
    const options = { reverse: false, paths: [path], ...(fuzz === 0 ? {} : { context: most - fuzz }) };
    if ((await scratch.apply(text, options)) !== undefined) continue;
    const left = fuzz === 0 ? 0 : Math.max(0, leading - (most - fuzz));
    const start = (scratch.places().get(1) ?? hunk.newStart - left) - left;
    return { ...common, offset: start - hunk.added - hunk.oldStart, fuzz, rejected: false };
  }
  return { ...common, offset: undefined, fuzz: 0, rejected: true };
}

/** Unchanged lines at each end. */
function contextOf({ lines }: Hunk): { readonly leading: number; readonly trailing: number } {
  const body = lines.slice(1).filter((line) => !line.startsWith('\\'));
  const first = body.findIndex((line) => /^[-+]/.test(line));
  const last = body.findLastIndex((line) => /^[-+]/.test(line));
  return { leading: Math.max(0, first), trailing: body.length - 1 - last };
}

/** One line for people, then, where it does not fit, the hunk. */
export function describeTrial({ patch, path, line, offset, fuzz, rejected, lines }: HunkTrial): string[] {
  const where = `${patch}: ${path}${line === 0 ? '' : `:${line}`}`;
  if (rejected) return [`${where}: rejected`, ...lines.map((text) => `  ${text}`)];
  const moved =
    offset === undefined || offset === 0
      ? ''
      : `, moved by ${offset} line${Math.abs(offset) === 1 ? '' : 's'}`;
  if (fuzz === 0) return [`${where}: fits${moved}`];
  return [`${where}: fits only with fuzz ${fuzz}${moved}`, ...lines.map((text) => `  ${text}`)];
}
