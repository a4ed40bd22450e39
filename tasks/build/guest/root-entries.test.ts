// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { cpioList, debugfsScript, type RootEntry, rootEntries } from './root-entries.js';

const files = {
  busybox: '/b/busybox',
  built: [
    { file: '/k/stopwatch.ko', path: '/lib/modules/stopwatch.ko', mode: 0o644 },
    { file: '/k/rngboi.ko', path: '/lib/modules/rngboi.ko', mode: 0o644 },
  ],
  guest: [
    { file: '/with blank/init.sh', path: '/init', mode: 0o755 },
    { file: '/with blank/testing.sh', path: '/usr/lib/stopwatch/testing.sh', mode: 0o644 },
  ],
};
const entries = rootEntries(['/bin/sh', '/bin/busybox', '/sbin/init', '/usr/bin/awk'], files);
const paths = entries.map(({ path }) => path);

test('the root has directories before what is in them, and nothing twice', () => {
  expect(new Set(paths).size).toBe(paths.length);
  for (const path of paths) {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (parent === '') continue;
    expect(paths).toContain(parent);
    expect(paths.indexOf(parent)).toBeLessThan(paths.indexOf(path));
  }
  expect(paths).toContain('/usr/lib/stopwatch');
});

test('applets are links to Busybox; init is ours, not an applet', () => {
  expect(entries).toContainEqual({ kind: 'link', path: '/bin/sh', to: '/bin/busybox' });
  expect(entries).toContainEqual({ kind: 'link', path: '/sbin/init', to: '/init' });
  expect(entries.filter(({ path }) => path === '/bin/busybox')).toHaveLength(1);
});

test('every module is in the root', () => {
  expect(paths.filter((path) => path.endsWith('.ko'))).toEqual([
    '/lib/modules/stopwatch.ko',
    '/lib/modules/rngboi.ko',
  ]);
});

const some: readonly RootEntry[] = [
  { kind: 'dir', path: '/dev', mode: 0o755 },
  { kind: 'char', path: '/dev/console', mode: 0o600, major: 5, minor: 1 },
  { kind: 'file', path: '/init', mode: 0o755, from: '/with blank/init.sh' },
  { kind: 'link', path: '/sbin', to: '/bin' },
];

test('gen_init_cpio splits at blanks, so paths of the host go through the environment', () => {
  expect(cpioList(some)).toEqual({
    list: 'dir /dev 0755 0 0\nnod /dev/console 0600 0 0 c 5 1\nfile /init ${FILE2} 0755 0 0\nslink /sbin /bin 0777 0 0\n',
    env: { FILE2: '/with blank/init.sh' },
  });
});

test('every inode of the image gets a mode with its type, owner root and the one time', () => {
  const lines = debugfsScript(some).split('\n');
  expect(lines).toContain('mkdir /dev');
  expect(lines).toContain('set_inode_field /dev mode 040755');
  expect(lines).toContain('mknod console c 5 1');
  expect(lines).toContain('set_inode_field /dev/console mode 020600');
  expect(lines).toContain('write "/with blank/init.sh" /init');
  expect(lines).toContain('set_inode_field /init mode 0100755');
  expect(lines).toContain('symlink /sbin /bin');
  for (const { path } of some) {
    expect(lines).toContain(`set_inode_field ${path} uid 0`);
    expect(lines).toContain(`set_inode_field ${path} mtime @1767225600`);
  }
});

test('the user’s own files go over ours, with the directories that they need', () => {
  const own: readonly RootEntry[] = [
    { kind: 'dir', path: '/usr', mode: 0o755 },
    { kind: 'dir', path: '/usr/share/empty', mode: 0o755 },
    { kind: 'file', path: '/usr/bin/awk', mode: 0o755, from: '/h/awk' },
    { kind: 'file', path: '/usr/lib/stopwatch/testing.sh', mode: 0o600, from: '/h/testing.sh' },
    { kind: 'link', path: '/opt/tools/awk', to: '/usr/bin/awk' },
  ];
  const all = rootEntries(['/usr/bin/awk'], files, own);
  const names = all.map(({ path }) => path);
  expect(new Set(names).size).toBe(names.length);
  for (const path of ['/usr/share', '/usr/share/empty', '/opt', '/opt/tools']) {
    expect(all).toContainEqual({ kind: 'dir', path, mode: 0o755 });
    expect(names.indexOf(path)).toBeLessThan(names.indexOf('/opt/tools/awk'));
  }
  for (const entry of own.slice(2)) expect(all).toContainEqual(entry);
});
