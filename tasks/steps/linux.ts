// SPDX-License-Identifier: MIT
/** The guest's kernel and the driver: `linux:configure`, `linux:build`, `driver:module`. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { StopwatchError } from '../core/errors.js';
import type { Task, TaskContext } from '../core/task.js';
import type { DeviceDescription } from '../../vm/device.js';
import {
  ccacheEnvironment,
  BUILD_EPOCH,
  carryOn,
  isConfigured,
  usesCcache,
  versionOf,
} from './build-tools.js';
import { refused, withSymbols } from './kconfig.js';
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
  const fragment = join(layout.package, 'vm', 'linux', 'kernel.config');
  const ccache = usesCcache(config, ports.environment['PATH'] ?? '');
  const { cross } = config.build;
  const { symbol, directory, sources } = device.build.linux;
  const driver = join(layout.package, sources);
  const builtin = config.vm.driver === 'builtin';
  const settings = { [symbol]: builtin ? 'y' : 'm' };
  const make = makeArguments(tree, build, cross, ccache);
  const env = buildEnvironment(tree, layout.work);
  const tools = [`${cross}gcc`, `${cross}ld`, 'gcc', 'make', ...(ccache ? ['ccache'] : [])];
  return [
    ...sourceTasks('linux', config, layout, ports),
    patchTask('linux', config, layout, device, ports),
    {
      name: 'linux:configure',
      title: 'Linux: configure',
      deps: ['linux:patch'],
      inputs: {
        files: [fragment, join(driver, 'Kconfig'), join(driver, 'Kbuild')],
        values: { settings, make, env },
        tools,
      },
      outputs: [join(build, '.config')],
      jobs: 'make',
      run: async (context) => {
        const how = JSON.stringify([make, await versionOf(`${cross}gcc`, context)]);
        const stamp = join(build, 'configured-as.json');
        if (!(await isConfigured(stamp, how))) await rm(build, { recursive: true, force: true });
        await mkdir(build, { recursive: true });
        const wanted = withSymbols(await readFile(fragment, 'utf8'), settings);
        await configure(context, wanted, build, fragment, async (file) => {
          const target = [...make, `KCONFIG_ALLCONFIG=${file}`, 'allnoconfig'];
          await context.exec('make', target, { env });
        });
        await writeFile(stamp, how);
      },
    },
    {
      name: 'linux:build',
      title: 'Linux: build the kernel',
      deps: ['linux:configure'],
      inputs: { trees: [tree], values: { make, env, ccache }, files: builtin ? [driver] : [] },
      outputs: [layout.kernel],
      jobs: 'make',
      run: async (context) => {
        await carryOn(build, context, async () => {
          // The modules too: they bring Module.symvers, without which no module can be linked.
          await context.exec('make', [...make, 'Image', 'modules'], { env });
        });
      },
    },
    {
      name: 'driver:module',
      title: `Driver: build ${device.module}.ko`,
      deps: ['linux:build'],
      inputs: { files: [driver], values: { make, env } },
      outputs: [modulePath(layout, device)],
      jobs: 'make',
      run: async (context) => {
        // Only of what this task makes: the kernel beside it is finished.
        await carryOn(join(build, directory), context, async () => {
          // One target, checked against Module.symvers: `modules` would look at the whole kernel first.
          await context.exec('make', ['-s', ...make, `${directory}/${device.module}.ko`], { env });
        });
      },
    },
  ];
}

function makeArguments(tree: string, build: string, cross: string, ccache: boolean): string[] {
  return [
    '-C',
    tree,
    `O=${build}`,
    'ARCH=arm64',
    `CROSS_COMPILE=${cross}`,
    ...(ccache ? [`CC=ccache ${cross}gcc`, 'HOSTCC=ccache gcc'] : []),
  ];
}

/** Nothing of the host, the user or the time gets into the image. */
function buildEnvironment(tree: string, work: string): Record<string, string> {
  return {
    KBUILD_BUILD_TIMESTAMP: new Date(BUILD_EPOCH * 1000).toUTCString(),
    KBUILD_BUILD_USER: 'stopwatch',
    KBUILD_BUILD_HOST: 'stopwatch',
    KBUILD_BUILD_VERSION: '1',
    // A git tree of the user's own would add a "+" to the version.
    LOCALVERSION: '',
    KCFLAGS: `-ffile-prefix-map=${tree}/=`,
    KAFLAGS: `-ffile-prefix-map=${tree}/=`,
    ...ccacheEnvironment(work),
  };
}

/** Makes `.config` from a fragment, and sees to it that all of the fragment is in it. */
export async function configure(
  context: TaskContext,
  wanted: string,
  build: string,
  fragment: string,
  run: (file: string) => Promise<void>,
): Promise<void> {
  const file = join(build, 'wanted.config');
  await writeFile(file, wanted);
  await run(file);
  const config = join(build, '.config');
  const missing = refused(wanted, await readFile(config, 'utf8'));
  if (missing.length === 0) return;
  // Not to be taken for configured the next time.
  await rename(config, join(build, 'refused.config'));
  const [first] = missing;
  throw new StopwatchError(
    'bad-config',
    `Kconfig did not take ${missing.length} of the settings in ${fragment}: expected ${first?.symbol}=${first?.wanted}, got ${first?.got}`,
    {
      hint: 'A symbol is misspelt, gone from this version, or lacks something it depends on.',
      lastLines: missing.map(({ symbol, wanted: value, got }) => `${symbol}: expected ${value}, got ${got}`),
      log: context.logFile,
    },
  );
}
