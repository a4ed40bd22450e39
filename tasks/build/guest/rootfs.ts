// SPDX-License-Identifier: MIT
/** The guest's root file system, made without root: `guest:initramfs` and `guest:ext4`. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../../config/schema.js';
import { StopwatchError } from '../../../lib/errors.js';
import type { Task, TaskContext } from '../../engine/task.js';
import type { GuestFile, ProjectDevice } from '../../../vm/device.js';
import { BUILD_EPOCH } from '../build-tools.js';
import type { Layout } from '../layout.js';
import { type Driver, driversOf, driverTaskOf, modulesOf } from '../linux/drivers.js';
import { guestFiles } from './guest-base.js';
import { builtProgram, allPrograms, programTask } from './guest-programs.js';
import { ownEntries, ownFiles, packagesTask } from './own-files.js';
import { cpioList, debugfsScript, type RootEntry, rootEntries, type RootFiles } from './root-entries.js';

/** The task that compiles the kernel's gen_init_cpio. */
export const CPIO_TOOL = 'guest:cpio-tool';

/** The sources of the files in the root. */
export function rootFiles(config: Config, layout: Layout, devices: readonly ProjectDevice[]): RootFiles {
  const modules = moduleDrivers(config, devices).flatMap((driver) => modulesOf(layout, driver));
  const programs = allPrograms(layout, devices).map((program) => builtProgram(layout, program));
  return { busybox: layout.busybox, built: [...modules, ...programs], guest: guestFiles(layout, devices) };
}

/** Drivers that are modules. */
function moduleDrivers(config: Config, devices: readonly ProjectDevice[]): readonly Driver[] {
  return config.vm.driver === 'module' ? driversOf(devices) : [];
}

/** The same in every directory. */
const byName = (files: readonly GuestFile[]): GuestFile[] =>
  files.map((each) => ({ ...each, file: basename(each.file) }));

export function rootfsTasks(config: Config, layout: Layout, devices: readonly ProjectDevice[]): Task[] {
  const files = rootFiles(config, layout, devices);
  const copied = [...files.guest, ...files.built];
  const own = ownFiles(config, layout);
  const packages = packagesTask(config, layout);
  const deps = [
    'busybox:build',
    ...moduleDrivers(config, devices).map(({ name }) => driverTaskOf(name)),
    ...allPrograms(layout, devices).map(programTask),
    ...packages.map(({ name }) => name),
  ];
  const inputs = {
    files: [...new Set([...copied.map(({ file }) => file), ...own.map(({ from }) => from), layout.busybox])],
    // Busybox's list of links is covered by the dependency; the files' contents by `files`.
    values: {
      own: own.map(({ from, to, mode = null }) => [from, to, mode]),
      root: rootEntries([], {
        busybox: 'busybox',
        built: byName(files.built),
        guest: byName(files.guest),
      }),
    },
  };
  const entries = async () => {
    const links = await readFile(join(layout.busyboxBuild, 'busybox.links'), 'utf8');
    return rootEntries(links.split('\n').filter(Boolean), files, ownEntries(config, layout));
  };
  const cpio = layout.cpioTool;
  const source = join(layout.tree('linux'), 'usr', 'gen_init_cpio.c');
  return [
    ...packages,
    {
      name: CPIO_TOOL,
      title: 'Guest: compile gen_init_cpio',
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
      deps: [...deps, CPIO_TOOL],
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
  entries: readonly RootEntry[],
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

const FIXED_TIME = {
  SOURCE_DATE_EPOCH: String(BUILD_EPOCH),
  E2FSPROGS_FAKE_TIME: String(BUILD_EPOCH),
};

/** A fixed configuration, because the defaults differ between releases of e2fsprogs. */
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
  entries: readonly RootEntry[],
  mebibytes: number,
): Promise<void> {
  await mkdir(dirname(layout.ext4), { recursive: true });
  const partial = `${layout.ext4}.partial`;
  await rm(partial, { force: true });
  const conf = join(layout.build, 'mke2fs.conf');
  await writeFile(conf, MKE2FS_CONF);
  const env = { MKE2FS_CONFIG: conf, ...FIXED_TIME };
  const fixed = `hash_seed=${UUID},root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1`;
  const inodes = Math.max(1024, entries.length * 2);
  const sizes = ['-b', '4096', '-I', '256', '-N', String(inodes), '-m', '0'];
  const args = ['-q', '-F', '-t', 'ext4', ...sizes, '-L', 'root', '-U', UUID, '-E', fixed];
  await context.exec('mke2fs', [...args, partial, `${mebibytes}M`], { env });
  await byDebugfs(context, layout, debugfsScript(entries), partial);
  await rename(partial, layout.ext4);
}

/** Runs debugfs commands on an image. Throws 'command-failed' with what it complains about. */
export async function byDebugfs(
  context: TaskContext,
  layout: Layout,
  commands: string,
  image: string,
): Promise<void> {
  const script = join(layout.build, 'rootfs.debugfs');
  await writeFile(script, commands);
  // Both streams: a failed command of the script only prints a message.
  const said = await context.exec('sh', ['-c', 'exec debugfs -w -f "$0" "$1" 2>&1', script, image], {
    env: FIXED_TIME,
    capture: true,
  });
  // A file to remove may be missing.
  const harmless = /^(debugfs[: ]|Allocated inode|rm: File not found)/;
  const complaints = said.split('\n').filter((line) => line !== '' && !harmless.test(line));
  if (complaints.length > 0) {
    throw new StopwatchError('command-failed', `debugfs did not fill ${image}: ${complaints[0]}`, {
      log: context.logFile,
      lastLines: complaints.slice(0, 20),
      hint: 'If it says that there is no space, make vm.ext4MiB larger.',
    });
  }
}
