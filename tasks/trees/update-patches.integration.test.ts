// SPDX-License-Identifier: MIT
/** apply → change → update_patches → fresh tree → apply: the same tree, with a real archive. */
import { execFile } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baseEnvironment } from '../../lib/environment.js';
import { createProcesses } from '../../lib/process/process.js';
import { createTreeIndex } from '../../lib/files/tree-index.js';
import { finishWriting, writeUpdates } from '../commands/patches/patch-writing.js';
import { extractRelease } from './archive/extract.js';
import { failureOf } from './failure.test.support.js';
import { linkSources } from './links.js';
import { applyPatches } from './patch.js';
import { recordPristine, type Release } from './pristine.js';
import { patchesFromTree } from './tree-to-patches.js';

const run = promisify(execFile);
const processes = createProcesses();
const signal = new AbortController().signal;
let notices: string[];
const deps = {
  processes,
  signal,
  env: baseEnvironment(),
  onProgress: () => {},
  log: () => {},
  notice: (text: string) => void notices.push(text),
};

let root: string;
let tree: string;
let patches: string;
let release: Release;
let asked: number;
const links = () => [{ link: 'ours', target: join(root, 'project') }];
const stateOf = (directory: string) => `${directory}.state`;

const body = (name: string) => Array.from({ length: 40 }, (_, line) => `${name} ${line + 1}`);
const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;
const edited = (name: string, line: number, to: string) => body(name).with(line - 1, to);

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

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'stopwatch-update-patches-')));
  notices = [];
  asked = 0;
  const top = join(root, 'thing-1.0');
  const put = async (path: string, content: string | Buffer, mode = 0o644) => {
    await mkdir(join(top, path, '..'), { recursive: true });
    await writeFile(join(top, path), content);
    await chmod(join(top, path), mode);
  };
  for (const name of ['a', 'both', 'dir/plain', 'dir/gone', 'dir/old name', 'dir/deep/only']) {
    await put(`${name}.c`, text(body(name.split('/').at(-1) ?? '')));
  }
  await put('run.sh', '#!/bin/sh\n', 0o755);
  await put('dir/script', '#!/bin/sh\n');
  await put('empty', '');
  await put('no-newline', 'one\ntwo');
  await put('picture', Buffer.from([0, 1, 2, 255, 254, 0, 7]));
  await put('left/out', 'not extracted\n');
  await symlink('a.c', join(top, 'link'));
  await symlink('dir', join(top, 'link-away'));
  await symlink('a.c', join(top, 'dir/becomes-file'));
  await run('tar', ['-C', root, '-cJf', join(root, 'thing.tar.xz'), 'thing-1.0']);
  await rm(top, { recursive: true });

  await mkdir(join(root, 'project'));
  await writeFile(join(root, 'project/ours.c'), 'ours\n');
  tree = join(root, 'tree');
  patches = join(root, 'patches');
  await mkdir(patches);
  await writeFile(join(patches, '0001-first.patch'), FIRST);
  await writeFile(join(patches, '0002-second.patch'), SECOND);
  release = {
    tree,
    archive: async () => {
      asked++;
      return join(root, 'thing.tar.xz');
    },
    sha256: 'x',
    leaveOut: ['left'],
  };
  await fresh(tree);
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function patchFiles(): Promise<string[]> {
  return (await readdir(patches)).sort().map((name) => join(patches, name));
}

/** Extracted, patched and linked. */
async function fresh(directory: string): Promise<void> {
  await extractRelease({ archive: join(root, 'thing.tar.xz'), directory, leaveOut: ['left'] }, deps);
  if (directory === tree) await recordPristine(release, join(root, 'index'), deps);
  await apply(directory);
}

async function apply(directory: string) {
  const request = { what: 'Thing 1.0', tree: directory };
  const result = await applyPatches(
    { ...request, patches: await patchFiles(), stateDir: stateOf(directory) },
    deps,
  );
  await linkSources({ ...request, links: links() }, deps);
  return result;
}

/** As the command does it; gives the names of the patches that were written. */
async function update(): Promise<string[]> {
  const { patches: before, updates } = await patchesFromTree(
    {
      what: 'Thing 1.0',
      tree,
      patches: await patchFiles(),
      links: links(),
      stateDir: stateOf(tree),
      index: join(root, 'index'),
    },
    release,
    deps,
  );
  if (updates.length > 0) await writeUpdates(patches, stateOf(tree), before, updates);
  // The tree has them all: nothing in it may be written.
  expect(await apply(tree)).toEqual({ changed: [], kept: [] });
  return updates.map(({ name, change }) => `${name} ${change}`);
}

