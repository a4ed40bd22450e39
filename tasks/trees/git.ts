// SPDX-License-Identifier: MIT
/** Runs git on a source tree, with none of the user's settings. */
import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { type Processes, shellQuote } from '../../lib/process/process.js';

export interface GitDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  /** Environment of the tools that are started; needs PATH, and has no GIT_* of the user's. */
  readonly env: Readonly<Record<string, string>>;
  readonly notice: (text: string) => void;
  readonly log: (line: string) => void;
}

export interface Repository {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  readonly tree: string;
  /** `.git` in the tree; elsewhere for a tree of the user's that is built in place. */
  readonly gitDir: string;
}

export function repositoryIn(what: string, tree: string): Repository {
  return { what, tree, gitDir: join(tree, '.git') };
}

/** Files of ours in the repository, which git itself does not know. */
export const ours = ({ gitDir }: Repository, name: string): string => join(gitDir, 'stopwatch', name);

/** Whether there is a repository, and it is one that `createRepository` made. */
export const isOurs = (repository: Repository): boolean => existsSync(ours(repository, ''));

/** Throws 'bad-source-tree' where the tree has no repository of ours: what was changed in it by hand cannot be told. */
export function refuseForeign(repository: Repository): void {
  if (isOurs(repository)) return;
  const { what, tree, gitDir } = repository;
  const got = existsSync(gitDir) ? 'another one' : 'none (version 0.1 made such trees)';
  throw new StopwatchError(
    'bad-source-tree',
    `Expected the repository that stopwatch makes for ${what} in ${gitDir}, got ${got}`,
    {
      hint: `Move ${tree} away and run the same command again: it makes a new tree. Then carry your changes over; diff -ru shows them.`,
    },
  );
}

/** The index that follows the work tree. The user's own index is replaced by it when commits are made. */
export const worktreeIndex = (repository: Repository): string => ours(repository, 'index');

/** Commits of ours have this date everywhere, so that equal content has equal ids. */
const DATE = '2000-01-01T00:00:00Z';
const NAME = 'Stopwatch';
export const EMAIL = 'stopwatch@localhost';

export interface GitOptions {
  /** Instead of `worktreeIndex`. */
  readonly index?: string | undefined;
  readonly workTree?: string | undefined;
  readonly input?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface GitResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** What it printed on standard error. */
  readonly said: readonly string[];
}

/** Does not throw for a bad exit code. */
export async function tryGit(
  repository: Repository,
  args: readonly string[],
  deps: GitDeps,
  options: GitOptions = {},
): Promise<GitResult> {
  return runWithGit(repository, 'git', args, deps, options);
}

/** The standard output without the newline at its end. Throws 'command-failed'. */
export async function git(
  repository: Repository,
  args: readonly string[],
  deps: GitDeps,
  options: GitOptions = {},
): Promise<string> {
  return checked(repository, 'git', args, await tryGit(repository, args, deps, options));
}

/** The same for a shell script that calls git; its arguments are $1, $2, … */
export async function gitScript(
  repository: Repository,
  script: string,
  args: readonly string[],
  deps: GitDeps,
  options: GitOptions = {},
): Promise<string> {
  const all = ['-e', '-c', script, 'git', ...args];
  return checked(repository, 'sh', all, await runWithGit(repository, 'sh', all, deps, options));
}

function checked({ what, tree }: Repository, file: string, args: readonly string[], result: GitResult) {
  if (result.ok) return result.stdout.replace(/\n$/, '');
  const last = result.said.findLast((line) => /^(fatal|error): /.test(line)) ?? result.said.at(-1);
  throw new StopwatchError('command-failed', `git failed in the tree of ${what}: ${last ?? 'no message'}`, {
    command: `cd ${shellQuote({ file: tree, args: [] })} && ${shellQuote({ file, args })}`,
    lastLines: result.said.slice(-20),
  });
}

