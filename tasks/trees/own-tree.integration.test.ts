// SPDX-License-Identifier: MIT
/** With the real git: a tree of the user's own is only read, whatever kind of repository it is, and its edits are carried over. */
import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureOf } from './failure.test.support.js';
import { createRepository } from './repository/create.js';
import { Repository, repositoryIn } from './repository/repository.js';
import { copyOwnTree, refuseAround } from './own-tree.js';
import { applyPatches, handEdits } from './patch.js';
import { edited, picture, run, type Small, smallTree } from './repository.test.support.js';

const body = edited({});
let small: Small;
let own: string;
let copy: Repository;
beforeEach(async () => {
  small = await smallTree({
    'dir/one.c': body,
    'two.c': body,
    '.gitignore': 'ignored*\n',
    'ignored.s': 'content\n',
  });
  own = join(small.root, 'own');
  copy = small.repository.at(repositoryIn('Thing in own', join(small.root, 'copy')));
  await run('cp', ['-a', small.tree, own]);
  await rm(join(own, '.git'), { recursive: true });
});
afterEach(async () => small.remove());

const carryOver = () => copyOwnTree(copy, own);
const git = (directory: string, ...args: readonly string[]) =>
  run('git', [
    '-C',
    directory,
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@x',
    '-c',
    'protocol.file.allow=always',
    ...args,
  ]);
/** Of everything below, repositories included: nothing may be written there. */
const listing = async () => (await run('find', [own, '-printf', '%p %y %m %s %T@ %C@ %l\\n'])).stdout;
const content = async (directory: string) => {
  const all = Object.entries(await picture(directory));
  return Object.fromEntries(all.filter(([name]) => !/(^|\/)\.git($|\/)/.test(name)));
};
const patch = () => small.patch('0001-first.patch', { 'dir/one.c': edited({ 5: 'FIVE' }) });

test('a copy, and a repository outside its tree, are flushed before they get their names', async () => {
  const flushed: string[] = [];
  const { processes } = small.ports;
  const recording: typeof processes.run = async (command, options) => {
    const at = command.args.indexOf('sync -f "$1"');
    if (at >= 0) flushed.push(`${command.args.at(-1)}: ${existsSync(join(small.root, 'copy', 'two.c'))}`);
    return processes.run(command, options);
  };
  const ports = { ...small.ports, processes: { ...processes, run: recording } };
  await copyOwnTree(new Repository(copy, ports), own);
  const apart = { what: 'Thing', tree: own, gitDir: join(small.root, 'apart.git') };
  await createRepository(new Repository(apart, ports), { message: 'Thing' });
  expect(flushed).toEqual([`${copy.tree}.partial-copy: false`, `${apart.gitDir}.partial: true`]);
});

async function committed(): Promise<void> {
  await git(own, 'init', '-q');
  await git(own, 'add', '-A', '-f');
  await git(own, 'commit', '-q', '-m', 'theirs');
}

const kinds: Readonly<Record<string, () => Promise<void>>> = {
  'no repository': async () => {},
  'a repository': committed,
  'a shallow clone': async () => {
    await committed();
    await run('mv', [own, `${own}.origin`]);
    await git(small.root, 'clone', '-q', '--depth=1', `file://${own}.origin`, own);
  },
  'a partial clone': async () => {
    await committed();
    await git(own, 'config', 'uploadpack.allowFilter', 'true');
    await run('mv', [own, `${own}.origin`]);
    await git(small.root, 'clone', '-q', '--filter=blob:none', `file://${own}.origin`, own);
  },
  'a worktree': async () => {
    await committed();
    await run('mv', [own, `${own}.origin`]);
    await git(`${own}.origin`, 'worktree', 'add', '-q', own);
  },
  'a tree with a repository in it': async () => {
    await committed();
    await mkdir(join(own, 'subprojects/inner'), { recursive: true });
    await writeFile(join(own, 'subprojects/inner/file'), 'inner\n');
    await git(join(own, 'subprojects/inner'), 'init', '-q');
    await git(join(own, 'subprojects/inner'), 'add', '-A');
    await git(join(own, 'subprojects/inner'), 'commit', '-q', '-m', 'inner');
  },
};

