// SPDX-License-Identifier: MIT
/** Reads unified diffs: which files they touch, and their hunks for showing. Pure. */
import { pathProblem } from './archive/archive-entries.js';

export interface Hunk {
  /** Line of the file before the patch, from 1. */
  readonly oldStart: number;
  /** Line of the file after the patch, from 1. */
  readonly newStart: number;
  /** The `@@` line and the lines below it. */
  readonly lines: readonly string[];
}

export interface FilePatch {
  /** Path in the tree, without the `a/` or `b/`. */
  readonly path: string;
  readonly hunks: readonly Hunk[];
  /** It is a symbolic link, before or after. */
  readonly link: boolean;
}

/** What a patch says about one file: lines `start` to before `end`, from 0. A path may have two, when a file becomes a link. */
export interface PatchSection extends FilePatch {
  readonly start: number;
  readonly end: number;
}

/** Thrown by parsePatch: `message` says what is wrong, `line` where, from 1. */
export class PatchSyntaxError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * Parses a patch. Only what is needed to know the files beforehand: content and
 * rights of files that are changed, made or removed. Renames, copies and paths
 * that leave the tree or need quoting are refused (PatchSyntaxError).
 */
export function parsePatch(text: string): readonly FilePatch[] {
  const files = new Map<string, { path: string; hunks: Hunk[]; link: boolean }>();
  for (const { path, hunks, link } of patchSections(text)) {
    const file = files.get(path) ?? { path, hunks: [], link: false };
    file.hunks.push(...hunks);
    file.link ||= link;
    files.set(path, file);
  }
  return [...files.values()];
}

/** The same, file by file as the patch has them, each with its place. */
export function patchSections(text: string): readonly PatchSection[] {
  const lines = text.split('\n');
  type Open = { path: string; hunks: Hunk[]; link: boolean; start: number; end: number; named: boolean };
  const sections: Open[] = [];
  const begin = (path: string, start: number, end: number, named: boolean) =>
    sections.push({ path, hunks: [], link: false, start, end, named });
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const next = lines[at + 1] ?? '';
    const open = sections.at(-1);
    if (line.startsWith('diff --git ')) {
      begin(pathOfGit(line, at + 1), at, at + 1, false);
      at += 1;
    } else if (line.startsWith('--- ') && next.startsWith('+++ ')) {
      const path = pathOf(line, next, at + 1);
      if (open === undefined || open.named || open.path !== path) begin(path, at, at + 2, true);
      else [open.end, open.named] = [at + 2, true];
      at += 2;
    } else if (open !== undefined && !open.named && EXTENDED.test(line)) {
      if (line.endsWith(' 120000')) open.link = true;
      at += 1;
      open.end = at;
    } else if (open !== undefined && !open.named && line === 'GIT binary patch') {
      at = binaryEnd(lines, at + 1);
      [open.end, open.named] = [at, true];
    } else if (REFUSED.test(line)) {
      throw new PatchSyntaxError(at + 1, `"${line}" is not supported here`);
    } else {
      const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
      if (header === null || open?.named !== true) {
        at += 1;
        continue;
      }
      const [, oldStart = '', oldCount = '1', newStart = '', newCount = '1'] = header;
      const end = hunkEnd(lines, at, Number(oldCount), Number(newCount));
      open.hunks.push({
        oldStart: Number(oldStart),
        newStart: Number(newStart),
        lines: lines.slice(at, end),
      });
      open.end = end;
      at = end;
    }
  }
  if (sections.length === 0) throw new PatchSyntaxError(1, 'it has no "--- a/…" and "+++ b/…" lines');
  return sections;
}

/** What git says of a file before its content. */
const EXTENDED = /^(?:old mode|new mode|new file mode|deleted file mode|index) /;
const REFUSED = /^(rename|copy) (from|to) |^GIT binary patch$|^Binary files .* differ$/;

/** Index after a binary patch's two blocks, forwards and backwards, each of which ends with an empty line. */
function binaryEnd(lines: readonly string[], from: number): number {
  let at = from;
  while (/^(?:literal|delta) \d+$/.test(lines[at] ?? '')) {
    const end = lines.indexOf('', at);
    if (end < 0) throw new PatchSyntaxError(at + 1, 'the binary patch is cut off');
    at = end + 1;
  }
  return at;
}

/** Index after the last line of the hunk that begins at `at`, by its counts: a removed line may look like a header. */
function hunkEnd(lines: readonly string[], at: number, oldCount: number, newCount: number): number {
  let [before, after, end] = [oldCount, newCount, at + 1];
  for (; before > 0 || after > 0 || lines[end]?.startsWith('\\') === true; end++) {
    const line = lines[end];
    const kind = line?.[0];
    if (line === undefined || (line === '' && end === lines.length - 1)) {
      throw new PatchSyntaxError(
        at + 1,
        `the hunk ends before its ${oldCount} old and ${newCount} new lines`,
      );
    } else if (kind === '-') before -= 1;
    else if (kind === '+') after -= 1;
    else if (kind === ' ' || kind === undefined) [before, after] = [before - 1, after - 1];
    else if (kind !== '\\') throw new PatchSyntaxError(end + 1, `a hunk has no line such as "${line}"`);
  }
  return end;
}

/** Of `diff --git a/PATH b/PATH`, the only mention of a file whose rights alone change. */
function pathOfGit(line: string, at: number): string {
  const names = line.slice('diff --git '.length);
  const half = (names.length - 1) / 2;
  return pathOf(`--- ${names.slice(0, half)}`, `+++ ${names.slice(half + 1)}`, at);
}

function pathOf(minus: string, plus: string, line: number): string {
  // A tab and a date may follow.
  const from = minus.slice(4).split('\t')[0] ?? '';
  const to = plus.slice(4).split('\t')[0] ?? '';
  const path = stripped(to === '/dev/null' ? from : to);
  const problem = path === undefined ? 'it does not begin with "a/" or "b/"' : pathProblem(path);
  if (path === undefined || problem !== undefined) {
    throw new PatchSyntaxError(line, `the path ${to} cannot be used: ${problem ?? ''}`);
  }
  // `git apply --include` takes patterns, and quotes what is unusual.
  if (!/^[A-Za-z0-9_.,+@=/ -]+$/.test(path)) {
    throw new PatchSyntaxError(line, `the path ${path} has unusual characters in it`);
  }
  if (from !== '/dev/null' && to !== '/dev/null' && stripped(from) !== path) {
    throw new PatchSyntaxError(line, `it renames ${from} to ${to}, which is not supported here`);
  }
  return path;
}

/** Without the first directory, as -p1 does. */
function stripped(path: string): string | undefined {
  const slash = path.indexOf('/');
  return slash > 0 && slash < path.length - 1 ? path.slice(slash + 1) : undefined;
}
