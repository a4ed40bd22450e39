// SPDX-License-Identifier: MIT
/** The git repository of a source tree, which Stopwatch makes and manages. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import { type GitResult, runGit } from '../../../lib/git.js';
import { type Processes, shellQuote } from '../../../lib/process/process.js';

/** The paths of a tree and its repository. */
export interface RepositoryPlace {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  readonly tree: string;
  /** `.git` in the tree; elsewhere for a tree of the user's that is built in place. */
  readonly gitDir: string;
}

export function repositoryIn(what: string, tree: string): RepositoryPlace {
  return { what, tree, gitDir: join(tree, '.git') };
}

/** Stopwatch's own files in the repository, which git does not know. */
export const stateDirectory = ({ gitDir }: RepositoryPlace): string => join(gitDir, 'stopwatch');

/** True if there is a repository that `createRepository` made. */
export const isManaged = (place: RepositoryPlace): boolean => existsSync(stateDirectory(place));

/** Throws 'bad-source-tree' where the tree has no such repository, because manual edits cannot be told from the release. */
export function refuseUnmanaged(place: RepositoryPlace): void {
  if (isManaged(place)) return;
  const { what, tree, gitDir } = place;
  const got = existsSync(gitDir) ? 'another one' : 'none (version 0.1 made such trees)';
  throw new StopwatchError(
    'bad-source-tree',
    `Expected the repository that stopwatch makes for ${what} in ${gitDir}, got ${got}`,
    {
      hint: `Move ${tree} away and run the same command again: it makes a new tree. Then carry your changes over; diff -ru shows them.`,
    },
  );
}

/** A git command for the user's shell. */
export function gitCommandLine({ tree, gitDir }: RepositoryPlace, args: readonly string[]): string {
  const place = gitDir === join(tree, '.git') ? ['-C', tree] : [`--git-dir=${gitDir}`, `--work-tree=${tree}`];
  return shellQuote({ file: 'git', args: [...place, ...args] });
}

/** Commits that Stopwatch makes have this date everywhere, so that equal content has equal ids. */
const DATE = '2000-01-01T00:00:00Z';
const NAME = 'Stopwatch';
export const EMAIL = 'stopwatch@localhost';

/** The dependencies of running git. */
export interface GitPorts {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  /** Environment of the tools that are started; needs PATH, and has no GIT_* of the user's. */
  readonly env: Readonly<Record<string, string>>;
  readonly notice: (text: string) => void;
  readonly log: (line: string) => void;
}

interface GitOptions {
  /** Instead of `worktreeIndex`. */
  readonly index?: string | undefined;
  readonly workTree?: string | undefined;
  readonly input?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Runs git on a tree with its repository. */
export class Repository implements RepositoryPlace {
  readonly what: string;
  readonly tree: string;
  readonly gitDir: string;
  readonly #ports: GitPorts;

  constructor({ what, tree, gitDir }: RepositoryPlace, ports: GitPorts) {
    this.what = what;
    this.tree = tree;
    this.gitDir = gitDir;
    this.#ports = ports;
  }

  /** A repository in another place, with the same ports. */
  at(place: Partial<RepositoryPlace>): Repository {
    const { what, tree, gitDir } = this;
    return new Repository({ what, tree, gitDir, ...place }, this.#ports);
  }

  /** The same repository, without notices and lines in the log. */
  quiet(): Repository {
    return new Repository(this, { ...this.#ports, notice: () => {}, log: () => {} });
  }

  notice(text: string): void {
    this.#ports.notice(text);
  }

  log(line: string): void {
    this.#ports.log(line);
  }

  /** Path of one of Stopwatch's own files. */
  file(name: string): string {
    return join(stateDirectory(this), name);
  }

  /** The index that follows the work tree. It replaces the user's own index when commits are made. */
  get worktreeIndex(): string {
    return this.file('index');
  }

  /** Does not throw for a bad exit code. */
  async tryGit(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
    return this.#run('git', args, options);
  }

  /** Returns the standard output without the newline at its end. Throws 'command-failed'. */
  async git(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return this.#checked('git', args, await this.tryGit(args, options));
  }

  /** The same for a shell script that calls git; its arguments are $1, $2, … */
  async script(script: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
    const all = ['-e', '-c', script, 'git', ...args];
    return this.#checked('sh', all, await this.#run('sh', all, options));
  }

  /** Before a directory gets its name: after a power failure, no named one holds empty files. */
  async flush(directory: string): Promise<void> {
    await this.script('sync -f "$1"', [directory]);
  }

  #checked(file: string, args: readonly string[], { ok, stdout, said }: GitResult): string {
    if (ok) return stdout.replace(/\n$/, '');
    const last = said.findLast((line) => /^(fatal|error): /.test(line)) ?? said.at(-1);
    throw new StopwatchError(
      'command-failed',
      `git failed in the tree of ${this.what}: ${last ?? 'no message'}`,
      {
        command: `cd ${shellQuote({ file: this.tree, args: [] })} && ${shellQuote({ file, args })}`,
        lastLines: said.slice(-20),
      },
    );
  }

  async #run(file: string, args: readonly string[], options: GitOptions): Promise<GitResult> {
    const { index = this.worktreeIndex, workTree = this.tree, input } = options;
    const { processes, signal } = this.#ports;
    const env = {
      ...this.#ports.env,
      LC_ALL: 'C',
      GIT_AUTHOR_NAME: NAME,
      GIT_AUTHOR_EMAIL: EMAIL,
      GIT_AUTHOR_DATE: DATE,
      GIT_COMMITTER_NAME: NAME,
      GIT_COMMITTER_EMAIL: EMAIL,
      GIT_COMMITTER_DATE: DATE,
      ...options.env,
    };
    const command = { file, args, env, gitDir: this.gitDir, workTree, index };
    return runGit(processes, command, { signal, input });
  }
}