async function runWithGit(
  repository: Repository,
  file: string,
  args: readonly string[],
  deps: GitDeps,
  { index, workTree, input, env }: GitOptions,
): Promise<GitResult> {
  const said: string[] = [];
  const { exitCode, stdout } = await deps.processes.run(
    {
      file,
      args,
      cwd: workTree ?? repository.tree,
      env: {
        ...deps.env,
        LC_ALL: 'C',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_DIR: repository.gitDir,
        GIT_WORK_TREE: workTree ?? repository.tree,
        GIT_INDEX_FILE: index ?? worktreeIndex(repository),
        GIT_AUTHOR_NAME: NAME,
        GIT_AUTHOR_EMAIL: EMAIL,
        GIT_AUTHOR_DATE: DATE,
        GIT_COMMITTER_NAME: NAME,
        GIT_COMMITTER_EMAIL: EMAIL,
        GIT_COMMITTER_DATE: DATE,
        ...env,
      },
    },
    {
      signal: deps.signal,
      capture: true,
      onLine: (line, stream) => {
        if (stream === 'stderr') said.push(line);
      },
      ...(input === undefined ? {} : { input }),
    },
  );
  if (deps.signal.aborted)
    throw new StopwatchError('interrupted', `Interrupted: git in the tree of ${repository.what}`);
  return { ok: exitCode === 0, stdout, said };
}

const CONFIG = `[core]
\trepositoryFormatVersion = 0
\tbare = false
\tfileMode = true
\tlogAllRefUpdates = true
\tautocrlf = false
\tcompression = 1
\texcludesFile = /dev/null
\thooksPath = /dev/null
\tfsmonitor = false
[commit]
\tgpgSign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[advice]
\tdetachedHead = false
`;

/** What editors, builds, patch(1) and Python leave behind: never part of a tree. */
const DROPPINGS = ['*~', '.#*', '*.swp', '__pycache__/', '*.pyc', '*.orig', '*.rej'];

/**
 * Makes a repository with one commit: the work tree as it is, or all of `content` without
 * the repositories in it. A repository outside its tree gets its name when it is complete. Of one
 * inside, the caller renames the tree.
 */
export async function createRepository(
  repository: Repository,
  deps: GitDeps,
  { content, message }: { readonly content?: string | undefined; readonly message: string },
): Promise<void> {
  const isApart = dirname(repository.gitDir) !== repository.tree;
  const partial = isApart ? { ...repository, gitDir: `${repository.gitDir}.partial` } : repository;
  await rm(partial.gitDir, { recursive: true, force: true });
  await mkdir(join(partial.gitDir, 'stopwatch'), { recursive: true });
  await git(partial, ['init', '-q', '--template='], deps);
  await git(partial, ['symbolic-ref', 'HEAD', 'refs/heads/stopwatch'], deps);
  await writeFile(join(partial.gitDir, 'config'), CONFIG);
  await mkdir(join(partial.gitDir, 'info'), { recursive: true });
  // A release's own .gitattributes and .gitignore say nothing here: all of it is content, byte for byte.
  await writeFile(
    join(partial.gitDir, 'info', 'attributes'),
    '* -text -ident -filter !working-tree-encoding\n',
  );
  await exclude(partial, []);
  const tree =
    content === undefined
      ? await snapshot(partial, deps, { all: true })
      : await importTree(partial, content, deps);
  const base = await git(partial, ['commit-tree', tree, '-m', message], deps, { env: BASE });
  await git(partial, ['update-ref', 'HEAD', base], deps);
  if (content === undefined) await installIndex(partial);
  if (isApart) await rename(partial.gitDir, repository.gitDir);
}

/** Tells a base commit of ours from any other first commit. */
export const BASE_COMMITTER = 'base@stopwatch.localhost';
export const BASE = { GIT_COMMITTER_EMAIL: BASE_COMMITTER } as const;

/** `links`: paths in the tree that lead to the project's own sources. */
export async function exclude(repository: Repository, links: readonly string[]): Promise<void> {
  const lines = [...DROPPINGS, ...links.map((link) => `/${link.replaceAll(/[*?[\]\\!# ]/g, '\\$&')}`)];
  await mkdir(join(repository.gitDir, 'info'), { recursive: true });
  await writeFile(excludeFile(repository), lines.map((line) => `${line}\n`).join(''));
}

