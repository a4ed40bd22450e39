// SPDX-License-Identifier: MIT
/** The user's own files for the guest (`guest.files`): files, directories, and Debian packages, which are unpacked first. */
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import { errnoOf } from '../../../lib/errno.js';
import type { Config } from '../../config/schema.js';
import type { Task, TaskContext } from '../../engine/task.js';
import type { Layout } from '../layout.js';
import type { RootEntry } from './root-entries.js';

interface OwnFile {
  /** On the host: absolute. */
  readonly from: string;
  /** Where its contents are: the same, or where the package is unpacked. */
  readonly content: string;
  /** In the guest. */
  readonly to: string;
  readonly mode: number | undefined;
}

const GUEST_PACKAGES = 'guest:packages';

export function ownFiles(config: Config, layout: Layout): readonly OwnFile[] {
  return config.guest.files.map(({ from, to, mode }) => {
    const path = resolve(layout.project, from);
    const content = isPackage(path) ? join(layout.guestPackages, basename(path, '.deb')) : path;
    return { from: path, content, to, mode: mode === undefined ? undefined : Number.parseInt(mode, 8) };
  });
}

const isPackage = (path: string): boolean => path.endsWith('.deb');

/** Unpacks the packages; no task if there are no packages. */
export function packagesTask(config: Config, layout: Layout): readonly Task[] {
  const packages = ownFiles(config, layout).filter(({ from }) => isPackage(from));
  if (packages.length === 0) return [];
  return [
    {
      name: GUEST_PACKAGES,
      title: 'Guest: unpack Debian packages',
      deps: [],
      inputs: {
        files: packages.map(({ from }) => from),
        values: { packages: packages.map(({ from }) => from) },
        tools: ['dpkg-deb'],
      },
      outputs: [layout.guestPackages],
      jobs: 'one',
      run: async (context) => {
        await rm(layout.guestPackages, { recursive: true, force: true });
        await mkdir(layout.guestPackages, { recursive: true });
        for (const { from, content } of packages) await unpack(context, from, content);
      },
    },
  ];
}

async function unpack(context: TaskContext, file: string, directory: string): Promise<void> {
  const architecture = await context.exec('dpkg-deb', ['--field', file, 'Architecture'], { capture: true });
  if (!['arm64', 'all'].includes(architecture.trim())) {
    throw new StopwatchError(
      'bad-config',
      `guest.files: ${file} is for ${architecture.trim()}, and the guest is arm64`,
      {
        hint: 'apt-get download PACKAGE:arm64 gets the one for the guest, after dpkg --add-architecture arm64.',
      },
    );
  }
  await context.exec('dpkg-deb', ['--extract', file, directory]);
}

/** Their entries in the root. Throws 'bad-config' for a file that does not exist or is not for the guest. */
export function ownEntries(config: Config, layout: Layout): RootEntry[] {
  return ownFiles(config, layout).flatMap(({ from, content, to, mode }) => {
    try {
      return entriesOf(content, to.replace(/\/+$/, ''), mode);
    } catch (error) {
      const { code } = errnoOf(error);
      if (code !== 'ENOENT') throw error;
      throw new StopwatchError('bad-config', `guest.files: there is no ${from}`, {
        hint: 'Its path is relative to the directory of stopwatch.config.ts.',
      });
    }
  });
}

/** A file, or a directory with all below it. `mode`: of the file, instead of that on the host. */
function entriesOf(from: string, path: string, mode: number | undefined): RootEntry[] {
  // The tools that make the root split their lines at blanks.
  if (/[\s"]/.test(path) || from.includes('"')) {
    throw new StopwatchError(
      'bad-config',
      `guest.files: a path with blanks or quotes cannot be in the guest: ${path}`,
    );
  }
  const stat = lstatSync(from);
  if (stat.isSymbolicLink()) return [{ kind: 'link', path, to: readlinkSync(from) }];
  if (stat.isDirectory()) {
    const below = readdirSync(from)
      .sort()
      .flatMap((name) => entriesOf(join(from, name), `${path}/${name}`, undefined));
    return path === '' ? below : [{ kind: 'dir', path, mode: 0o755 }, ...below];
  }
  if (!stat.isFile()) return [];
  checkProgram(from);
  return [{ kind: 'file', path, mode: mode ?? ((stat.mode & 0o111) === 0 ? 0o644 : 0o755), from }];
}

/** EM_AARCH64 in the ELF header. */
const AARCH64 = 183;

/** A program for the host would only say "Exec format error" in the guest. */
function checkProgram(file: string): void {
  const header = Buffer.alloc(20);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, header, 0, header.length, 0);
  closeSync(descriptor);
  if (header.toString('latin1', 0, 4) !== '\u007fELF' || header.readUInt16LE(18) === AARCH64) return;
  throw new StopwatchError(
    'bad-config',
    `guest.files: ${file} is a program for another machine than the guest`,
    {
      hint: 'Compile it with aarch64-linux-gnu-gcc -static.',
    },
  );
}
