// SPDX-License-Identifier: MIT
/** Says which files were saved. One watch per directory: Node's recursive one misses files in new directories. */
import { type Dirent, type FSWatcher, readdirSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../errno.js';
import { StopwatchError } from '../errors.js';
import { directoryIdentity, isDirectory } from '../directory.js';
import { createFileIndex } from './file-index.js';
import { isIgnored } from './ignored.js';

interface WatchOptions {
  /** Files, which need not be there yet, and directories with all that is in them. Absolute. */
  readonly paths: readonly string[];
  /** Saves that follow each other within this are one, milliseconds. */
  readonly quietMs: number;
  /** Gets the paths that were added, removed or changed in content or permissions, sorted. */
  readonly onSave: (paths: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
  /** What an earlier watch knew: files saved since then are reported first. */
  readonly since?: ReadonlyMap<string, string> | undefined;
}

export interface Watch {
  /** The files as last reported: path to digest. */
  known(): ReadonlyMap<string, string>;
  close(): void;
}

/** A file that is written again with the same content is not saved. Throws 'command-failed' when the system watches no more directories. */
export function watchFiles({ paths, quietMs, onSave, onError, since }: WatchOptions): Watch {
  // Never written: it lives as long as this watch.
  const index = createFileIndex('');
  /** By directory: another directory of the same name needs another watch. */
  const watches = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const look = (): Map<string, string> => {
    const all = new Map<string, string>();
    for (const path of paths) for (const [each, digest] of index.digests(path)) all.set(each, digest);
    return all;
  };

  const onEvent = (): void => {
    clearTimeout(timer);
    timer = setTimeout(settle, quietMs);
  };

  const watchDirectory = (directory: string): void => {
    const identity = directoryIdentity(directory);
    if (identity === undefined || watches.get(directory)?.identity === identity) return;
    watches.get(directory)?.watcher.close();
    let watcher: FSWatcher;
    try {
      watcher = watch(directory, onEvent);
    } catch (error) {
      const { code } = errnoOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return;
      throw new StopwatchError('command-failed', `Cannot watch ${directory}: ${errnoOf(error).message}`, {
        cause: error,
        ...(code === 'ENOSPC' || code === 'EMFILE'
          ? {
              hint: 'Allow more: sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024',
            }
          : {}),
      });
    }
    const drop = (): void => {
      watcher.close();
      if (watches.get(directory)?.watcher === watcher) watches.delete(directory);
    };
    watcher.on('error', drop);
    watches.set(directory, { watcher, identity });
  };

  const watchAll = (): void => {
    for (const directory of watches.keys())
      if (!isDirectory(directory)) {
        watches.get(directory)?.watcher.close();
        watches.delete(directory);
      }
    for (const path of paths) {
      if (!isDirectory(path)) watchDirectory(dirname(path));
      else for (const directory of directoriesIn(path)) watchDirectory(directory);
    }
  };

  let last: ReadonlyMap<string, string>;
  const settle = (): void => {
    if (closed) return;
    try {
      // First the watches: what is written after the look is an event again.
      watchAll();
      const now = look();
      const names = new Set([...last.keys(), ...now.keys()]);
      const saved = [...names].filter(
        (path) => last.get(path) !== now.get(path) && isContent(path, last, now),
      );
      last = now;
      if (saved.length > 0) onSave(saved.sort());
    } catch (error) {
      onError(error);
    }
  };

  watchAll();
  last = since ?? look();
  if (since !== undefined) onEvent();
  return {
    known: () => last,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const { watcher } of watches.values()) watcher.close();
      watches.clear();
    },
  };
}

/** Directories come and go with what is in them. */
function isContent(path: string, ...states: readonly ReadonlyMap<string, string>[]): boolean {
  return states.some((state) => (state.get(path) ?? 'directory') !== 'directory');
}

function* directoriesIn(directory: string): Generator<string> {
  yield directory;
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return; // Gone meanwhile.
  }
  for (const entry of entries) {
    if (entry.isDirectory() && !isIgnored(entry.name)) yield* directoriesIn(join(directory, entry.name));
  }
}
