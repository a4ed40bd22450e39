// SPDX-License-Identifier: MIT
/** `qemu:patch` and `linux:patch`: the patches are applied and the sources linked, whatever the tree had before. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Config, SourceName } from '../config/schema.js';
import type { Task } from '../core/task.js';
import { baseEnvironment } from '../host/environment.js';
import { linkSources } from '../sources/links.js';
import { applyPatches } from '../sources/patch.js';
import type { DeviceDescription } from '../../vm/device.js';
import type { Layout } from './layout.js';
import { type SourcePorts, TITLES } from './sources.js';

export function patchTask(
  name: Extract<SourceName, 'qemu' | 'linux'>,
  config: Config,
  layout: Layout,
  device: DeviceDescription,
  ports: SourcePorts,
): Task {
  const tree = layout.tree(name);
  const own = config.sources[name].tree !== null;
  const { patches, links } = device.build[name];
  const files = patches.map((patch) => join(layout.package, patch));
  const targets = links.map(({ link, target }) => ({ link, target: join(layout.package, target) }));
  const what = own ? `${TITLES[name]} in ${tree}` : `${TITLES[name]} ${config.sources[name].version}`;
  // A tree of the user's own is written to, but not without a word: both calls announce what they change.
  const usersOwn = own ? { usersOwn: { mayWrite: true, howToAllow: '' } } : {};
  return {
    name: `${name}:patch`,
    title: `${what}: patch and link the sources`,
    deps: [`${name}:tree`],
    inputs: { files, values: { links: targets.map(({ link, target }) => `${link} -> ${target}`) } },
    outputs: targets.map(({ link }) => join(tree, link)),
    jobs: 'one',
    run: async (context) => {
      const deps = {
        processes: ports.processes,
        signal: context.signal,
        env: baseEnvironment(ports.environment),
        notice: (text: string) => context.notice(text),
        log: (line: string) => context.log(line),
      };
      const id = own
        ? createHash('sha256').update(tree).digest('hex').slice(0, 16)
        : config.sources[name].version;
      const stateDir = join(layout.work, 'state', 'patches', `${name}-${id}`);
      const { changed } = await applyPatches({ what, tree, patches: files, stateDir, ...usersOwn }, deps);
      const linked = await linkSources({ what, tree, links: targets, ...usersOwn }, deps);
      for (const path of [...changed, ...linked]) context.log(`wrote ${path}`);
    },
  };
}
