// SPDX-License-Identifier: MIT
/**
 * Watches whole source trees, and knows whether one has changed since a certain moment.
 *
 * Unlike watch.ts it reads no files: a tree has tens of thousands. On Linux each directory takes
 * one of the user's inotify watches, which are limited for all programs together.
 */
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errno.js';
import { directoryIdentity, isDirectory } from '../directory.js';
import { isIgnored } from './ignored.js';

export interface TreeWatch {
  /**
   * Rises with every change below `root`. Includes all changes made before the call.
   * Undefined: not watched, or not wholly yet.
   */
  generation(root: string): Promise<number | undefined>;
  /** Digests by which nothing need be looked at again; see tree-index.ts. */
  readonly known: Map<string, { readonly generation: number; readonly digest: string }>;
  /** Resolves when every directory is watched, with their number, or with why that cannot be. */
  readonly ready: Promise<TreeWatchState>;
  close(): void;
}

export type TreeWatchState =
  | { readonly watching: true; readonly directories: number }
  /** `limit`: how many directories all programs of this user may watch together, where it is known. */
  | { readonly watching: false; readonly directories: number; readonly limit: number | undefined };

interface TreeWatchOptions {
  /** Absolute; one that does not exist is not watched. */
  readonly roots: readonly string[];
  /** Gets each changed path, once for each event. Editors' temporary files are not among them. */
  readonly onChange: (path: string) => void;
  /** The system's, if absent. */
  readonly limit?: number | undefined;
}

/** Other programs watch, too: editors above all. */
const SHARE = 0.75;
/** After a burst this large, events may have been lost: the trees are walked again. */
const BURST = 8000;

export function watchTrees({ roots, onChange, limit = systemLimit() }: TreeWatchOptions): TreeWatch {
  const watches = new Map<string, { readonly watcher: FSWatcher; readonly root: string }>();
  const generations = new Map<string, number>();
  /** Roots whose directories are all watched, with the root's identity: a tree that replaced it is not watched. */
  const whole = new Map<string, string>();
  /** Roots with a directory that cannot be watched. */
  const partly = new Set<string>();
  const known: TreeWatch['known'] = new Map();
  let closed = false;
  let burst = 0;

  const changed = (root: string): void => {
    generations.set(root, (generations.get(root) ?? 0) + 1);
  };

  const onEvent = (root: string, directory: string, name: string | null): void => {
    if (closed || (name !== null && isIgnored(name))) return;
    changed(root);
    const path = name === null ? directory : join(directory, name);
    burst++;
    if (burst === BURST) void lookAgain();
    // It may be a new directory, or another one of the same name.
    // What changed in it until it was watched counts when it is.
    if (isDirectory(path)) void add(root, path).then(() => changed(root), giveUp);
    onChange(path);
  };

  const drop = (directory: string): void => {
    watches.get(directory)?.watcher.close();
    watches.delete(directory);
  };

  /** This directory and all below it. Throws when the system watches no more of them. */
  const add = async (root: string, top: string): Promise<void> => {
    const waiting = [top];
    for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
      if (closed) return;
      const here = directory;
      if (limit !== undefined && watches.size >= limit * SHARE) throw new TooMany();
      drop(here);
      try {
        const watcher = watch(here, (_, name) => onEvent(root, here, name));
        watches.set(here, { watcher, root });
        watcher.on('error', () => {
          drop(here);
          changed(root);
        });
        // After the watch: what is made meanwhile is an event.
        for (const entry of await readdir(here, { withFileTypes: true })) {
          if (entry.isDirectory() && !isIgnored(entry.name)) waiting.push(join(here, entry.name));
        }
      } catch (error) {
        const { code } = errnoOf(error);
        if (code === 'ENOSPC' || code === 'EMFILE') throw new TooMany();
        // If it is gone, its parent has an event. Otherwise this user may not read it.
        if (code !== 'ENOENT' && code !== 'ENOTDIR') partly.add(root);
      }
    }
  };

  const giveUp = (error: unknown): void => {
    if (!(error instanceof TooMany)) throw error;
    close();
  };

  const watchRoot = async (root: string): Promise<void> => {
    const is = directoryIdentity(root);
    if (is === undefined) return;
    await add(root, root);
    if (!closed) whole.set(root, is);
    changed(root);
  };

  const lookAgain = async (): Promise<void> => {
    whole.clear();
    for (const root of roots) await watchRoot(root).catch(giveUp);
    burst = 0;
  };

  const close = (): void => {
    closed = true;
    known.clear();
    whole.clear();
    for (const { watcher } of watches.values()) watcher.close();
    watches.clear();
  };

  const start = async (): Promise<TreeWatchState> => {
    try {
      for (const root of roots) await watchRoot(root);
    } catch (error) {
      if (!(error instanceof TooMany)) throw error;
      const directories = watches.size;
      close();
      return { watching: false, directories, limit };
    }
    return { watching: true, directories: watches.size };
  };

  return {
    known,
    ready: start(),
    async generation(root) {
      // What happened before this moment is in the kernel's queue; a round of the event loop reads it.
      await turn();
      await turn();
      const was = whole.get(root);
      if (was === directoryIdentity(root))
        return was === undefined || partly.has(root) ? undefined : generations.get(root);
      // The whole tree was replaced.
      whole.delete(root);
      void watchRoot(root).catch(giveUp);
      return undefined;
    },
    close,
  };
}

class TooMany extends Error {}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

function systemLimit(): number | undefined {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'));
  } catch {
    return undefined;
  }
}
