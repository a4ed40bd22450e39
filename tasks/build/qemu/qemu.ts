// SPDX-License-Identifier: MIT
/** QEMU with one machine and the project's devices: `qemu:meson`, `qemu:configure`, `qemu:build`. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import type { Config } from '../../config/schema.js';
import type { Variant } from '../../config/variants.js';
import type { Task, TaskContext } from '../../engine/task.js';
import type { ProjectDevice } from '../../../vm/device.js';
import { ccacheEnvironment, resumeBuild, isConfigured, usesCcache, versionOf } from '../build-tools.js';
import { COUNTING, DEBUGGED, type DeviceAgain, deviceAgainTask } from './device-again.js';
import { GENERATED } from '../generated.js';
import type { Layout } from '../layout.js';
import { patchTask } from '../patching.js';
import { DEVICE_LIST, deviceInputs, QEMU_DEVICES, qemuDevicesTask } from './qemu-devices.js';
import { fetchFor, type SourcePorts, sourceTasks } from '../sources.js';
import { PLAIN_QEMU } from '../variant-names.js';

export function qemuTasks(
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
  ports: SourcePorts,
): Task[] {
  const tree = layout.tree('qemu');
  const build = layout.qemuBuild;
  const ccache = usesCcache(config, ports.environment['PATH'] ?? '');
  // Relative, because it ends up in the binary (__FILE__) and two checkouts must build the same one.
  const source = relative(build, tree);
  const { variant } = config.build;
  const sanitizers = variant === 'sanitize' ? ['--enable-asan', '--enable-ubsan'] : [];
  const args = [...configureArguments(tree, source, ccache), ...sanitizers];
  const again = DEVICE_AGAIN[variant];
  const sources = deviceInputs(layout, devices);
  const stamp = join(build, 'configured-as.json');
  const tools = ['gcc', 'ninja', 'python3', 'pkg-config', ...(ccache ? ['ccache'] : [])];
  const configure = async (context: TaskContext): Promise<void> => {
    const versions = await Promise.all(tools.map(async (tool) => versionOf(tool, context)));
    const how = JSON.stringify([tree, args, versions]);
    // ninja itself notices changed files of the tree and configures again.
    if ((await isConfigured(stamp, how)) && existsSync(join(build, 'build.ninja'))) return;
    await rm(build, { recursive: true, force: true });
    await mkdir(build, { recursive: true });
    await context.exec(join(source, 'configure'), args, {
      cwd: build,
      env: buildEnvironment(layout, ports),
    });
    await disableWerror(join(build, 'config-meson.cross'));
    await writeFile(stamp, how);
  };
  return [
    ...sourceTasks('qemu', config, layout, ports),
    qemuDevicesTask(layout, devices),
    patchTask('qemu', config, layout, ports),
    mesonTask(config, layout, ports),
    {
      name: 'qemu:configure',
      title: 'QEMU: configure',
      deps: ['qemu:patch', 'qemu:meson', QEMU_DEVICES],
      inputs: {
        values: { args, ccache },
        tools,
      },
      // Not build.ninja: ninja itself rewrites it when a meson.build or the target of a link changes.
      outputs: [stamp],
      jobs: 'one',
      run: configure,
    },
    {
      name: again === undefined ? 'qemu:build' : PLAIN_QEMU,
      title: 'QEMU: build',
      deps: ['qemu:configure', GENERATED],
      inputs: { files: sources, trees: [tree], values: { ccache } },
      outputs: [join(build, 'qemu-system-aarch64')],
      jobs: 'build',
      run: async (context) => {
        if (!existsSync(join(build, 'build.ninja'))) await configure(context);
        await resumeBuild(build, context, async () => {
          await context.exec('ninja', ['-j', String(context.jobs), 'qemu-system-aarch64'], {
            cwd: build,
            env: buildEnvironment(layout, ports),
          });
        });
      },
    },
    ...(again === undefined ? [] : [deviceAgainTask(again, PLAIN_QEMU, layout, devices)]),
  ];
}

/** Variants that differ from the plain build only in the devices. */
const DEVICE_AGAIN: Readonly<Partial<Record<Variant, DeviceAgain>>> = {
  coverage: COUNTING,
  debug: DEBUGGED,
};

function configureArguments(tree: string, source: string, ccache: boolean): string[] {
  return [
    '--target-list=aarch64-softmmu',
    '--without-default-features',
    '--without-default-devices',
    `--with-devices-aarch64=${DEVICE_LIST}`,
    '--enable-system',
    '--enable-tcg',
    ...(process.arch === 'arm64' ? ['--enable-kvm'] : []),
    '--enable-fdt=system',
    '--enable-trace-backends=log',
    '--disable-debug-info',
    // Never PyPI: what is not in the tree comes from qemu:meson.
    '--disable-download',
    '--disable-docs',
    '--disable-tools',
    '--disable-install-blobs',
    '--disable-werror',
    // Else every build asks the tree's git repository.
    '--with-pkgversion=stopwatch',
    `--extra-cflags=-ffile-prefix-map=${tree}/=${source}/`,
    ...(ccache ? ['--cc=ccache gcc'] : []),
  ];
}

/**
 * In a git checkout configure writes `werror = true` to this file. --disable-werror overrides it at first, but
 * not when ninja configures again: then every object would be compiled again, with -Werror. Keeps the file's
 * time, or ninja would configure again at once.
 */
async function disableWerror(file: string): Promise<void> {
  const { atime, mtime } = await stat(file);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^werror = true$/m, 'werror = false'));
  await utimes(file, atime, mtime);
}

/** For configure, and for ninja, which may configure again. */
function buildEnvironment(layout: Layout, ports: SourcePorts): Record<string, string> {
  const tools = join(layout.mesonTools, 'usr');
  return {
    ...ccacheEnvironment(layout.work),
    // scripts/decodetree.py iterates over sets; without this the order of its output changes.
    PYTHONHASHSEED: '0',
    // Python's caches in the tree would make a finished build stale.
    PYTHONPYCACHEPREFIX: join(layout.build, 'qemu-pycache'),
    PATH: [join(tools, 'bin'), ports.environment['PATH'] ?? ''].join(delimiter),
    PYTHONPATH: join(tools, 'lib', 'python3', 'dist-packages'),
  };
}

/**
 * Releases of QEMU carry meson and pycotap as wheels, which configure installs by itself. A release that Debian repacked
 * has none: then Debian's packages of both are unpacked beside the build.
 */
function mesonTask(config: Config, layout: Layout, ports: SourcePorts): Task {
  const packages = Object.entries(config.qemuTools);
  return {
    name: 'qemu:meson',
    title: 'QEMU: meson, where the release has none',
    deps: ['qemu:tree'],
    inputs: { values: { packages: packages.map(([name, place]) => ({ name, ...place })) } },
    outputs: [layout.mesonTools],
    jobs: 'one',
    run: async (context: TaskContext) => {
      await rm(layout.mesonTools, { recursive: true, force: true });
      await mkdir(layout.mesonTools, { recursive: true });
      const wheels = await readdir(join(layout.tree('qemu'), 'python', 'wheels')).catch(() => []);
      if (wheels.some((name) => name.startsWith('meson-'))) return;
      for (const [name, place] of packages) {
        const { file } = await fetchFor(context, name, [place], config, ports);
        // A Debian package is an ar archive, see deb(5); the host need not be Debian's.
        const unpack =
          'ar x "$1" && tar --extract --no-same-owner --file="$(ls data.tar*)" && rm -f *.tar* debian-binary';
        await context.exec('sh', ['-c', unpack, 'sh', file], { cwd: layout.mesonTools });
      }
    },
  };
}