const excludeFile = ({ gitDir }: Repository): string => join(gitDir, 'info', 'exclude');
/** Larger files go straight into one pack: half the time and disk space of 57,000 loose objects. */
const PACKED = 'git -c core.bigFileThreshold=1 update-index --add --remove --replace -z --stdin';

/**
 * The id of the work tree's content. Ignored files are content, but not links of ours and
 * droppings. Of repositories inside the tree nothing is taken.
 */
export async function snapshot(
  repository: Repository,
  deps: GitDeps,
  { all = false }: { readonly all?: boolean } = {},
): Promise<string> {
  const script = [
    '[ -n "$2" ] && set -- "$1" || set -- "$1" --exclude-from="$GIT_DIR/info/exclude"',
    'list=$1; shift',
    '[ ! -e "$GIT_INDEX_FILE" ] || git add -u .',
    'git ls-files -o -z "$@" >"$list"',
    `[ ! -s "$list" ] || grep -zv '/$' "$list" | ${PACKED}`,
    'rm -f "$list"',
    'git write-tree',
  ].join('\n');
  const take = async () =>
    gitScript(repository, script, [ours(repository, 'untracked'), all ? 'all' : ''], deps);
  return take().catch(async (error: unknown) => {
    if (!isObjectMissing(error)) throw error;
    await rm(worktreeIndex(repository), { force: true });
    await git(repository, ['read-tree', 'HEAD'], deps);
    return take();
  });
}

/** The user's `git gc --prune=now` takes what only an index of ours leads to; the files are still there. */
const isObjectMissing = (error: unknown): boolean =>
  error instanceof StopwatchError &&
  error.code === 'command-failed' &&
  error.lastLines.some((line) => line.startsWith('error: invalid object '));

/** The id of a directory's content, which is only read. It has an index of its own, so the next time only changed files are. */
export async function importTree(repository: Repository, from: string, deps: GitDeps): Promise<string> {
  const index = ours(repository, 'import.index');
  const script = `{ [ ! -e "$GIT_INDEX_FILE" ] || git ls-files -z
    find . -name .git -prune -o '(' -type f -o -type l ')' -printf '%P\\0'
  } | ${PACKED}
  git write-tree`;
  const take = async () => gitScript(repository, script, [], deps, { index, workTree: from });
  return take().catch(async (error: unknown) => {
    if (!isObjectMissing(error)) throw error;
    await rm(index);
    return take();
  });
}

/** Makes our index the user's, so that `git status` in the tree says what is true. Only within `changing`. */
export async function installIndex(repository: Repository): Promise<void> {
  const target = join(repository.gitDir, 'index');
  const lock = `${target}.lock`;
  try {
    await copyFile(worktreeIndex(repository), lock, constants.COPYFILE_EXCL);
  } catch (cause) {
    if (!existsSync(lock)) throw cause;
    throw new StopwatchError(
      'patch-failed',
      `Another git is at work in the tree of ${repository.what}: ${lock} exists`,
      {
        hint: 'Wait for it to end; if none is running, remove that file. Then run the same command again.',
        cause,
      },
    );
  }
  await rename(lock, target);
}

const changingFile = (repository: Repository): string => ours(repository, 'changing');

/** Runs what takes locks of the repository, so that `removeLocks` knows them for ours after a kill. */
export async function changing<T>(repository: Repository, fn: () => Promise<T>): Promise<T> {
  await writeFile(changingFile(repository), '');
  try {
    return await fn();
  } finally {
    await rm(changingFile(repository), { force: true });
  }
}

/** Removes the locks that a killed run of ours has left; those of others stay. */
export async function removeLocks(repository: Repository): Promise<void> {
  const { gitDir } = repository;
  for (const name of await readdir(ours(repository, ''))) {
    if (name.endsWith('.lock')) await rm(ours(repository, name));
  }
  if (!existsSync(changingFile(repository))) return;
  const refs = await readdir(join(gitDir, 'refs'), { recursive: true });
  const locks = ['HEAD.lock', 'index.lock', ...refs.map((name) => join('refs', name))];
  for (const name of locks) if (name.endsWith('.lock')) await rm(join(gitDir, name), { force: true });
  await rm(changingFile(repository));
}
