// SPDX-License-Identifier: MIT
/** The guest's kernel and the driver: `linux:configure`, `linux:build`, `driver:module`. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Task } from '../engine/task.js';
import type { DeviceDescription } from '../../vm/device.js';
import { ccacheEnvironment, BUILD_EPOCH, resumeBuild, usesCcache } from './build-tools.js';
import { GENERATED } from './generated.js';
import { configureByKconfig } from './kconfig.js';
import type { Layout } from './layout.js';
import { patchTask } from './patching.js';
import { type SourcePorts, sourceTasks } from './sources.js';

/** The driver as a module. */
export function modulePath(layout: Layout, device: DeviceDescription): string {
  return join(layout.linuxBuild, device.build.linux.directory, `${device.module}.ko`);
}

export function linuxTasks(
  config: Config,
  layout: Layout,
  device: DeviceDescription,
  ports: SourcePorts,
): Task[] {
  const tree = layout.tree('linux');
  const build = layout.linuxBuild;
  const fragments = [
    join(layout.device, device.build.linux.config),
    ...(config.build.variant === 'debug' ? [join(layout.package, 'vm', 'linux', 'debug.config')] : []),
  ];
  const ccache = usesCcache(config, ports.environment['PATH'] ?? '');
  const { cross } = config.build;
  const { symbol, directory, sources } = device.build.linux;
  const driver = join(layout.device, sources);
  const builtin = config.vm.driver === 'builtin';
  const settings = { [symbol]: builtin ? 'y' : 'm' };
  const source = kernelSource(layout);
  const make = makeArguments(layout, source, cross, ccache);
  const env = buildEnvironment(source);
  // Only the module: code in the kernel relies on being optimised.
  const own = config.build.variant === 'debug' ? ['CFLAGS_MODULE=-Og'] : [];
  const tools = [`${cross}gcc`, `${cross}ld`, 'gcc', 'make', ...(ccache ? ['ccache'] : [])];
  return [
    ...sourceTasks('linux', config, layout, ports),
    patchTask('linux', config, layout, device, ports),
    {
      name: 'linux:configure',
      title: 'Linux: configure',
      deps: ['linux:patch'],
      inputs: {
        files: [...fragments, join(driver, 'Kconfig'), join(driver, 'Kbuild')],
        values: { settings, make, env },
        tools,
      },
      outputs: [join(build, '.config')],
      jobs: 'make',
      run: async (context) =>
        configureByKconfig(
          context,
          { build, make, compiler: `${cross}gcc`, fragments, settings },
          async (file) => {
            const target = [...make, `KCONFIG_ALLCONFIG=${file}`, 'allnoconfig'];
            await context.exec('make', target, { env });
          },
        ),
    },
    {
      name: 'linux:build',
      title: 'Linux: build the kernel',
      deps: ['linux:configure', ...(builtin ? [GENERATED] : [])],
      inputs: { trees: [tree], values: { make, env, ccache }, files: builtin ? [driver] : [] },
      outputs: [layout.kernel],
      jobs: 'make',
      run: async (context) => {
        await resumeBuild(build, context, async () => {
          // Modules too: linking ours needs their Module.symvers.
          await context.exec('make', [...make, 'Image', 'modules'], { env });
        });
      },
    },
    {
      name: 'driver:module',
      title: `Driver: build ${device.module}.ko`,
      deps: ['linux:build', GENERATED],
      inputs: { files: [driver], values: { make: [...make, ...own], env } },
      outputs: [modulePath(layout, device)],
      jobs: 'make',
      run: async (context) => {
        // Only this task's directory: the kernel is finished.
        await resumeBuild(join(build, directory), context, async () => {
          // One target, checked against Module.symvers; `modules` would check the whole kernel first.
          await context.exec('make', ['-s', ...make, ...own, `${directory}/${device.module}.ko`], { env });
        });
      },
    },
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
  return relative(realPath(layout.linuxBuild), realPath(tree));
}

/** Real path of something that may not exist yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(realPath(dirname(path)), basename(path));
  }
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

/** Keeps host, user and time out of the image. */
function buildEnvironment(source: string): Record<string, string> {
  return {
    KBUILD_BUILD_TIMESTAMP: new Date(BUILD_EPOCH * 1000).toUTCString(),
    KBUILD_BUILD_USER: 'stopwatch',
    KBUILD_BUILD_HOST: 'stopwatch',
    KBUILD_BUILD_VERSION: '1',
    // A git tree of the user's own would add a "+" to the version.
    LOCALVERSION: '',
    KCFLAGS: `-ffile-prefix-map=${source}/=`,
    KAFLAGS: `-ffile-prefix-map=${source}/=`,
    ...ccacheEnvironment(),
  };
}
