// SPDX-License-Identifier: MIT
/** `qemu:patch` and `linux:patch`: the patches are applied and the sources linked, whatever the tree had before. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Task } from '../engine/task.js';
import { baseEnvironment } from '../../lib/environment.js';
import { isIgnored } from '../../lib/files/ignored.js';
import { explainFsError, isMissing } from '../trees/fs-errors.js';
import { linkSources, type SourceLink } from '../trees/links.js';
import { applyPatches } from '../trees/patch.js';
import type { DeviceDescription } from '../../vm/device.js';
import type { Layout } from './layout.js';
import { type SourcePorts, TITLES } from './sources.js';

/** The trees that are patched. */
export const PATCHED = ['qemu', 'linux'] as const;
export type PatchedName = (typeof PATCHED)[number];

/** Where a tree, what belongs into it and what is known of it are. */
export interface PatchedTree {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  readonly tree: string;
  /** It is the user's own. */
  readonly own: boolean;
  readonly patchDirectory: string;
  /** Paths of the patch files, in the order in which they are applied. */
  readonly patches: readonly string[];
  readonly links: readonly SourceLink[];
  readonly stateDir: string;
}

export function patchedTree(
  name: PatchedName,
  config: Config,
  layout: Layout,
  device: DeviceDescription,
): PatchedTree {
  const tree = layout.tree(name);
  const own = config.sources[name].tree !== null;
  const { patches, links } = device.build[name];
  const patchDirectory = join(layout.device, patches);
  const id = own
    ? createHash('sha256').update(tree).digest('hex').slice(0, 16)
    : config.sources[name].version;
  return {
    what: own ? `${TITLES[name]} in ${tree}` : `${TITLES[name]} ${config.sources[name].version}`,
    tree,
    own,
    patchDirectory,
    patches: patchFiles(patchDirectory),
    links: links.map(({ link, target }) => ({ link, target: join(layout.device, target) })),
    stateDir: join(layout.work, 'state', 'patches', `${name}-${id}`),
  };
}

/** None in a project that has no such directory. */
function patchFiles(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw explainFsError(error, 'list the patches', directory);
  }
  return names
    .filter((name) => name.endsWith('.patch') && !isIgnored(name))
    .sort()
    .map((name) => join(directory, name));
}

export function patchTask(
  name: PatchedName,
  config: Config,
  layout: Layout,
  device: DeviceDescription,
  ports: SourcePorts,
): Task {
  const { what, tree, own, patches, links, stateDir } = patchedTree(name, config, layout, device);
  // A tree of the user's own is written to, but not without a word: both calls announce what they change.
  const usersOwn = own ? { usersOwn: { mayWrite: true, howToAllow: '' } } : {};
  return {
    name: `${name}:patch`,
    title: `${what}: patch and link the sources`,
    deps: [`${name}:tree`],
    inputs: { files: patches, values: { links: links.map(({ link, target }) => `${link} -> ${target}`) } },
    outputs: links.map(({ link }) => join(tree, link)),
    jobs: 'one',
    run: async (context) => {
      const deps = {
        processes: ports.processes,
        signal: context.signal,
        env: baseEnvironment(ports.environment),
        notice: (text: string) => context.notice(text),
        log: (line: string) => context.log(line),
      };
      const { changed } = await applyPatches({ what, tree, patches, stateDir, ...usersOwn }, deps);
      const linked = await linkSources({ what, tree, links, ...usersOwn }, deps);
      for (const path of [...changed, ...linked]) context.log(`wrote ${path}`);
    },
  };
}
