// SPDX-License-Identifier: MIT
/** The contents of the guest's root, and the input of the tools that make an image of it. Pure. */
import { basename, dirname } from 'node:path';
import { unreachable } from '../../../lib/unreachable.js';
import type { GuestFile } from '../../../vm/device.js';
import { BUILD_EPOCH } from '../build-tools.js';

/** One entry of the root; owner and group are root's. */
export type RootEntry =
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

/** The sources of the files in the root. */
export interface RootFiles {
  readonly busybox: string;
  /** Modules and programs. */
  readonly built: readonly GuestFile[];
  readonly guest: readonly GuestFile[];
}

/** The contents of the root, in a fixed order. `applets`: paths of Busybox's links, from its own list; `own`: the user's, which override the others. */
export function rootEntries(
  applets: readonly string[],
  { busybox, built, guest }: RootFiles,
  own: readonly RootEntry[] = [],
): RootEntry[] {
  const usual = new Set<string>(DIRECTORIES.map(([path]) => path));
  const mine = byPath(own).filter(({ kind, path }) => kind !== 'dir' || !usual.has(path));
  const taken = new Set(mine.map(({ path }) => path));
  const copied = [
    ...[...guest, ...built]
      .filter(({ path }) => !taken.has(path))
      .map(({ file, path, mode }): RootEntry => ({ kind: 'file', path, mode, from: file })),
    ...mine.filter(({ kind }) => kind !== 'dir'),
  ];
  const used = new Set(['/bin/busybox', '/sbin/init', ...copied.map(({ path }) => path)]);
  return [
    ...DIRECTORIES.map(([path, mode]): RootEntry => ({ kind: 'dir', path, mode })),
    ...furtherDirectories([...copied, ...mine]).map(
      (path): RootEntry => ({ kind: 'dir', path, mode: 0o755 }),
    ),
    // The kernel opens it for init before init can mount anything.
    { kind: 'char', path: '/dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'file', path: '/bin/busybox', mode: 0o755, from: busybox },
    ...applets
      .filter((path) => !used.has(path))
      .sort()
      .map((path): RootEntry => ({ kind: 'link', path, to: '/bin/busybox' })),
    { kind: 'link', path: '/sbin/init', to: '/init' },
    ...copied,
  ];
}

/** Keeps the last of several entries with one path. */
function byPath(entries: readonly RootEntry[]): readonly RootEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}

/** Parent directories to create explicitly, outermost first. */
function furtherDirectories(entries: readonly RootEntry[]): readonly string[] {
  const usual = new Set<string>(['/', ...DIRECTORIES.map(([path]) => path)]);
  const further = new Set<string>();
  for (const { kind, path } of entries) {
    const innermost = kind === 'dir' ? path : dirname(path);
    for (let directory = innermost; !usual.has(directory); directory = dirname(directory)) {
      further.add(directory);
    }
  }
  return [...further].sort();
}

/** A list for the kernel's gen_init_cpio, and its environment: the tool splits lines at blanks, but expands variables afterwards. */
export function cpioList(entries: readonly RootEntry[]): {
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
 * Commands for debugfs(8) that fill an empty ext4 image. `mke2fs -d` would copy the
 * caller's owner and times into the image.
 */
export function debugfsScript(entries: readonly RootEntry[]): string {
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