/** Kind, executability, content or target of everything but empty directories. */
async function picture(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`;
    else if (entry.isFile()) {
      const executable = ((await stat(path)).mode & 0o100) !== 0;
      found[name] = `${executable ? 'x' : '-'} ${await readFile(path, 'base64')}`;
    }
  }
  return found;
}

/** The series leads from a fresh tree to this one. */
async function expectRoundTrip(): Promise<void> {
  const other = join(root, 'other');
  for (const old of [other, stateOf(other)]) await rm(old, { recursive: true, force: true });
  await fresh(other);
  expect(await picture(other)).toEqual(await picture(tree));
  // By the digest that builds go by, too.
  const index = createTreeIndex({ directory: join(root, 'index-2'), processes, signal });
  expect(await index.digest(other)).toBe(await index.digest(tree));
}

const readPatch = (name: string) => readFile(join(patches, name), 'utf8');
const put = (path: string, content: string | Buffer) => writeFile(join(tree, path), content);

describe('update_patches', () => {
  it('writes nothing when nothing was changed', async () => {
    expect(await update()).toEqual([]);
    expect(await readPatch('0001-first.patch')).toBe(FIRST);
    expect(await readdir(patches)).toHaveLength(2);
    expect(asked).toBe(0);
  });

  it('changes, new, removed and renamed files, rights, links, binary and empty ones: there and back', async () => {
    await put('a.c', text(edited('a', 30, 'a THIRTY').with(4, 'a FIVE')));
    await put('dir/plain.c', text(edited('plain', 3, 'changed\there\r')));
    await put('no-newline', 'one\nTWO');
    await put('empty', 'no more\n');
    await put('picture', Buffer.from([0, 9, 8, 7, 255, 0]));
    await put('made.c', 'made\n');
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
    await mkdir(join(tree, 'new/dir'), { recursive: true });
    await symlink('../../a.c', join(tree, 'new/dir/link'));
    await rm(join(tree, 'dir/becomes-file'));
    await put('dir/becomes-file', 'a file\n');
    await rm(join(tree, 'both.c'));
    await symlink('a.c', join(tree, 'both.c'));

    expect(await update()).toEqual([
      '0001-first.patch changed',
      '0002-second.patch changed',
      '0003-changes-by-hand.patch new',
    ]);
    await expectRoundTrip();
    expect(await update()).toEqual([]);

    const third = await readPatch('0003-changes-by-hand.patch');
    expect(third).toMatch(/^Subject: \[PATCH\] Change \d+ files of Thing\n\nMade by update_patches/);
    expect(third).toMatch(/^ {2}changed {2}dir\/plain\.c\n/m);
    expect(third).not.toContain(root);
    expect(third).not.toMatch(/\d\d:\d\d:\d\d/);
    const named = [...third.matchAll(/^diff --git a\/(.*) b\/\1$/gm)].map(([, path]) => path);
    expect([...new Set(named)]).toEqual([...new Set(named)].sort((a = '', b = '') => (a < b ? -1 : 1)));
    expect(named).not.toContain('ours');
  });

  it('changes the patch that a file belongs to, the last of several, and nothing else of it', async () => {
    await put('a.c', text(edited('a', 30, 'a THIRTY').with(4, 'a FIVE')));
    await put('both.c', text(edited('both', 5, 'both FIVE').with(19, 'both TWENTY').with(34, 'both MORE')));
    expect(await update()).toEqual(['0001-first.patch changed', '0002-second.patch changed']);
    await expectRoundTrip();
    const first = await readPatch('0001-first.patch');
    const at = FIRST.indexOf('--- a/a.c');
    const behind = FIRST.indexOf('--- a/both.c');
    expect(first.startsWith(FIRST.slice(0, at))).toBe(true);
    expect(first.endsWith(FIRST.slice(behind))).toBe(true);
    const second = await readPatch('0002-second.patch');
    expect(second.startsWith('Subject: The second\n')).toBe(true);
    // As little context as the section had before.
    expect(second).toMatch(/^@@ -34,3 \+34,3 @@.*\n both 34\n-both 35\n\+both MORE\n both 36\n/m);
  });

  it('puts later changes into the patches that are there, the same each time', async () => {
    await put('dir/plain.c', text(edited('plain', 3, 'mine')));
    expect(await update()).toEqual(['0003-changes-by-hand.patch new']);
    const once = await readPatch('0003-changes-by-hand.patch');
    await run('mv', [join(patches, '0003-changes-by-hand.patch'), join(patches, '0003-my-own.patch')]);
    await writeFile(join(patches, '0003-my-own.patch'), once.replace('Say here', 'It is'));
    await apply(tree);
    await put('dir/plain.c', text(edited('plain', 3, 'mine again')));
    await put('made.c', 'made\n');
    expect(await update()).toEqual(['0003-my-own.patch changed', '0004-changes-by-hand.patch new']);
    expect(await readPatch('0003-my-own.patch')).toBe(
      once.replace('Say here', 'It is').replace('+mine\n', '+mine again\n'),
    );
    await expectRoundTrip();
  });

  it('drops what was put back, and a patch of which nothing is left', async () => {
    await put('both.c', text(edited('both', 5, 'both FIVE')));
    await put('dir/plain.c', text(edited('plain', 3, 'mine')));
    expect(await update()).toEqual(['0002-second.patch removed', '0003-changes-by-hand.patch new']);
    await expectRoundTrip();
    await put('dir/plain.c', text(body('plain')));
    expect(await update()).toEqual(['0003-changes-by-hand.patch removed']);
    await expectRoundTrip();
  });

  it('takes an original out of the archive once, and one that a patch touches not at all', async () => {
    await put('a.c', text(edited('a', 30, 'mine').with(4, 'a FIVE')));
    await update();
    expect(asked).toBe(0);
    await put('dir/plain.c', text(edited('plain', 3, 'mine')));
    await update();
    expect(asked).toBe(1);
    await put('dir/plain.c', text(edited('plain', 4, 'mine')));
    await update();
    expect(asked).toBe(1);
  });

  it('looks the release up in its archive when nothing is written down about it', async () => {
    await put('dir/plain.c', text(edited('plain', 3, 'mine')));
    await writeFile(`${tree}.pristine`, 'damaged');
    expect(await update()).toEqual(['0003-changes-by-hand.patch new']);
    expect(notices.join()).toContain('looked up in its archive');
    await expectRoundTrip();
    expect((await readdir(root)).filter((name) => name.includes('looked-up'))).toEqual([]);
  });

  it('does not take droppings, what is linked in, or links to places of this machine', async () => {
    await mkdir(join(tree, 'dir/__pycache__'));
    await put('dir/__pycache__/x.pyc', 'x');
    for (const name of ['a.c.orig', 'a.c.rej', 'a.c~', '.a.c.swp', '.#a.c']) await put(name, 'x');
    await writeFile(join(root, 'project/ours.c'), 'edited\n');
    await symlink('/etc/hostname', join(tree, 'host'));
    expect(await update()).toEqual([]);
    expect(notices.join()).toMatch(/tree\/host is not put into a patch: .*a place of this machine/);
  });

  it('refuses what no patch can say, and writes nothing', async () => {
    await put('dir/plain.c', Buffer.from([...Buffer.from('words '), 0xe9, 0x0a]));
    expect((await failureOf(update())).message).toContain('dir/plain.c is text, but not UTF-8');
    await put('dir/plain.c', text(body('plain')));
    await put('per%cent', 'x');
    expect((await failureOf(update())).message).toContain('per%cent was changed');
    await rm(join(tree, 'per%cent'));
    await rm(join(tree, 'a.c'));
    await mkdir(join(tree, 'a.c'));
    await put('a.c/inside', 'x');
    expect((await failureOf(update())).message).toContain('a.c is a file on one side and a directory');
    expect(await readdir(patches)).toHaveLength(2);
    expect(await readPatch('0001-first.patch')).toBe(FIRST);
  });

  it('goes on with writing after it was killed in the middle of it', async () => {
    const journal = {
      files: [
        { name: '0001-first.patch', from: FIRST, to: `Words\n${FIRST}` },
        { name: '0002-second.patch', from: SECOND, to: null },
        { name: '0003-x.patch', from: null, to: SECOND },
      ],
    };
    await writeFile(join(stateOf(tree), 'update.json'), JSON.stringify(journal));
    await rm(join(patches, '0002-second.patch'));
    await finishWriting(patches, stateOf(tree));
    expect(await readdir(patches)).toEqual(['0001-first.patch', '0003-x.patch']);
    expect(await readPatch('0001-first.patch')).toBe(`Words\n${FIRST}`);
    await writeFile(join(stateOf(tree), 'update.json'), JSON.stringify(journal));
    await writeFile(join(patches, '0003-x.patch'), 'edited');
    const error = await failureOf(finishWriting(patches, stateOf(tree)));
    expect(error.message).toContain('0003-x.patch was edited');
  });
});
