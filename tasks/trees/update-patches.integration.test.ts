// SPDX-License-Identifier: MIT
/** patch → change → update_patches → fresh tree → patch: the same tree, with the real git. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTreeIndex } from '../../lib/files/tree-index.js';
import { failureOf } from './failure.test.support.js';
import { createRepository, exclude } from './repository/create.js';
import { repositoryIn } from './repository/repository.js';
import { linkSources } from './links.js';
import { applyPatches, handEdits } from './patch.js';
import { type PatchSeries, planUpdate } from './update-patches.js';
import { picture, run, type Small, smallTree, text } from './repository.test.support.js';

const body = (name: string) => Array.from({ length: 40 }, (_, line) => `${name} ${line + 1}`);
const edited = (name: string, changes: Readonly<Record<number, string>>) =>
  text(body(name).map((line, at) => changes[at + 1] ?? line));

const HEADER = `From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A User <user@example.org>
Date: Sat, 1 Jan 2000 00:00:00 +0000
`;
/** As an earlier version took them: other context, no diff --git, words behind the dashes. */
const FIRST = `From: somebody
Subject: [PATCH] The first

Words that stay.
---
 a.c | 2 +-

--- a/a.c
+++ b/a.c
@@ -4,3 +4,3 @@
 a 4
-a 5
+a FIVE
 a 6
--- a/both.c
+++ b/both.c
@@ -4,3 +4,3 @@
 both 4
-both 5
+both FIVE
 both 6
-- 
2.39
`;
const SECOND = `Subject: The second
--- a/both.c
+++ b/both.c
@@ -19,3 +19,3 @@
 both 19
-both 20
+both TWENTY
 both 21
`;

let small: Small;
let patches: string;
const links = () => [{ link: 'ours', target: join(small.root, 'project') }];

beforeEach(async () => {
  const files: Record<string, string | Buffer> = {
    'dir/script': '#!/bin/sh\n',
    empty: '',
    'no-newline': 'one\ntwo',
    picture: Buffer.from([0, 1, 2, 255, 254, 0, 7]),
    '.gitignore': '*.ignored\n',
  };
  for (const name of ['a', 'both', 'dir/plain', 'dir/gone', 'dir/old name', 'dir/deep/only']) {
    files[`${name}.c`] = text(body(name.split('/').at(-1) ?? ''));
  }
  small = await smallTree(files);
  const { tree, root, put } = small;
  await put('run.sh', '#!/bin/sh\n', 0o755);
  await symlink('a.c', join(tree, 'link'));
  await symlink('dir', join(tree, 'link-away'));
  await symlink('a.c', join(tree, 'dir/becomes-file'));
  await rm(join(tree, '.git'), { recursive: true });
  await run('cp', ['-a', tree, join(root, 'release')]);
  patches = join(root, 'patches');
  await mkdir(patches);
  await mkdir(join(root, 'project'));
  await writeFile(join(root, 'project/ours.c'), 'ours\n');
  await writeFile(join(patches, '0001-first.patch'), FIRST);
  await writeFile(join(patches, '0002-second.patch'), SECOND);
  await rm(tree, { recursive: true });
  await fresh(tree);
});
afterEach(async () => small.remove());

/** Extracted, patched and linked. */
async function fresh(directory: string): Promise<void> {
  await run('cp', ['-a', join(small.root, 'release'), directory]);
  const repository = small.repository.at(repositoryIn('Thing 1.0', directory));
  await createRepository(repository, { message: 'Thing 1.0' });
  await exclude(repository, ['ours']);
  await applyPatches(repository, await patchFiles());
  await linkSources(directory, links());
}

async function patchFiles(): Promise<string[]> {
  return (await readdir(patches)).sort().map((name) => join(patches, name));
}

async function series(fixed: readonly string[] = []): Promise<PatchSeries> {
  return { directory: patches, files: [...fixed, ...(await patchFiles())], fixed };
}

/** As the command does it; gives what was written. */
async function update(): Promise<string[]> {
  await applyPatches(small.repository, await patchFiles());
  const before = await picture(small.tree);
  const { updates, write } = await planUpdate(small.repository, await series());
  await write();
  // The tree has them all: nothing in it may be written.
  expect(await applyPatches(small.repository, await patchFiles())).toEqual([]);
  expect(await picture(small.tree)).toEqual(before);
  return updates.map(({ name, change }) => `${name} ${change}`);
}

