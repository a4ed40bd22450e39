// SPDX-License-Identifier: MIT
/** The guest's user space: `busybox:configure` and `busybox:build`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.js';
import type { Task } from '../../engine/task.js';
import { BUILD_EPOCH, resumeBuild, ccacheEnvironment, usesCcache } from '../build-tools.js';
import type { Layout } from '../layout.js';
import { configureTask, type Fragments, ownFragments, parseKconfig, withSymbols } from '../kconfig.js';
import { type SourcePorts, sourceTasks } from '../sources.js';

export function busyboxTasks(config: Config, layout: Layout, ports: SourcePorts): Task[] {
  const tree = layout.tree('busybox');
  const build = layout.busyboxBuild;
  const own = ownFragments(config.guest.busybox, layout.project);
  const fragments: Fragments = {
    files: [join(layout.package, 'vm', 'busybox', 'busybox.config'), ...own.files],
    lines: own.lines,
  };
  const ccache = usesCcache(config, ports.environment['PATH'] ?? '');
  const { cross } = config.build;
  const compilers = ccache ? [`CC=ccache ${cross}gcc`, 'HOSTCC=ccache gcc'] : [];
  const make = ['-C', tree, `O=${build}`, `CROSS_COMPILE=${cross}`, ...compilers];
  const env = {
    KCONFIG_NOTIMESTAMP: '1',
    SOURCE_DATE_EPOCH: String(BUILD_EPOCH),
    ...ccacheEnvironment(layout.work),
  };
  return [
    ...sourceTasks('busybox', config, layout, ports),
    configureTask(
      { part: 'busybox', dep: 'busybox:tree', tools: [], tree, build, cross, ccache, make, env, fragments },
      async ({ exec }, file) => {
        // Busybox's old Kconfig has no KCONFIG_ALLCONFIG, so the fragment replaces values in `.config`.
        await exec('make', [...make, 'allnoconfig'], { env });
        const dotConfig = join(build, '.config');
        const answers = await readFile(dotConfig, 'utf8');
        const wanted = parseKconfig(await readFile(file, 'utf8'));
        await writeFile(dotConfig, withSymbols(answers, Object.fromEntries(wanted)));
        await exec('make', [...make, 'oldconfig'], { env, input: '\n'.repeat(10_000) });
      },
    ),
    {
      name: 'busybox:build',
      title: 'Busybox: build',
      deps: ['busybox:configure'],
      inputs: { trees: [tree], values: { make, env, ccache } },
      outputs: [layout.busybox, join(build, 'busybox.links')],
      jobs: 'build',
      run: async (context) => {
        await resumeBuild(build, context, async () => {
          await context.exec('make', [...make, 'busybox', 'busybox.links'], { env });
        });
      },
    },
  ];
}
