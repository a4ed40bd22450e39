// SPDX-License-Identifier: MIT
/** update_patches on the real QEMU tree: changed by hand, made into patches, and from a fresh tree to the same one. */
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { append, edit } from './edit.js';
import { laboratory } from './laboratory.js';
import { must, start } from './project.js';

const { project, directory } = laboratory();
let tree: string;
let patches: string;
let aside: string;
beforeAll(async () => {
  await project.passes(['update']);
  const src = join(project.work, 'src');
  tree = join(src, readdirSync(src).find((name) => /^qemu-[0-9.]+[0-9]$/.test(name)) ?? '');
  patches = join(project.directory, 'patches');
  aside = `${tree}.aside`;
});
afterAll(async () => {
  rmSync(patches, { recursive: true, force: true });
  rmSync(aside, { recursive: true, force: true });
  // Takes back what the patches of this test brought.
  await project.passes(['patch']);
});

function contents(top: string): Record<string, string> {
  if (!existsSync(top)) return {};
  const files = readdirSync(top, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(top.length), readFileSync(path, 'utf8')]),
  );
}

/** Kind, executability and link target of everything but directories. */
async function kinds(top: string): Promise<string[]> {
  const args = [
    '.',
    '-name',
    '__pycache__',
    '-prune',
    '-o',
    '-name',
    '.git',
    '-prune',
    '-o',
    '!',
    '-type',
    'd',
  ];
  const found = await must('find', [...args, '-printf', '%y %m %p %l\\n'], {
    cwd: top,
    env: project.env,
  });
  return found
    .split('\n')
    .map((line) => line.replace(/^f (\d)\d\d /, (_, owner: string) => `f ${Number(owner) & 1} `))
    .sort();
}

test('with no change it changes no file', async () => {
  const before = contents(patches);
  for (const spelling of ['update_patches', 'update-patches']) {
    expect(await project.passes([spelling])).toContain('Nothing to write');
  }
  expect(contents(patches)).toEqual(before);
});

test('what was changed by hand is in the patches, and a fresh tree with them is the same tree', async () => {
  edit(tree, 'hw/core/sysbus-fdt.c', 'static int no_fdt_node(', '/* By hand. */\nstatic int no_fdt_node(');
  append(tree, 'hw/arm/boot.c', '/* By hand. */\n');
  append(tree, 'meson.build', '# By hand\n');
  writeFileSync(join(tree, 'hw/misc/by-hand.txt'), 'new');
  symlinkSync('led.c', join(tree, 'hw/misc/led-link.c'));
  chmodSync(join(tree, 'hw/misc/led.c'), 0o755);
  rmSync(join(tree, 'hw/misc/debugexit.c'));
  const before = contents(patches);

  const out = await project.passes(['update_patches']);
  // The package's own patches are left alone, also where they touch the same file.
  expect(out).toMatch(
    /^patches\/qemu\/0001-Change-7-files-of-QEMU\.patch +new +hw\/arm\/boot\.c, hw\/core\/sysbus-fdt\.c, /m,
  );
  const after = contents(patches);
  expect(Object.keys(after)).toEqual(['/qemu/0001-Change-7-files-of-QEMU.patch']);
  expect(before).toEqual({});
  // A further change goes into the same one.
  append(tree, 'hw/arm/boot.c', '/* Again. */\n');
  expect(await project.passes(['update_patches'])).toMatch(/0001-Change-7-files-of-QEMU\.patch +changed +/m);
  Object.assign(after, contents(patches));
  for (const text of Object.values(after)) expect(text).not.toContain(directory);
  expect(await project.passes(['update_patches'])).toContain('Nothing to write');
  expect(contents(patches)).toEqual(after);

  // mv and not rename(2): a laboratory may be on a file system that does not rename directories.
  await must('mv', [tree, aside], { cwd: directory, env: project.env });
  await project.passes(['patch']);
  const { out: differences } = await start(
    'diff',
    ['-r', '--no-dereference', '--exclude=__pycache__', '--exclude=.git', '--brief', aside, tree],
    { cwd: directory, env: project.env },
  ).ended;
  expect(differences).toBe('');
  expect(await kinds(tree)).toEqual(await kinds(aside));
});
