// SPDX-License-Identifier: MIT
/** The guest's kernel: `linux:configure`, `linux:build`. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Config } from '../../config/schema.js';
import { KERNEL_VARIANTS } from '../../config/variants.js';
import { realOf } from '../../config/work-directory.js';
import type { Task, TaskContext } from '../../engine/task.js';
import type { ProjectDevice } from '../../../vm/device.js';
import { ccacheEnvironment, BUILD_EPOCH, resumeBuild, usesCcache } from '../build-tools.js';
import {
  BUILTIN_DRIVERS,
  builtinArguments,
  builtinTask,
  driverSources,
  driversOf,
  driverTasks,
} from './drivers.js';
import { GENERATED } from '../generated.js';
import { configureTask, type Fragments, ownFragments } from '../kconfig.js';
import type { Layout } from '../layout.js';
import { patchTask } from '../patching.js';
import { type SourcePorts, sourceTasks } from '../sources.js';

/** Lines that make prints for a whole kernel of the shipped configuration, from nothing; not of the debug variant. */
const LINES = 1240;

export function linuxTasks(
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
  ports: SourcePorts,
): Task[] {
  const tree = layout.tree('linux');
  const build = layout.linuxBuild;
  const { variant } = layout;
  const debug = variant === 'debug';
  const own = ownFragments(config.kernel.config, layout.project);
  const fragments: Fragments = {
    files: [
      join(layout.package, 'vm', 'linux', 'kernel.config'),
      ...devices.flatMap(({ files }) => files.kernelConfig ?? []),
      ...(KERNEL_VARIANTS.includes(variant)
        ? [join(layout.package, 'vm', 'linux', `${variant}.config`)]
        : []),
      ...own.files,
    ],
    lines: own.lines,
  };
  const ccache = usesCcache(config, ports.environment['PATH'] ?? '');
  const { cross } = config.build;
  const drivers = driversOf(devices);
  const builtin = config.vm.driver === 'builtin';
  const source = kernelSource(layout);
  const make = makeArguments(layout, source, cross, ccache);
  const env = { ...buildEnvironment([[source, '']]), ...ccacheEnvironment() };
  const image = builtin ? [...make, ...builtinArguments(drivers)] : make;
  return [
    ...sourceTasks('linux', config, layout, ports),
    patchTask('linux', config, layout, ports),
    configureTask(
      {
        part: 'linux',
        dep: 'linux:patch',
        tools: [`${cross}ld`],
        tree,
        build,
        cross,
        ccache,
        make,
        env,
        fragments,
      },
      async ({ exec }, file) => {
        await exec('make', [...make, `KCONFIG_ALLCONFIG=${file}`, 'allnoconfig'], { env });
      },
    ),
    ...(builtin ? [builtinTask(layout, drivers)] : []),
    {
      name: 'linux:build',
      title: 'Linux: build the kernel',
      deps: ['linux:configure', ...(builtin ? [GENERATED, BUILTIN_DRIVERS] : [])],
      inputs: {
        trees: [tree],
        values: { make: image, env, ccache },
        files: builtin ? drivers.flatMap(driverSources) : [],
      },
      outputs: [layout.kernel],
      jobs: 'build',
      run: async (context) => {
        await resumeBuild(build, context, async () => {
          const onLine = debug || existsSync(layout.kernel) ? undefined : estimate(context);
          // Modules too: linking the drivers needs their Module.symvers.
          await context.exec('make', [...image, 'Image', 'modules'], { env, onLine });
        });
      },
    },
    ...driverTasks(layout, drivers, {
      make: [
        ...makeArguments(layout, tree, cross, ccache),
        // Only the modules: code in the kernel relies on being optimised. Their lines are named in a call trace.
        `CFLAGS_MODULE=${debug ? '-Og' : '-g1'} -fdebug-prefix-map=${build}=.`,
      ],
      env: {
        ...buildEnvironment([
          [tree, ''],
          [layout.drivers, 'driver/'],
        ]),
        ...ccacheEnvironment(layout.work),
      },
    }),
  ];
}

/**
 * The source tree as the kernel's Makefiles name it (`srctree`, which is `..` for a build directory just below the tree):
 * from the build directory, so that a compiler's command is the same in every work directory. A tree of the user's
 * own is not beside its build: absolute.
 */
export function kernelSource(layout: Layout): string {
  const tree = layout.tree('linux');
  if (dirname(tree) !== layout.src) return tree;
  return relative(realOf(layout.linuxBuild), realOf(tree));
}

function makeArguments(layout: Layout, source: string, cross: string, ccache: boolean): string[] {
  return [
    '-C',
    layout.tree('linux'),
    `O=${layout.linuxBuild}`,
    `srctree=${source}`,
    'ARCH=arm64',
    `CROSS_COMPILE=${cross}`,
    ...(ccache ? [`CC=ccache ${cross}gcc`, 'HOSTCC=ccache gcc'] : []),
  ];
}

/** make does not say how much there is to do; a project's own options add to it. */
function estimate({ progress }: TaskContext): () => void {
  let lines = 0;
  let shown = 0;
  return () => {
    const percent = Math.min(99, Math.floor((100 * ++lines) / LINES));
    if (percent > shown) progress((shown = percent), 100, 'percent');
  };
}

/** Keeps host, user, time and the directories (each with what takes its place) out of the image. */
function buildEnvironment(directories: readonly (readonly [string, string])[]): Record<string, string> {
  const flags = directories.map(([path, instead]) => `-ffile-prefix-map=${path}/=${instead}`).join(' ');
  return {
    KBUILD_BUILD_TIMESTAMP: new Date(BUILD_EPOCH * 1000).toUTCString(),
    KBUILD_BUILD_USER: 'stopwatch',
    KBUILD_BUILD_HOST: 'stopwatch',
    KBUILD_BUILD_VERSION: '1',
    // A git tree of the user's own would add a "+" to the version.
    LOCALVERSION: '',
    KCFLAGS: flags,
    KAFLAGS: flags,
  };
}
