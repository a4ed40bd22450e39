// SPDX-License-Identifier: MIT
/** A small source tree with its repository, in a directory of its own. */
import { execFile } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { baseEnvironment } from '../../lib/environment.js';
import { createProcesses } from '../../lib/process/process.js';
import { createRepository } from './repository/create.js';
import { type GitPorts, Repository, repositoryIn } from './repository/repository.js';

export const run = promisify(execFile);

export interface Small {
  readonly root: string;
  readonly repository: Repository;
  readonly tree: string;
  readonly notices: string[];
  readonly ports: GitPorts;
  readonly put: (path: string, content: string | Buffer, mode?: number) => Promise<void>;
  readonly read: (path: string) => Promise<string>;
  /** git as a user types it in the tree. */
  git(...args: readonly string[]): Promise<string>;
  /** Writes the patch that leads from the release to `after` (null: no such file), as git writes it. Gives its path. */
  patch(
    name: string,
    after: Readonly<Record<string, string | null>>,
    before?: Readonly<Record<string, string | null>>,
  ): Promise<string>;
  remove(): Promise<void>;
}

export const lines = (count: number): string[] => Array.from({ length: count }, (_, at) => `line ${at + 1}`);
export const text = (all: readonly string[]): string => `${all.join('\n')}\n`;
/** 30 lines, some of which are others: { 5: 'FIVE' }. */
export const edited = (changes: Readonly<Record<number, string>>): string =>
  text(lines(30).map((line, at) => changes[at + 1] ?? line));

/** With `files`, of which the release has one commit. */
export async function smallTree(files: Readonly<Record<string, string | Buffer>>): Promise<Small> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'stopwatch-trees-')));
  const tree = join(root, 'tree');
  const notices: string[] = [];
  const ports: GitPorts = {
    processes: createProcesses(),
    signal: new AbortController().signal,
    env: baseEnvironment(),
    notice: (line) => notices.push(line),
    log: () => undefined,
  };
  const repository = new Repository(repositoryIn('Thing 1.0', tree), ports);
  const put = async (path: string, content: string | Buffer, mode = 0o644) => {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
    await chmod(join(tree, path), mode);
  };
  for (const [path, content] of Object.entries(files)) await put(path, content);
  await createRepository(repository, { message: 'Thing 1.0' });
  const identity = ['-c', 'user.name=A User', '-c', 'user.email=user@example.org'];
  return {
    root,
    repository,
    tree,
    notices,
    ports,
    put,
    read: (path) => readFile(join(tree, path), 'utf8'),
    git: async (...args) => (await run('git', ['-C', tree, ...identity, ...args])).stdout.trimEnd(),
    async patch(name, after, before = {}) {
      const scratch = join(root, 'scratch');
      await rm(scratch, { recursive: true, force: true });
      await mkdir(scratch);
      const git = (...args: readonly string[]) =>
        run('git', ['-C', scratch, ...identity, '-c', 'commit.gpgSign=false', ...args]);
      const write = async (path: string, content: string | Buffer | null | undefined) => {
        const file = join(scratch, path);
        if (content === null || content === undefined) return rm(file, { force: true });
        await mkdir(dirname(file), { recursive: true });
        return writeFile(file, content);
      };
      await git('init', '-q');
      for (const path of Object.keys(after)) await write(path, path in before ? before[path] : files[path]);
      await git('add', '-A', '-f');
      await git('commit', '-q', '--allow-empty', '-m', 'before');
      for (const [path, content] of Object.entries(after)) await write(path, content);
      await git('add', '-A', '-f');
      await git('commit', '-q', '-m', `Subject of ${name}`);
      const { stdout } = await git('format-patch', '-1', '--stdout', '-N', '-U1', '--no-signature');
      await writeFile(join(root, name), stdout);
      return join(root, name);
    },
    remove: async () => rm(root, { recursive: true, force: true }),
  };
}

/** Kind, executability, content or target of everything but directories and the repository. */
export async function picture(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (name === '.git' || name.startsWith('.git/')) continue;
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`;
    else if (entry.isFile()) {
      const executable = ((await stat(path)).mode & 0o100) !== 0;
      found[name] = `${executable ? 'x' : '-'} ${await readFile(path, 'base64')}`;
    }
  }
  return found;
}