/** The series leads from a fresh tree to this one. */
async function expectRoundTrip(): Promise<void> {
  const other = join(small.root, 'other');
  await rm(other, { recursive: true, force: true });
  await fresh(other);
  expect(await picture(other)).toEqual(await picture(small.tree));
  // By the digest that builds go by, too.
  const { processes, signal } = small.ports;
  const index = createTreeIndex({ directory: join(small.root, 'index'), processes, signal });
  expect(await index.digest(other)).toBe(await index.digest(small.tree));
  expect(await handEdits(small.repository)).toEqual([]);
}

const readPatch = (name: string) => readFile(join(patches, name), 'utf8');
const put = (path: string, content: string | Buffer) => writeFile(join(small.tree, path), content);

describe('update_patches', () => {
  it('writes nothing when nothing was changed, whatever form the patches have', async () => {
    expect(await update()).toEqual([]);
    expect(await readPatch('0001-first.patch')).toBe(FIRST);
    expect(await readPatch('0002-second.patch')).toBe(SECOND);
    expect(await readdir(patches)).toHaveLength(2);
  });

  it('changes, new, removed and renamed files, rights, links, binary and empty ones: there and back', async () => {
    const { tree } = small;
    await put('a.c', edited('a', { 5: 'a FIVE', 30: 'a THIRTY' }));
    await put('dir/plain.c', edited('plain', { 3: 'changed\there\r' }));
    await put('no-newline', 'one\nTWO');
    await put('empty', 'no more\n');
    await put('picture', Buffer.from([0, 9, 8, 7, 255, 0]));
    await put('latin1', Buffer.from([...Buffer.from('words '), 0xe9, 0x0a]));
    await put('made.c', 'made\n');
    await put('made.ignored', 'made\n');
    await put('per%cent and "quotes"', 'x');
    await put('made-empty', '');
    await put('made-binary', Buffer.from([0, 255, 1]));
    await put('made.sh', '#!/bin/sh\n');
    await chmod(join(tree, 'made.sh'), 0o755);
    await chmod(join(tree, 'dir/script'), 0o755);
    await chmod(join(tree, 'run.sh'), 0o644);
    await rm(join(tree, 'dir/gone.c'));
    await rm(join(tree, 'dir/deep'), { recursive: true });
    await run('mv', [join(tree, 'dir/old name.c'), join(tree, 'new name.c')]);
    await rm(join(tree, 'link'));
    await symlink('both.c', join(tree, 'link'));
    await rm(join(tree, 'link-away'));
    await mkdir(join(tree, 'link-away'));
    await put('link-away/inside', 'x');
    await mkdir(join(tree, 'new/dir'), { recursive: true });
    await symlink('../../a.c', join(tree, 'new/dir/link'));
    await rm(join(tree, 'dir/becomes-file'));
    await put('dir/becomes-file', 'a file\n');
    await rm(join(tree, 'both.c'));
    await symlink('a.c', join(tree, 'both.c'));

    expect(await update()).toEqual([
      '0001-first.patch changed',
      '0002-second.patch changed',
      '0003-Change-22-files-of-Thing.patch new',
    ]);
    await expectRoundTrip();
    expect(await update()).toEqual([]);

    const third = await readPatch('0003-Change-22-files-of-Thing.patch');
    expect(third).toMatch(/^Subject: \[PATCH\] Change 22 files of Thing\n\nMade by update_patches/m);
    expect(third).not.toContain(small.root);
    expect(third.match(/\d\d:\d\d:\d\d/g)).toEqual(['00:00:00', '00:00:00']);
    expect(third).not.toContain('ours');
  });

  it('changes the patch that a file belongs to, the last of several, and keeps its words', async () => {
    await put('a.c', edited('a', { 5: 'a FIVE', 30: 'a THIRTY' }));
    await put('both.c', edited('both', { 5: 'both FIVE', 20: 'both TWENTY', 35: 'both MORE' }));
    expect(await update()).toEqual(['0001-first.patch changed', '0002-second.patch changed']);
    await expectRoundTrip();
    const first = await readPatch('0001-first.patch');
    expect(first).toMatch(/^Subject: \[PATCH\] The first\n\nWords that stay\.\n/m);
    const second = await readPatch('0002-second.patch');
    expect(second).toContain('Subject: [PATCH] The second\n');
    // Little context, so that it fits other releases.
    expect(second).toMatch(/^@@ -35?4?,3 \+34,3 @@.*\n both 34\n-both 35\n\+both MORE\n both 36\n/m);
  });

  it('puts later changes into the patches that are there, the same each time', async () => {
    await put('dir/plain.c', edited('plain', { 3: 'mine' }));
    const name = '0003-Change-dir-plain.c-of-Thing.patch';
    expect(await update()).toEqual([`${name} new`]);
    const once = await readPatch(name);
    await rename(join(patches, name), join(patches, '0003-my-own.patch'));
    await writeFile(join(patches, '0003-my-own.patch'), once.replace('Say here', 'It is'));
    await put('dir/plain.c', edited('plain', { 3: 'mine again' }));
    await put('made.c', 'made\n');
    expect(await update()).toEqual(['0003-my-own.patch changed', '0004-Change-made.c-of-Thing.patch new']);
    const again = await readPatch('0003-my-own.patch');
    expect(again.replace(/^index .*\n/m, '')).toBe(
      once
        .replace('Say here', 'It is')
        .replace('+mine\n', '+mine again\n')
        .replace(/^index .*\n/m, ''),
    );
    await expectRoundTrip();
  });

  it('makes a patch of each commit, and follows amended ones', async () => {
    await put('made.c', 'made\n');
    await small.git('add', 'made.c');
    await small.git('commit', '-q', '-m', 'Make it\n\nFor a reason.');
    await put('made.c', 'made\nand changed\n');
    expect(await update()).toEqual(['0003-Make-it.patch new']);
    const made = await readPatch('0003-Make-it.patch');
    expect(made.startsWith(`${HEADER}Subject: [PATCH] Make it\n\nFor a reason.\n`)).toBe(true);
    expect(made).toContain('+and changed');
    await expectRoundTrip();

    await small.git('commit', '-q', '--amend', '-m', 'Make it\n\nFor a better reason.');
    expect(await update()).toEqual(['0003-Make-it.patch changed']);
    expect(await readPatch('0003-Make-it.patch')).toBe(made.replace('a reason', 'a better reason'));

    // Files say the order, the tree the content.
    const [third, second, first] = (await small.git('log', '-3', '--format=%H')).split('\n');
    await small.git('reset', '-q', '--hard', 'HEAD~3');
    for (const id of [third, first, second]) await small.git('cherry-pick', id ?? '');
    expect(await update()).toEqual(['0001-first.patch changed', '0002-second.patch changed']);
    expect(await small.git('log', '-3', '--reverse', '--format=%s')).toBe('The first\nThe second\nMake it');
    await expectRoundTrip();
  });

  it('drops what was put back, and a patch of which nothing is left', async () => {
    await put('both.c', edited('both', { 5: 'both FIVE' }));
    await put('dir/plain.c', edited('plain', { 3: 'mine' }));
    const name = '0002-Change-dir-plain.c-of-Thing.patch';
    expect(await update()).toEqual([`${name} new`, '0002-second.patch removed']);
    await expectRoundTrip();
    await put('dir/plain.c', text(body('plain')));
    expect(await update()).toEqual([`${name} removed`]);
    await expectRoundTrip();
  });

  it('removes the patch whose commit was dropped from the end', async () => {
    await small.git('reset', '-q', '--hard', 'HEAD~1');
    const { updates, write } = await planUpdate(small.repository, await series());
    await write();
    expect(updates.map(({ name, change }) => `${name} ${change}`)).toEqual(['0002-second.patch removed']);
    expect(await readdir(patches)).toEqual(['0001-first.patch']);
    await expectRoundTrip();
  });

  it.each([
    ['01-a.patch', '02-b.patch', '03-Mine.patch', '04-Other.patch'],
    ['98-a.patch', '99-b.patch', '99-b_0001-Mine.patch', '99-b_0002-Other.patch'],
    ['fix-a.patch', 'fix-b.patch', 'fix-b_0001-Mine.patch', 'fix-b_0002-Other.patch'],
  ])('gives new patches names that sort after %s and %s', async (first, second, third, fourth) => {
    await rename(join(patches, '0001-first.patch'), join(patches, first));
    await rename(join(patches, '0002-second.patch'), join(patches, second));
    for (const subject of ['Mine', 'Other']) {
      await put('dir/plain.c', edited('plain', { 3: subject }));
      await small.git('commit', '-q', '-a', '-m', subject);
    }
    expect(await update()).toEqual([`${third} new`, `${fourth} new`]);
    expect(await readdir(patches).then((names) => names.sort())).toEqual([first, second, third, fourth]);
    await expectRoundTrip();
  });

  it('takes changes that were saved when the patches changed', async () => {
    await put('a.c', edited('a', { 5: 'a FIVE', 30: 'mine' }));
    await writeFile(join(patches, '0002-second.patch'), SECOND.replace('TWENTY', 'ZWANZIG'));
    await applyPatches(small.repository, await patchFiles());
    expect(await small.read('both.c')).toContain('both ZWANZIG');
    expect(await update()).toEqual(['0001-first.patch changed']);
    expect(await readPatch('0001-first.patch')).toContain('+mine\n');
    await expectRoundTrip();
  });

  it('does not take droppings, what is linked in, or links to paths of this machine', async () => {
    await mkdir(join(small.tree, 'dir/__pycache__'));
    await put('dir/__pycache__/x.pyc', 'x');
    for (const name of ['a.c.orig', 'a.c.rej', 'a.c~', '.a.c.swp', '.#a.c']) await put(name, 'x');
    await writeFile(join(small.root, 'project/ours.c'), 'edited\n');
    await symlink('/etc/hostname', join(small.tree, 'host'));
    expect(await update()).toEqual([]);
    expect(small.notices.join()).toMatch(/tree\/host is not put into a patch: .*a path of this machine/);
    await small.git('add', 'host');
    await small.git('commit', '-q', '-m', 'Host');
    expect((await failureOf(update())).message).toContain('"Host"');
    expect(await readdir(patches)).toHaveLength(2);
  });

  it('goes on after it was killed between two patch files, or before it has made commits of them', async () => {
    await put('a.c', edited('a', { 5: 'a FIVE', 30: 'mine' }));
    await put('both.c', edited('both', { 5: 'both FIVE', 20: 'both TWENTY', 35: 'mine' }));
    const { write } = await planUpdate(small.repository, await series());
    const before = await picture(small.tree);
    const head = await small.git('rev-parse', 'HEAD');
    await write();
    const written = [await readPatch('0001-first.patch'), await readPatch('0002-second.patch')];
    for (const second of [SECOND, written[1] ?? '']) {
      await small.git('update-ref', 'HEAD', head);
      await writeFile(join(patches, '0002-second.patch'), second);
      await applyPatches(small.repository, await patchFiles());
      expect(await picture(small.tree)).toEqual(before);
      await update();
      expect([await readPatch('0001-first.patch'), await readPatch('0002-second.patch')]).toEqual(written);
      await expectRoundTrip();
    }
  });

  it('writes patches that git am takes', async () => {
    await put('a.c', edited('a', { 5: 'a FIVE', 30: 'mine' }));
    await put('made.c', 'made\n');
    await update();
    const other = join(small.root, 'am');
    execFileSync('git', ['init', '-q', other]);
    execFileSync('cp', ['-a', `${join(small.root, 'release')}/.`, other]);
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', other, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args]);
    git('add', '-A', '-f');
    git('commit', '-q', '-m', 'base');
    for (const file of await patchFiles())
      if (!file.endsWith('second.patch')) git('am', '-q', '-C1', '--keep-non-patch', file);
    expect(await readFile(join(other, 'a.c'), 'utf8')).toBe(await small.read('a.c'));
  });
});

