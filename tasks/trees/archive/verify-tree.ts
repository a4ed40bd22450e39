// SPDX-License-Identifier: MIT
/** Looks over a freshly extracted tree, before it gets its name. */
import { chmod, lstat, readlink } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import { errnoOf } from '../../../lib/errno.js';
import { isMissing } from '../fs-errors.js';
import type { TarDeps } from './system-tar.js';

type VerifyDeps = Pick<TarDeps, 'processes' | 'signal' | 'env'>;

/**
 * Everything below a directory that is not a plain file or directory of usual
 * rights. `find` passes over 85,000 files in 0.3 s and names about sixty; only
 * these are looked at here. `-perm` with a minus and octal digits, `-links`
 * and `-print0` mean the same to GNU, BSD and Busybox.
 */
const PECULIAR = [
  '( ! -type f ! -type d )',
  '-o ( -type f -links +1 )',
  '-o -perm -4000 -o -perm -2000 -o -perm -1000',
  '-o ( -type d ! -perm -0700 ) -o ! -perm -0600',
].flatMap((part) => part.split(' '));

/**
 * Throws StopwatchError 'unsafe-archive' when a link leads out of the tree, or
 * something in it is neither file, directory nor link. Takes set-user-ID,
 * set-group-ID and sticky bits away, and lets the owner read and write all.
 */
export async function verifyTree(root: string, archive: string, deps: VerifyDeps): Promise<void> {
  const refuse = (path: string, why: string): StopwatchError =>
    new StopwatchError('unsafe-archive', `${archive} is refused: ${relative(root, path)} ${why}`, {
      hint: 'Nothing of it was kept. Check where this archive comes from, and its sha256 in the configuration.',
    });
  const inodes = new Map<string, { seen: number; links: number; path: string }>();
  for (const path of await findPeculiar(root, deps)) {
    const stat = await lstat(path).catch((error: unknown) => {
      throw isMissing(error) ? refuse(path, 'has a name that is not UTF-8') : error;
    });
    if (stat.isSymbolicLink()) {
      const out = await leavesTree(root, path);
      if (out !== undefined)
        throw refuse(path, `is a symbolic link to ${await readlink(path)}, which leads to ${out}`);
    } else if (stat.isFile() || stat.isDirectory()) {
      if (stat.isFile() && stat.nlink > 1) {
        const key = `${stat.dev} ${stat.ino}`;
        const inode = inodes.get(key) ?? { seen: 0, links: stat.nlink, path };
        inode.seen += 1;
        inodes.set(key, inode);
      }
      const mode = (stat.mode & 0o777) | (stat.isDirectory() ? 0o700 : 0o600);
      if (mode !== (stat.mode & 0o7777)) await chmod(path, mode);
    } else {
      throw refuse(path, 'is neither file, directory nor link');
    }
  }
  for (const { seen, links, path } of inodes.values()) {
    if (seen !== links) throw refuse(path, 'is a hard link to a file outside');
  }
}

async function findPeculiar(root: string, deps: VerifyDeps): Promise<readonly string[]> {
  const run = (file: string, args: readonly string[]) =>
    deps.processes.run(
      { file, args, env: { ...deps.env, LC_ALL: 'C' } },
      { signal: deps.signal, capture: true },
    );
  const find = () => run('find', [root, '(', ...PECULIAR, ')', '-print0']);
  let exit = await find();
  if (exit.exitCode !== 0 && !deps.signal.aborted) {
    // A directory that even its owner may not read: open it, then look again.
    await run('chmod', ['-R', 'u+rwX', root]);
    exit = await find();
  }
  if (deps.signal.aborted) throw new StopwatchError('interrupted', `Interrupted: checking ${root}`);
  if (exit.exitCode !== 0)
    throw new StopwatchError('extract-failed', `Could not look over ${root}: find failed`);
  return exit.stdout.split('\0').filter((path) => path !== '');
}

/**
 * Follows a symbolic link as the kernel would, one name at a time, without
 * ever leaving `root`. Gives the first path outside that it would lead to;
 * undefined when it stays inside, existing or not.
 */
async function leavesTree(root: string, link: string): Promise<string | undefined> {
  const inside = (path: string): boolean => path === root || path.startsWith(root + sep);
  let current = dirname(link);
  const rest = [link.slice(current.length + 1)];
  let followed = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(current) : join(current, name);
    if (!inside(next)) return next;
    const target = await linkTarget(next);
    if (target === undefined) {
      current = next;
      continue;
    }
    if (target.startsWith('/')) return resolve(target);
    followed += 1;
    // The kernel gives up here as well: a loop leads nowhere.
    if (followed > 40) return undefined;
    rest.unshift(...target.split('/'));
  }
  return undefined;
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    // EINVAL: there, but no link.
    if (isMissing(error) || errnoOf(error).code === 'EINVAL') return undefined;
    throw error;
  }
}
