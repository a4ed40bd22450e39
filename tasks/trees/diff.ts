// SPDX-License-Identifier: MIT
/** The difference of two states of one file, as a section of a patch. */
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { interrupted } from './fs-errors.js';
import { type FileState, isLink, sameState, type ScratchDeps } from './archive/scratch.js';

export interface FileChange {
  readonly path: string;
  readonly from: FileState;
  readonly to: FileState;
  /** Unchanged lines around each change. */
  readonly context: number;
}

/**
 * By `git diff`, so that rights, symbolic links and binary files have their
 * known form. Without names of branches, hashes and times; renames are a file
 * that goes and one that comes. '' when nothing differs. Throws 'patch-failed'
 * for text that is not UTF-8. `parent`: a directory to work in.
 */
export async function diffOf(change: FileChange, parent: string, deps: ScratchDeps): Promise<string> {
  const { path, from, to, context } = change;
  if (sameState(from, to)) return '';
  await mkdir(parent, { recursive: true });
  const directory = await realpath(await mkdtemp(join(parent, 'scratch-')));
  try {
    // A change of kind is two changes for git as well.
    if (from !== null && to !== null && isLink(from) !== isLink(to)) {
      const gone = await diffOf({ ...change, to: null }, parent, deps);
      return gone + (await diffOf({ ...change, from: null }, parent, deps));
    }
    await put(join(directory, 'a'), path, from);
    await put(join(directory, 'b'), path, to);
    const args = [
      'diff',
      '--no-index',
      '--no-prefix',
      '--no-renames',
      '--no-color',
      '--no-ext-diff',
      '--no-textconv',
      '--binary',
      '--full-index',
      '--diff-algorithm=myers',
      `--unified=${context}`,
      '--',
      'a',
      'b',
    ];
    const env = {
      ...deps.env,
      LC_ALL: 'C',
      GIT_CEILING_DIRECTORIES: dirname(directory),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
    };
    const lines: string[] = [];
    const exit = await deps.processes.run(
      { file: 'git', args, cwd: directory, env },
      {
        signal: deps.signal,
        capture: true,
        onLine: (line, stream) => {
          if (stream === 'stderr') lines.push(line);
        },
      },
    );
    if (deps.signal.aborted) throw interrupted('making patches');
    // 1: there is a difference.
    if (exit.exitCode !== 0 && exit.exitCode !== 1) {
      throw new StopwatchError('command-failed', `git diff failed for ${path}`, { lastLines: lines });
    }
    const text = plain(exit.stdout, path);
    // Decoding puts this in the place of every byte that is none.
    if (text.includes('\uFFFD') && !bothHave(change)) {
      throw new StopwatchError(
        'patch-failed',
        `${path} is text, but not UTF-8: it cannot be put in a patch`,
        {
          hint: 'Write the file as UTF-8, or take the change back.',
        },
      );
    }
    return text;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The replacement character may be in the file itself. */
function bothHave({ from, to }: FileChange): boolean {
  return [from, to].every(
    (state) => state === null || Buffer.from(state.content.toString('utf8')).equals(state.content),
  );
}

async function put(side: string, path: string, state: FileState): Promise<void> {
  const file = join(side, path);
  await mkdir(state === null ? side : dirname(file), { recursive: true });
  if (state === null) return;
  if (isLink(state)) {
    await symlink(state.content, file);
    return;
  }
  await writeFile(file, state.content);
  await chmod(file, (state.mode & 0o100) === 0 ? 0o644 : 0o755);
}

/** git names the one side of a file that comes or goes twice; hashes serve only binary content. */
function plain(text: string, path: string): string {
  const end = text.indexOf('\n@@ ');
  const head = (end < 0 ? text : text.slice(0, end + 1)).split('\n');
  const binary = head.includes('GIT binary patch');
  const kept = head.flatMap((line, at) => {
    if (at === 0) return [`diff --git a/${path} b/${path}`];
    if (!binary && line.startsWith('index ')) {
      // The kind of a link is said here when only its target changes.
      return line.endsWith(' 120000') ? [line] : [];
    }
    // A tab keeps the names of paths with blanks apart from a date.
    return [line];
  });
  return kept.join('\n') + (end < 0 ? '' : text.slice(end + 1));
}