/** The first patch is the package's; the project has the second one. */
async function withFixed(): Promise<string[]> {
  const directory = join(small.root, 'package-patches');
  await mkdir(directory, { recursive: true });
  await rename(join(patches, '0001-first.patch'), join(directory, '0001-first.patch'));
  return [join(directory, '0001-first.patch')];
}
const plan = async (fixed: readonly string[]) => planUpdate(small.repository, await series(fixed));

describe('with patches of the package before those of the project', () => {
  it('leaves them alone, and puts an edit of a file that they touch into a patch of the project', async () => {
    const fixed = await withFixed();
    const was = await readFile(fixed[0] ?? '', 'utf8');
    await applyPatches(small.repository, [...fixed, ...(await patchFiles())]);
    expect((await plan(fixed)).updates).toEqual([]);
    await put('a.c', edited('a', { 5: 'a FIVE', 30: 'mine' }));
    const { updates, write } = await plan(fixed);
    await write();
    expect(updates).toMatchObject([{ change: 'new', paths: ['a.c'] }]);
    expect(await readFile(fixed[0] ?? '', 'utf8')).toBe(was);
    expect((await readdir(patches)).sort()).toEqual(['0002-second.patch', updates[0]?.name]);
    expect(await applyPatches(small.repository, [...fixed, ...(await patchFiles())])).toEqual([]);
  });

  it('refuses when the commit of one was changed', async () => {
    const fixed = await withFixed();
    await rm(join(patches, '0002-second.patch'));
    await applyPatches(small.repository, fixed);
    await put('a.c', edited('a', { 5: 'a FIVE', 30: 'mine' }));
    await small.git('commit', '-q', '-a', '--amend', '--no-edit');
    const error = await failureOf(plan(fixed));
    expect(error.code).toBe('patch-failed');
    expect(error.message).toContain('0001-first.patch was changed');
  });
});
