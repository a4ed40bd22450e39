// SPDX-License-Identifier: MIT
/** The source trees in a work directory, of whatever version, and whether something in them would be lost. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceName } from '../config/schema.js';
import { baseEnvironment } from '../../lib/environment.js';
import { StopwatchError } from '../../lib/errors.js';
import { withLock } from '../../lib/lock.js';
import { type GitPorts, isManaged, Repository, repositoryIn } from '../trees/repository/repository.js';
import { handEdits, hiddenWork } from '../trees/patch.js';
import type { Services } from '../config/services.js';

interface WorkTree {
  readonly name: SourceName;
  readonly version: string;
  readonly tree: string;
  /** It was renamed because another archive had to take its place. */
  readonly aside: boolean;
}

/** Name of the tree of a release, or of a copy of the user's own tree. */
const TREE = /^(qemu|linux|busybox)-(\d+(?:\.\d+)+(?:-rc\d+)?|own-[\da-f]+)(\.replaced-[\dTZ-]+)?$/;

/** For git outside of a task: there is no log. */
export async function gitPortsOf({ processes, signal, environment, emit }: Services): Promise<GitPorts> {
  return {
    processes: await processes(),
    signal,
    env: baseEnvironment(environment),
    log: () => {},
    notice: (text) => emit({ type: 'notice', task: undefined, text }),
  };
}

/** Runs `fn` while no other process builds in the work directory; says whom it waits for. */
export async function withWorkLock<T>(services: Services, work: string, fn: () => Promise<T>): Promise<T> {
  const { signal, emit } = services;
  const onWaiting = (holder: string) => emit({ type: 'waiting', holder });
  return withLock(join(work, 'lock'), { signal, processes: await services.processes(), onWaiting }, fn);
}

/** Nothing where there is no `src`. */
export async function treesIn(src: string): Promise<readonly WorkTree[]> {
  const entries = await readdir(src, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const [, name, version = '', aside] = TREE.exec(entry.name) ?? [];
      if (name !== 'qemu' && name !== 'linux' && name !== 'busybox') return [];
      return [{ name, version, tree: join(src, entry.name), aside: aside !== undefined }];
    });
}

/**
 * Lists what would be lost with the tree: paths that were changed by hand and are in no patch, stashes, branches and the
 * like. Undefined if that is not known. The caller holds the lock of the work directory.
 */
export async function editsIn(
  { name, version, tree }: WorkTree,
  ports: GitPorts,
): Promise<readonly string[] | undefined> {
  const place = repositoryIn(`${name} ${version}`, tree);
  // Version 0.1 made trees without a repository, and the user may have put one there.
  if (!isManaged(place)) return undefined;
  const repository = new Repository(place, ports);
  try {
    const edits = await handEdits(repository);
    // First, as long lists are cut.
    return [...(await hiddenWork(repository)), ...edits];
  } catch (error) {
    if (error instanceof StopwatchError && ['patch-failed', 'command-failed'].includes(error.code))
      return undefined;
    throw error;
  }
}

/** For people: at most `count` paths. */
export function someOf(paths: readonly string[], count = 5): string {
  const more = paths.length - count;
  return `${paths.slice(0, count).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}