test.each(Object.keys(kinds))('%s: copied, patched, and only read', async (kind) => {
  await kinds[kind]?.();
  await symlink('two.c', join(own, 'link'));
  await chmod(join(own, 'two.c'), 0o755);
  const before = await listing();
  expect(await carryOver()).toBeUndefined();
  expect(await content(copy.tree)).toEqual(await content(own));
  await applyPatches(copy, [await patch()]);
  expect(await carryOver()).toEqual([]);
  expect(await handEdits(copy)).toEqual([]);
  expect(await listing()).toBe(before);
  // The files have nothing in common, not even an inode.
  expect((await stat(join(copy.tree, 'two.c'))).nlink).toBe(1);
});

test('a repository that belongs to somebody else', async () => {
  await committed();
  if (process.getuid?.() !== 0) return;
  await run('chown', ['-R', '12345:12345', own]);
  const before = await listing();
  await carryOver();
  expect(await content(copy.tree)).toEqual(await content(own));
  expect(await listing()).toBe(before);
});

test('later edits are carried over file by file, and edits in the copy stay', async () => {
  await carryOver();
  const patches = [await patch()];
  await applyPatches(copy, patches);
  const time = async (path: string) => (await stat(join(copy.tree, path))).mtimeMs;
  const unchanged = await time('dir/one.c');
  await appendFile(join(copy.tree, 'dir/one.c'), 'in the copy\n');
  const edit = await time('dir/one.c');
  await writeFile(join(own, 'two.c'), edited({ 9: 'NINE' }));
  await writeFile(join(own, 'ignored.s'), 'other\n');
  await writeFile(join(own, 'new.c'), 'new\n');
  expect((await carryOver())?.toSorted()).toEqual(['ignored.s', 'new.c', 'two.c']);
  expect(await time('dir/one.c')).toBe(edit);
  expect(edit).toBeGreaterThanOrEqual(unchanged);
  await rm(join(own, 'new.c'));
  await writeFile(join(own, 'dir/one.c'), edited({ 20: 'TWENTY' }));
  expect((await carryOver())?.toSorted()).toEqual(['dir/one.c', 'new.c']);
  const { stdout } = await run('cat', [join(copy.tree, 'dir/one.c')]);
  expect(stdout).toBe(`${edited({ 5: 'FIVE', 20: 'TWENTY' })}in the copy\n`);
  expect(await applyPatches(copy, patches)).toEqual([]);
  expect(await handEdits(copy)).toEqual(['dir/one.c']);
});

test('an edit that contradicts a patch is shown, and the copy stays as it is', async () => {
  await carryOver();
  await applyPatches(copy, [await patch()]);
  const before = await content(copy.tree);
  await writeFile(join(own, 'dir/one.c'), edited({ 5: 'theirs' }));
  const error = await failureOf(carryOver());
  expect(error).toMatchObject({ code: 'patch-failed' });
  expect(error.lastLines.join('\n')).toMatch(/theirs\n[^]*FIVE/);
  expect(await content(copy.tree)).toEqual(before);
});

test('a copy that has lost its repository is put aside and made again', async () => {
  await carryOver();
  await appendFile(join(copy.tree, 'two.c'), 'in the copy\n');
  await rm(copy.gitDir, { recursive: true });
  expect(await carryOver()).toBeUndefined();
  expect(await content(copy.tree)).toEqual(await content(own));
  const aside = (await readdir(small.root)).find((name) => name.startsWith('copy.replaced-')) ?? '';
  expect(await readFile(join(small.root, aside, 'two.c'), 'utf8')).toContain('in the copy');
  expect(small.notices.join()).toContain(aside);
});

test('a tree with the work directory in it is refused, also through a link', async () => {
  const work = join(own, 'project/.stopwatch');
  await mkdir(work, { recursive: true });
  await symlink(work, join(small.root, 'link'));
  for (const inside of [work, join(small.root, 'link'), own]) {
    const error = await failureOf(refuseAround(own, inside));
    expect(error).toMatchObject({ code: 'bad-source-tree' });
    expect(error.hint).toContain('--workdir');
  }
  await mkdir(`${own}-work`);
  await refuseAround(own, `${own}-work`);
  await refuseAround(own, small.root);
});
