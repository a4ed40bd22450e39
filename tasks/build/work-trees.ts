// SPDX-License-Identifier: MIT
/** The source trees in a work directory, of whatever version, and whether something in them would be lost. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceDescription } from '../../vm/device.js';
import type { SourceName } from '../config/schema.js';
import { baseEnvironment } from '../../lib/environment.js';
import type { ExtractDeps } from '../trees/archive/extract.js';
import { handEdits } from '../trees/hand-edits.js';
import type { Services } from '../config/services.js';
import { readStamp } from './source-stamp.js';

export interface WorkTree {
  readonly name: SourceName;
  readonly version: string;
  readonly tree: string;
  /** It was put aside because another archive had to take its place. */
  readonly aside: boolean;
}

const TREE = /^(qemu|linux|busybox)-(\d+(?:\.\d+)+(?:-rc\d+)?)(\.replaced-[\dTZ-]+)?$/;

/** What looking at a tree needs outside of a task: there is no row for progress, and no log. */
export interface TreeDeps extends ExtractDeps {
  readonly notice: (text: string) => void;
}

export async function treeDeps({ processes, signal, environment, emit }: Services): Promise<TreeDeps> {
  return {
    processes: await processes(),
    signal,
    env: baseEnvironment(environment),
    onProgress: () => {},
    log: () => {},
    notice: (text) => emit({ type: 'notice', task: undefined, text }),
  };
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

/** The tree and what is known of it. */
export function filesOfTree({ tree }: WorkTree): readonly string[] {
  return ['', '.source.json', '.tree.json', '.pristine', '.originals'].map((ending) => `${tree}${ending}`);
}

/** Paths that were edited by hand and are in no patch; undefined: cannot be told. The caller holds the lock of `work`. */
export async function editsIn(
  work: string,
  { name, version, tree }: WorkTree,
  device: DeviceDescription,
  deps: TreeDeps,
): Promise<readonly string[] | undefined> {
  const stamp = await readStamp(`${tree}.source.json`);
  return handEdits(
    {
      tree,
      archive: stamp?.file,
      links: name === 'busybox' ? [] : device.build[name].links,
      stateDir: join(work, 'state', 'patches', `${name}-${version}`),
      index: join(work, 'state', 'trees'),
    },
    deps,
  );
}

/** For people: at most `count` paths. */
export function someOf(paths: readonly string[], count = 5): string {
  const more = paths.length - count;
  return `${paths.slice(0, count).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}
