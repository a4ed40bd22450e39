// SPDX-License-Identifier: MIT
/** What is changed by hand in the source trees of QEMU, Linux and Busybox, while `dev` runs. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { errnoOf } from '../../../lib/errno.js';
import type { Emit } from '../../engine/events.js';
import { type TreeWatch, type TreeWatchState, watchTrees } from '../../../lib/files/tree-watch.js';

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
  /** Of what was heard of. */
  readonly #contents = new Map<string, string>();
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
        // The last events are still on their way; then they have been heard of.
        if (event.type === 'task-done' || event.type === 'task-failed')
          void this.watch.generation('').then(() => this.#writing--);
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
      const other = [...this.#saved].filter((each) => this.#isOther(each)).sort();
      this.#saved.clear();
      // Editors write beside a file first, under names of a moment.
      const there = other.filter((each) => this.#contents.get(each) !== GONE);
      const saved = there.length > 0 ? there : other;
      if (saved.length > 0) this.#options.onSave(saved.map((each) => this.#shown(each)));
    }, this.#options.quietMs);
  }

  /** A file that only got another time is not saved: a build gives one to what came back with its old one. */
  #isOther(path: string): boolean {
    const is = contentOf(path);
    const was = this.#contents.get(path);
    this.#contents.set(path, is);
    return is !== was && is !== DIRECTORY;
  }

  #shown(path: string): string {
    const root = this.#roots.find((each) => path === each || path.startsWith(`${each}/`));
    return root === undefined ? path : join(basename(root), relative(root, path));
  }
}

const GONE = 'gone';
const DIRECTORY = 'directory';

function contentOf(path: string): string {
  try {
    const { mode } = lstatSync(path);
    return `${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
  } catch (error) {
    return errnoOf(error).code === 'EISDIR' ? DIRECTORY : GONE;
  }
}

/** What `dev` says about it at the start. */
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
