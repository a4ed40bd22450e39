// SPDX-License-Identifier: MIT
/** The guest's root file system, made without root: `guest:initramfs` and `guest:ext4`. */
import { chmod, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Task, TaskContext } from '../core/task.js';
import type { DeviceDescription } from '../../vm/device.js';
import { BUILD_EPOCH } from './build-tools.js';
import type { Layout } from './layout.js';
import { modulePath } from './linux.js';

/** One entry of the root; owner and group are root's. */
export type Entry =
  | { readonly kind: 'dir'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly from: string }
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'char'; readonly path: string; readonly mode: number; readonly major: number; readonly minor: number };

const DIRECTORIES = [
  ['/bin', 0o755],
  ['/dev', 0o755],
  ['/etc', 0o755],
  ['/lib', 0o755],
  ['/lib/modules', 0o755],
  ['/mnt', 0o755],
  ['/proc', 0o755],
  ['/root', 0o700],
  ['/run', 0o755],
  ['/sbin', 0o755],
  ['/sys', 0o755],
  ['/tmp', 0o1777],
  ['/usr', 0o755],
  ['/usr/bin', 0o755],
  ['/usr/sbin', 0o755],
] as const;

/** What is in the root, in a fixed order. `applets`: paths of Busybox's links, from its own list. */
export function rootEntries(
  applets: readonly string[],
  files: { readonly busybox: string; readonly module: string | undefined; readonly package: string },
  device: DeviceDescription,
): Entry[] {
  const guest = device.build.guest.map(
    ({ file, path, mode }): Entry => ({ kind: 'file', path, mode, from: join(files.package, file) }),
  );
  const ours = new Set(['/bin/busybox', '/sbin/init', ...guest.map(({ path }) => path)]);
  return [
    ...DIRECTORIES.map(([path, mode]): Entry => ({ kind: 'dir', path, mode })),
    // The kernel opens it for init before init can mount anything.
    { kind: 'char', path: '/dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'file', path: '/bin/busybox', mode: 0o755, from: files.busybox },
    ...applets
      .filter((path) => !ours.has(path))
      .sort()
      .map((path): Entry => ({ kind: 'link', path, to: '/bin/busybox' })),
    { kind: 'link', path: '/sbin/init', to: '/init' },
    ...guest,
    ...(files.module === undefined
      ? []
      : [
          {
            kind: 'file',
            path: `/lib/modules/${device.module}.ko`,
            mode: 0o644,
            from: files.module,
          } as const,
        ]),
  ];
}

/** The list that the kernel's gen_init_cpio takes. */
export function cpioList(entries: readonly Entry[]): string {
  return entries
    .map((entry) => {
      switch (entry.kind) {
        case 'dir':
          return `dir ${entry.path} ${entry.mode.toString(8)} 0 0\n`;
        case 'file':
          return `file ${entry.path} ${entry.from} ${entry.mode.toString(8)} 0 0\n`;
        case 'link':
          return `slink ${entry.path} ${entry.to} 777 0 0\n`;
        case 'char':
          return `nod ${entry.path} ${entry.mode.toString(8)} 0 0 c ${entry.major} ${entry.minor}\n`;
      }
    })
    .join('');
}

/** What debugfs(8) has to do to an image that mke2fs filled: owners, modes that a user cannot give, device nodes. */
export function debugfsScript(entries: readonly Entry[]): string {
  return entries
    .flatMap((entry) => {
      const { path } = entry;
      const root = [`set_inode_field ${path} uid 0`, `set_inode_field ${path} gid 0`];
      if (entry.kind !== 'char') return root;
      const name = path.slice(path.lastIndexOf('/') + 1);
      return [
        `cd ${dirname(path)}`,
        `mknod ${name} c ${entry.major} ${entry.minor}`,
        'cd /',
        `set_inode_field ${path} mode 0${(0o020000 | entry.mode).toString(8)}`,
        ...root,
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

export function rootfsTasks(config: Config, layout: Layout, device: DeviceDescription): Task[] {
  const module = config.vm.driver === 'module' ? modulePath(layout, device) : undefined;
  const files = { busybox: layout.busybox, module, package: layout.package };
  const scripts = device.build.guest.map(({ file }) => join(layout.package, file));
  const deps = ['busybox:build', ...(module === undefined ? [] : ['driver:module'])];
  const inputs = {
    files: [...scripts, layout.busybox, ...(module === undefined ? [] : [module])],
    values: { guest: device.build.guest.map((entry) => ({ ...entry })) },
  };
  const entries = async () => {
    const links = await readFile(join(layout.busyboxBuild, 'busybox.links'), 'utf8');
    return rootEntries(links.split('\n').filter(Boolean), files, device);
  };
  return [
    {
      name: 'guest:initramfs',
      title: 'Guest: initramfs',
      deps: [...deps, 'linux:tree'],
      inputs: { ...inputs, tools: ['gcc'] },
      outputs: [layout.initramfs],
      jobs: 'one',
      run: async (context) => makeInitramfs(context, layout, await entries()),
    },
    {
      name: 'guest:ext4',
      title: 'Guest: ext4 image',
      deps,
      inputs: { ...inputs, values: { ...inputs.values, MiB: config.vm.ext4MiB } },
      outputs: [layout.ext4],
      jobs: 'one',
      run: async (context) => makeExt4(context, layout, await entries(), config.vm.ext4MiB),
    },
  ];
}

async function makeInitramfs(context: TaskContext, layout: Layout, entries: readonly Entry[]): Promise<void> {
  await mkdir(dirname(layout.initramfs), { recursive: true });
  // The kernel's own tool; compiled alone, it needs no configured kernel.
  const tool = join(layout.build, 'gen_init_cpio');
  const source = join(layout.tree('linux'), 'usr', 'gen_init_cpio.c');
  await context.exec('gcc', ['-O2', '-o', tool, source]);
  const list = join(layout.build, 'initramfs.list');
  await writeFile(list, cpioList(entries));
  const partial = `${layout.initramfs}.partial`;
  const script = 'exec "$0" -t "$1" "$2" >"$3"';
  await context.exec('sh', ['-c', script, tool, String(BUILD_EPOCH), list, partial]);
  await rename(partial, layout.initramfs);
}

/** Fixed, so that the same files give the same image. */
const UUID = '5357 4348 0001 4000 8000 000000000001'.replace(' ', '').replaceAll(' ', '-');

async function makeExt4(
  context: TaskContext,
  layout: Layout,
  entries: readonly Entry[],
  mebibytes: number,
): Promise<void> {
  const staging = join(layout.build, 'rootfs');
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await mkdir(dirname(layout.ext4), { recursive: true });
  for (const entry of entries) await stage(staging, entry);
  const partial = `${layout.ext4}.partial`;
  await rm(partial, { force: true });
  const env = { SOURCE_DATE_EPOCH: String(BUILD_EPOCH), E2FSPROGS_FAKE_TIME: String(BUILD_EPOCH) };
  // Times of the files are read from the staging directory.
  await context.exec('find', [staging, '-exec', 'touch', '-h', '-d', `@${BUILD_EPOCH}`, '{}', '+']);
  await context.exec(
    'mke2fs',
    ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-U', UUID, '-E', `hash_seed=${UUID},root_owner=0:0`, '-d', staging, partial, `${mebibytes}M`],
    { env },
  );
  const script = join(layout.build, 'rootfs.debugfs');
  await writeFile(script, debugfsScript(entries));
  await context.exec('debugfs', ['-w', '-f', script, partial], { env });
  await rename(partial, layout.ext4);
}

async function stage(staging: string, entry: Entry): Promise<void> {
  const path = join(staging, entry.path);
  switch (entry.kind) {
    case 'dir':
      await mkdir(path, { recursive: true });
      await chmod(path, entry.mode);
      return;
    case 'file':
      await copyFile(entry.from, path);
      await chmod(path, entry.mode);
      return;
    case 'link':
      await symlink(entry.to, path);
      return;
    case 'char':
      return;
  }
}
