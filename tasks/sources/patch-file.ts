// SPDX-License-Identifier: MIT
/** Reads unified diffs: which files they touch, and their hunks for showing. Pure. */
import { pathProblem } from './archive-entries.js';

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
 * Parses a patch. Only what is needed to know the files beforehand: content of
 * files that are changed, made or removed. Renames, copies, binary patches and
 * paths that leave the tree or need quoting are refused (PatchSyntaxError).
 */
export function parsePatch(text: string): readonly FilePatch[] {
  const lines = text.split('\n');
  const files = new Map<string, Hunk[]>();
  let hunks: Hunk[] | undefined;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const next = lines[at + 1] ?? '';
    const refused = /^(rename|copy) (from|to) |^GIT binary patch$|^Binary files .* differ$/.exec(line);
    if (refused !== null) throw new PatchSyntaxError(at + 1, `"${line}" is not supported here`);
    if (line.startsWith('--- ') && next.startsWith('+++ ')) {
      const path = pathOf(line, next, at + 1);
      hunks = files.get(path) ?? [];
      files.set(path, hunks);
      at += 2;
      continue;
    }
    const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (header === null || hunks === undefined) {
      at += 1;
      continue;
    }
    const [, oldStart = '', oldCount = '1', newStart = '', newCount = '1'] = header;
    const end = hunkEnd(lines, at, Number(oldCount), Number(newCount));
    hunks.push({ oldStart: Number(oldStart), newStart: Number(newStart), lines: lines.slice(at, end) });
    at = end;
  }
  if (files.size === 0) throw new PatchSyntaxError(1, 'it has no "--- a/…" and "+++ b/…" lines');
  return [...files].map(([path, fileHunks]) => ({ path, hunks: fileHunks }));
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
