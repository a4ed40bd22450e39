// SPDX-License-Identifier: MIT
/** Runs git on a source tree, with none of the user's settings. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
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

/** A command for the user's shell. */
export function inTree({ tree, gitDir }: Repository, args: readonly string[]): string {
  const place = gitDir === join(tree, '.git') ? ['-C', tree] : [`--git-dir=${gitDir}`, `--work-tree=${tree}`];
  return shellQuote({ file: 'git', args: [...place, ...args] });
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
