// SPDX-License-Identifier: MIT
/** The guest's user space: `busybox:configure` and `busybox:build`. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Task } from '../core/task.js';
import {
  BUILD_EPOCH,
  carryOn,
  ccacheEnvironment,
  isConfigured,
  usesCcache,
  versionOf,
} from './build-tools.js';
import { parseKconfig, withSymbols } from './kconfig.js';
import type { Layout } from './layout.js';
import { configure } from './linux.js';
import { type SourcePorts, sourceTasks } from './sources.js';

export function busyboxTasks(config: Config, layout: Layout, ports: SourcePorts): Task[] {
  const tree = layout.tree('busybox');
  const build = layout.busyboxBuild;
  const fragment = join(layout.package, 'vm', 'busybox', 'busybox.config');
  const ccache = usesCcache(config, ports.environment['PATH'] ?? '');
  const { cross } = config.build;
  const compilers = ccache ? [`CC=ccache ${cross}gcc`, 'HOSTCC=ccache gcc'] : [];
  const make = ['-C', tree, `O=${build}`, `CROSS_COMPILE=${cross}`, ...compilers];
  const env = {
    KCONFIG_NOTIMESTAMP: '1',
    SOURCE_DATE_EPOCH: String(BUILD_EPOCH),
    ...ccacheEnvironment(layout.work),
  };
  const tools = [`${cross}gcc`, 'gcc', 'make', ...(ccache ? ['ccache'] : [])];
  return [
    ...sourceTasks('busybox', config, layout, ports),
    {
      name: 'busybox:configure',
      title: 'Busybox: configure',
      deps: ['busybox:tree'],
      inputs: { files: [fragment], values: { make, env }, tools },
      outputs: [join(build, '.config')],
      jobs: 'make',
      run: async (context) => {
        const how = JSON.stringify([make, await versionOf(`${cross}gcc`, context)]);
        const stamp = join(build, 'configured-as.json');
        if (!(await isConfigured(stamp, how))) await rm(build, { recursive: true, force: true });
        await mkdir(build, { recursive: true });
        const wanted = withSymbols(await readFile(fragment, 'utf8'), {});
        await configure(context, wanted, build, fragment, async () => {
          // Busybox's Kconfig is an old one, without KCONFIG_ALLCONFIG: the fragment goes over its answers.
          await context.exec('make', [...make, 'allnoconfig'], { env });
          const file = join(build, '.config');
          const answers = await readFile(file, 'utf8');
          await writeFile(file, withSymbols(answers, Object.fromEntries(parseKconfig(wanted))));
          await context.exec('make', [...make, 'oldconfig'], { env, input: '\n'.repeat(10_000) });
        });
        await writeFile(stamp, how);
      },
    },
    {
      name: 'busybox:build',
      title: 'Busybox: build',
      deps: ['busybox:configure'],
      inputs: { trees: [tree], values: { make, env, ccache } },
      outputs: [layout.busybox, join(build, 'busybox.links')],
      jobs: 'make',
      run: async (context) => {
        await carryOn(build, context, async () => {
          await context.exec('make', [...make, 'busybox', 'busybox.links'], { env });
        });
      },
    },
  ];
}
