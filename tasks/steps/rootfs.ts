// SPDX-License-Identifier: MIT
/** The guest's root file system, made without root: `guest:initramfs` and `guest:ext4`. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/schema.js';
import { StopwatchError } from '../core/errors.js';
import { unreachable } from '../core/events.js';
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
  | {
      readonly kind: 'char';
      readonly path: string;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

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

/** A list for the kernel's gen_init_cpio, and the environment that it is to be read with: the tool splits at blanks, but puts in variables afterwards. */
export function cpioList(entries: readonly Entry[]): {
  readonly list: string;
  readonly env: Readonly<Record<string, string>>;
} {
  const env: Record<string, string> = {};
  const list = entries.map((entry, index) => {
    switch (entry.kind) {
      case 'dir':
        return `dir ${entry.path} ${octal(entry.mode)} 0 0\n`;
      case 'file':
        env[`FILE${index}`] = entry.from;
        return `file ${entry.path} \${FILE${index}} ${octal(entry.mode)} 0 0\n`;
      case 'link':
        return `slink ${entry.path} ${entry.to} 0777 0 0\n`;
      case 'char':
        return `nod ${entry.path} ${octal(entry.mode)} 0 0 c ${entry.major} ${entry.minor}\n`;
      default:
        return unreachable(entry);
    }
  });
  return { list: list.join(''), env };
}

/**
 * Commands for debugfs(8) that fill an empty ext4 image. Not `mke2fs -d`: that
 * copies the caller's owner and times into the image.
 */
export function debugfsScript(entries: readonly Entry[]): string {
  const lines = entries.flatMap((entry) => {
    const { path } = entry;
    switch (entry.kind) {
      case 'dir':
        return [`mkdir ${path}`, ...inode(path, 0o040000 | entry.mode)];
      case 'file':
        return [`write "${entry.from}" ${path}`, ...inode(path, 0o100000 | entry.mode)];
      case 'link':
        return [`symlink ${path} ${entry.to}`, ...inode(path, 0o120777)];
      case 'char':
        return [
          `cd ${dirname(path)}`,
          `mknod ${basename(path)} c ${entry.major} ${entry.minor}`,
          'cd /',
          ...inode(path, 0o020000 | entry.mode),
        ];
      default:
        return unreachable(entry);
    }
  });
  return lines.map((line) => `${line}\n`).join('');
}

function inode(path: string, mode: number): string[] {
  const times = ['atime', 'ctime', 'mtime', 'crtime'].map((name) => [name, `@${BUILD_EPOCH}`]);
  return [['mode', octal(mode)], ['uid', '0'], ['gid', '0'], ...times].map(
    ([field, value]) => `set_inode_field ${path} ${field} ${value}`,
  );
}

const octal = (mode: number): string => `0${mode.toString(8)}`;

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
  const cpio = join(layout.build, 'gen_init_cpio');
  const source = join(layout.tree('linux'), 'usr', 'gen_init_cpio.c');
  return [
    {
      name: 'guest:cpio-tool',
      title: "Guest: the kernel's maker of initramfs",
      deps: ['linux:tree'],
      inputs: { files: [source], tools: ['gcc'] },
      outputs: [cpio],
      jobs: 'one',
      run: async (context) => {
        await mkdir(layout.build, { recursive: true });
        // Compiled alone it needs no configured kernel.
        await context.exec('gcc', ['-O2', '-o', cpio, source]);
      },
    },
    {
      name: 'guest:initramfs',
      title: 'Guest: initramfs',
      deps: [...deps, 'guest:cpio-tool'],
      inputs,
      outputs: [layout.initramfs],
      jobs: 'one',
      run: async (context) => makeInitramfs(context, layout, cpio, await entries()),
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

async function makeInitramfs(
  context: TaskContext,
  layout: Layout,
  tool: string,
  entries: readonly Entry[],
): Promise<void> {
  await mkdir(dirname(layout.initramfs), { recursive: true });
  const listFile = join(layout.build, 'initramfs.list');
  const { list, env } = cpioList(entries);
  await writeFile(listFile, list);
  const partial = `${layout.initramfs}.partial`;
  const script = 'exec "$0" -t "$1" "$2" >"$3"';
  await context.exec('sh', ['-c', script, tool, String(BUILD_EPOCH), listFile, partial], { env });
  await rename(partial, layout.initramfs);
}

/** Fixed, so that the same files give the same image; "SWCH" in it. */
const UUID = '53574348-0000-4000-8000-000000000001';

/** Our own, because the defaults differ from release to release of e2fsprogs. */
const MKE2FS_CONF = `[defaults]
\tbase_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
[fs_types]
\text4 = {
\t\tfeatures = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
\t}
\tsmall = {
\t\tinode_ratio = 4096
\t}
`;

async function makeExt4(
  context: TaskContext,
  layout: Layout,
  entries: readonly Entry[],
  mebibytes: number,
): Promise<void> {
  await mkdir(dirname(layout.ext4), { recursive: true });
  const partial = `${layout.ext4}.partial`;
  await rm(partial, { force: true });
  const conf = join(layout.build, 'mke2fs.conf');
  await writeFile(conf, MKE2FS_CONF);
  const env = {
    MKE2FS_CONFIG: conf,
    SOURCE_DATE_EPOCH: String(BUILD_EPOCH),
    E2FSPROGS_FAKE_TIME: String(BUILD_EPOCH),
  };
  const fixed = `hash_seed=${UUID},root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1`;
  const sizes = ['-b', '4096', '-I', '256', '-N', '1024', '-m', '0'];
  const args = ['-q', '-F', '-t', 'ext4', ...sizes, '-L', 'root', '-U', UUID, '-E', fixed];
  await context.exec('mke2fs', [...args, partial, `${mebibytes}M`], { env });
  const script = join(layout.build, 'rootfs.debugfs');
  await writeFile(script, debugfsScript(entries));
  // Both streams: a command of the script that fails changes nothing but what is printed.
  const said = await context.exec('sh', ['-c', 'exec debugfs -w -f "$0" "$1" 2>&1', script, partial], {
    env,
    capture: true,
  });
  const complaints = said
    .split('\n')
    .filter((line) => line !== '' && !/^(debugfs[: ]|Allocated inode)/.test(line));
  if (complaints.length > 0) {
    throw new StopwatchError('command-failed', `debugfs did not fill ${layout.ext4}: ${complaints[0]}`, {
      log: context.logFile,
      lastLines: complaints.slice(0, 20),
      hint: 'If it says that there is no room, make vm.ext4MiB larger.',
    });
  }
  await rename(partial, layout.ext4);
}
