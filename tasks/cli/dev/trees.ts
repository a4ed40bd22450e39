// SPDX-License-Identifier: MIT
/** What is changed by hand in the source trees of QEMU, Linux and Busybox, while `dev` runs. */
import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { Emit } from '../../core/events.js';
import { type TreeWatch, type TreeWatchState, watchTrees } from '../../host/tree-watch.js';

export interface TreesOptions {
  /** Absolute. */
  readonly roots: readonly string[];
  /** Saves that follow each other within this are one, milliseconds. */
  readonly quietMs: number;
  /** Gets what was saved, for people: the tree's name and the path in it. */
  readonly onSave: (shown: readonly string[]) => void;
  readonly limit?: number | undefined;
}

export class Trees {
  readonly watch: TreeWatch;
  readonly #roots: readonly string[];
  readonly #options: TreesOptions;
  readonly #saved = new Set<string>();
  /** Tasks that write into a tree, and run. */
  #writing = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TreesOptions) {
    this.#options = options;
    this.#roots = options.roots;
    this.watch = watchTrees({
      roots: options.roots,
      limit: options.limit,
      onChange: (path) => this.#changed(path),
    });
  }

  /** Passes on, and notices when what happens in the trees is our own doing. */
  heeding(emit: Emit): Emit {
    return (event) => {
      if ('task' in event && event.task !== undefined && /:(?:tree|patch)$/.test(event.task)) {
        if (event.type === 'task-start') this.#writing++;
        // The last events are still on their way.
        if (event.type === 'task-done' || event.type === 'task-failed')
          setTimeout(() => this.#writing--, this.#options.quietMs);
      }
      emit(event);
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    this.watch.close();
  }

  #changed(path: string): void {
    if (this.#writing > 0) return;
    this.#saved.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const all = [...this.#saved].sort();
      this.#saved.clear();
      // Editors write beside a file first, under names of a moment.
      const there = all.filter((each) => existsSync(each));
      this.#options.onSave((there.length > 0 ? there : all).map((each) => this.#shown(each)));
    }, this.#options.quietMs);
  }

  #shown(path: string): string {
    const root = this.#roots.find((each) => path === each || path.startsWith(`${each}/`));
    return root === undefined ? path : join(basename(root), relative(root, path));
  }
}

/** What of it is told at the start. */
export function watchText(state: TreeWatchState): string {
  const count = state.directories.toLocaleString('en');
  if (state.watching) return `Watching the trees of QEMU, Linux and Busybox, too: ${count} directories.`;
  const limit =
    state.limit === undefined ? 'more directories' : `more than ${state.limit.toLocaleString('en')}`;
  return [
    `Not watching the trees of QEMU, Linux and Busybox: this system does not let one user watch ${limit}.`,
    'Press r after an edit there, or allow more: sudo sysctl fs.inotify.max_user_watches=524288',
  ].join(' ');
}
