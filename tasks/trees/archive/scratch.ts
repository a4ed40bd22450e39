// SPDX-License-Identifier: MIT
/**
 * Patches applied to copies of the files that they touch, never to the tree.
 *
 * By `git apply` and not by GNU patch: it takes a hunk only where its context
 * matches exactly (patch(1) guesses with fuzz, and may guess wrong), it leaves no
 * .orig and .rej files, it does all files of a patch or none, it refuses paths
 * outside, and it says which line it could not place. It takes hunks that have
 * moved. It must not find a repository around it, or it would silently skip
 * files: the copies are in a directory of their own, and the search for a
 * repository is stopped at it.
 */
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Processes } from '../../../lib/process/process.js';
import { interrupted, isMissing } from '../fs-errors.js';

/** Content and rights of a file; null: there is none. Of a symbolic link the content is its target, and the mode `LINK_MODE`. */
export type FileState = { readonly content: Buffer; readonly mode: number } | null;

/** As git writes it. */
export const LINK_MODE = 0o120000;

export function isLink(state: FileState): boolean {
  return state?.mode === LINK_MODE;
}

export interface ScratchDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
}

export interface ApplyFailure {
  /** What git said, one line each. */
  readonly lines: readonly string[];
  /** Where hunks did not fit: the file, and the hunk's own line number. */
  readonly places: readonly { readonly path: string; readonly line: number }[];
}

export interface ApplyOptions {
  readonly reverse: boolean;
  readonly paths: readonly string[];
  /** How many lines of context must match on each side; all of them if absent. */
  readonly context?: number;
}

export interface Scratch {
  write(path: string, state: FileState): Promise<void>;
  read(path: string): Promise<FileState>;
  /** Applies one patch, or its reverse, to these paths only. Undefined when it went well; else nothing is changed. */
  apply(patch: string, options: ApplyOptions): Promise<ApplyFailure | undefined>;
  /**
   * Of the last patch that was applied: at which line each hunk was, by its number in its file, without the lines of
   * context that were left out at its beginning; those that were where they say they are left out.
   */
  places(): ReadonlyMap<number, number>;
}

/** Runs `fn` with an empty scratch directory below `parent`, removed afterwards. */
export async function withScratch<T>(
  parent: string,
  deps: ScratchDeps,
  fn: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  await mkdir(parent, { recursive: true });
  const outer = await realpath(await mkdtemp(join(parent, 'scratch-')));
  const directory = join(outer, 'tree');
  try {
    await mkdir(directory);
    return await fn(makeScratch(outer, directory, deps));
  } finally {
    await rm(outer, { recursive: true, force: true });
  }
}

function makeScratch(outer: string, directory: string, deps: ScratchDeps): Scratch {
  let applied: ReadonlyMap<number, number> = new Map();
  return {
    async write(path, state) {
      const file = join(directory, path);
      await rm(file, { force: true });
      if (state === null) return;
      await mkdir(dirname(file), { recursive: true });
      if (isLink(state)) {
        await symlink(state.content, file);
        return;
      }
      await writeFile(file, state.content);
      await chmod(file, state.mode);
    },
    read: (path) => readState(join(directory, path)),
    places: () => applied,
    async apply(patch, { reverse, paths, context }) {
      const said: string[] = [];
      const args = [
        'apply',
        '-p1',
        '--verbose',
        '--whitespace=nowarn',
        ...(reverse ? ['--reverse'] : []),
        ...(context === undefined ? [] : [`-C${context}`]),
      ];
      const env = {
        ...deps.env,
        LC_ALL: 'C',
        GIT_CEILING_DIRECTORIES: outer,
        // No setting of the user's or of the host's changes how a patch is read.
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
      };
      const exit = await deps.processes.run(
        {
          file: 'git',
          args: [...args, ...paths.map((path) => `--include=${path}`), '-'],
          cwd: directory,
          env,
        },
        { signal: deps.signal, input: patch, onLine: (line) => said.push(line) },
      );
      if (deps.signal.aborted) throw interrupted('applying patches');
      applied = placesIn(said);
      if (exit.exitCode === 0) return undefined;
      // What it says of itself step by step is for `places`.
      const lines = said.filter(
        (line) => /^(error|fatal|warning): /.test(line) && !line.endsWith(' while searching for:'),
      );
      const places = lines.flatMap((line) => {
        const match = /^error: patch failed: (.+):(\d+)$/.exec(line);
        return match === null ? [] : [{ path: match[1] ?? '', line: Number(match[2]) }];
      });
      return { lines, places };
    },
  };
}

function placesIn(lines: readonly string[]): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  for (const line of lines) {
    const match = /^Hunk #(\d+) succeeded at (\d+) /.exec(line);
    if (match !== null) places.set(Number(match[1]), Number(match[2]));
  }
  return places;
}

/** What is at a path now. */
export async function readState(file: string): Promise<FileState> {
  try {
    const found = await lstat(file);
    if (found.isSymbolicLink()) return { content: await readlink(file, 'buffer'), mode: LINK_MODE };
    return { content: await readFile(file), mode: found.mode & 0o777 };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Equal kind, content and executability, which is all of the rights that a patch can change. */
export function sameState(a: FileState, b: FileState): boolean {
  if (a === null || b === null) return a === b;
  return isLink(a) === isLink(b) && a.content.equals(b.content) && (a.mode & 0o100) === (b.mode & 0o100);
}
