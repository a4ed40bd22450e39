// SPDX-License-Identifier: MIT
/** With the real git: a tree gets exactly the wanted patches, and nothing that was changed by hand is lost. */
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { revertTree } from '../build/patching.js';
import { failureOf } from './failure.test.support.js';
import { createRepository, exclude } from './repository/create.js';
import { linkSources, unlinkSources } from './links.js';
import { applyPatches, handEdits, hiddenWork } from './patch.js';
import { edited, picture, run, type Small, smallTree } from './repository.test.support.js';

const body = edited({});
let small: Small;
beforeEach(async () => {
  small = await smallTree({
    'dir/one.c': body,
    'two.c': body,
    '.gitignore': 'ignored*\n',
    'ignored.s': 'content\n',
  });
});
afterEach(async () => small.remove());

const apply = (patches: readonly string[]) => applyPatches(small.repository, patches);
const edits = () => handEdits(small.repository);
const mtime = async (path: string) => (await stat(join(small.tree, path))).mtimeMs;

/** 1: changes line 5 of both files and makes one. 2: on top of it, changes line 6 of one file. */
async function series(): Promise<[string, string]> {
  const first = edited({ 5: 'FIVE' });
  return [
    await small.patch('0001-first.patch', { 'dir/one.c': first, 'two.c': first, 'new/made.c': 'made\n' }),
    await small.patch('0002-second.patch', { 'two.c': edited({ 5: 'FIVE', 6: 'SIX' }) }, { 'two.c': first }),
  ];
}

/** Arguments of the git commands in a hint. */
const commandsIn = (hint: string) =>
  [...hint.matchAll(/git -C \S+ (.*?)(?= &&|;)/g)].map(([, args = '']) => args.split(' '));

/** Up to the point at which `git am` has succeeded and cherry-pick was not called. */
const afterAm = async () => {
  const patches = await series();
  await apply(patches);
  await small.put('mine.c', 'mine\n');
  await small.git('add', 'mine.c');
  await small.git('commit', '-q', '-m', 'Mine');
  await small.put('more.c', 'more\n');
  const before = { 'two.c': edited({ 4: '4', 5: '5', 6: '6', 7: '7' }) };
  patches.push(await small.patch('0003-third.patch', { 'two.c': edited({ 5: 'X', 6: 'Y' }) }, before));
  const { hint = '' } = await failureOf(apply(patches));
  const [checkout = [], am = []] = commandsIn(hint);
  await small.git(...checkout);
  await expect(small.git(...am)).rejects.toMatchObject({ code: 128 });
  await small.put('two.c', edited({ 5: 'X', 6: 'Y' }));
  await small.git('add', '-A');
  await small.git('am', '--continue');
  expect(await small.git('ls-files')).not.toMatch(/mine|more/);
  return patches;
};
const unmerged = () => small.git('for-each-ref', 'refs/stopwatch/unmerged');

describe('applyPatches', () => {
  it('applies a series, one commit for each patch, does nothing the second time, and takes it back', async () => {
    const patches = await series();
    expect((await apply(patches)).toSorted()).toEqual(['dir/one.c', 'new/made.c', 'two.c']);
    expect(await small.read('two.c')).toBe(edited({ 5: 'FIVE', 6: 'SIX' }));
    expect(await small.git('log', '--format=%s')).toBe(
      'Subject of 0002-second.patch\nSubject of 0001-first.patch\nThing 1.0',
    );
    expect(await small.git('status', '--porcelain')).toBe('');
    await utimes(join(small.tree, 'two.c'), 1, 1);
    expect(await apply(patches)).toEqual([]);
    expect(await mtime('two.c')).toBe(1000);
    await apply([]);
    expect(await small.read('two.c')).toBe(body);
    expect(await small.read('dir/one.c')).toBe(body);
    expect((await readdir(small.tree)).sort()).toEqual(['.git', '.gitignore', 'dir', 'ignored.s', 'two.c']);
  });

  it('gives the same commits everywhere', async () => {
    const patches = await series();
    await apply(patches);
    const other = await smallTree({
      'dir/one.c': body,
      'two.c': body,
      '.gitignore': 'ignored*\n',
      'ignored.s': 'content\n',
    });
    await applyPatches(other.repository, patches);
    expect(await other.git('rev-parse', 'HEAD')).toBe(await small.git('rev-parse', 'HEAD'));
    await other.remove();
  });

  it('goes from one set to another, and writes only what changes', async () => {
    const [first, second] = await series();
    await apply([first, second]);
    await utimes(join(small.tree, 'dir/one.c'), 1, 1);
    expect(await apply([first])).toEqual(['two.c']);
    expect(await small.read('two.c')).toBe(edited({ 5: 'FIVE' }));
    expect(await mtime('dir/one.c')).toBe(1000);
    await apply([await small.patch('0001-first.patch', { 'two.c': edited({ 5: 'CINQ' }) })]);
    expect(await small.read('two.c')).toBe(edited({ 5: 'CINQ' }));
    expect(await small.read('dir/one.c')).toBe(body);
    await expect(stat(join(small.tree, 'new'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keeps what was changed by hand: edits, new and ignored files, commits, what is staged', async () => {
    const patches = await series();
    await apply(patches);
    await small.put('committed.c', 'committed\n');
    await small.git('add', 'committed.c');
    await small.git('commit', '-q', '-m', 'Mine');
    await small.put('two.c', edited({ 5: 'FIVE', 6: 'SIX', 25: 'staged' }));
    await small.git('add', 'two.c');
    await small.put('two.c', edited({ 5: 'FIVE', 6: 'SIX', 25: 'MINE' }));
    await small.put('ignored.s', 'edited\n');
    await small.put('ignored-new', 'new\n');
    expect(await apply(patches)).toEqual([]);
    expect(await edits()).toEqual(['committed.c', 'ignored-new', 'ignored.s', 'two.c']);
    await apply(patches.slice(0, 1));
    expect(await small.read('two.c')).toBe(edited({ 5: 'FIVE', 25: 'MINE' }));
    await apply([]);
    expect(await small.read('two.c')).toBe(edited({ 25: 'MINE' }));
    expect(await small.read('ignored.s')).toBe('edited\n');
    expect(await small.read('ignored-new')).toBe('new\n');
    expect(await small.git('log', '--format=%s')).toContain('Mine');
    expect(await small.git('log', '-p')).toContain('+staged');
    expect(await edits()).toEqual(['committed.c', 'ignored-new', 'ignored.s', 'two.c']);
  });

  it('shows a conflict with a change by hand as git does, changes no file, and says what to type', async () => {
    const patches = await series();
    await apply(patches);
    await small.put('dir/one.c', edited({ 5: 'MINE' }));
    const before = await picture(small.tree);
    const other = await small.patch('0001-first.patch', { 'dir/one.c': edited({ 5: 'OTHER' }) });
    const error = await failureOf(apply([other]));
    expect(error).toMatchObject({ code: 'patch-failed' });
    expect(error.message).toContain('"Changes by hand, not committed"');
    expect(error.lastLines.join('\n')).toMatch(/<<<<<<< the patches\nOTHER\n[^]*MINE\n>>>>>>> your change/);
    expect(await picture(small.tree)).toEqual(before);
    // As typed by the user.
    const typed =
      /Merge them there: (git .*?);/
        .exec(error.hint ?? '')?.[1]
        ?.split(' ')
        .slice(3) ?? [];
    await expect(small.git(...typed)).rejects.toMatchObject({ stdout: expect.stringContaining('CONFLICT') });
    expect((await failureOf(apply([other]))).message).toContain('A rebase is under way');
    expect(await failureOf(edits())).toMatchObject({ code: 'patch-failed' });
    await small.put('dir/one.c', edited({ 5: 'BOTH' }));
    await small.git('add', '-A');
    await small.git('-c', 'core.editor=true', 'rebase', '--continue');
    expect(await apply([other])).toEqual([]);
    expect(await small.read('dir/one.c')).toBe(edited({ 5: 'BOTH' }));
    expect(await edits()).toEqual(['dir/one.c']);
  });

  it('shows a patch that does not fit, changes no file, and says what to type', async () => {
    const [first, second] = await series();
    const misfit = await small.patch(
      '0003-third.patch',
      { 'two.c': edited({ 5: 'X', 6: 'Y' }) },
      { 'two.c': edited({ 4: '4', 5: '5', 6: '6', 7: '7' }) },
    );
    await small.put('mine.c', 'mine\n');
    const error = await failureOf(apply([first, second, misfit]));
    expect(error).toMatchObject({ code: 'patch-failed' });
    expect(error.message).toContain('0003-third.patch does not fit Thing 1.0');
    expect(error.lastLines).toContain('error: patch failed: two.c:3');
    expect(error.hint).toContain('am -3 -C1 --keep-non-patch');
    expect(await small.read('dir/one.c')).toBe(body);
    expect(await small.read('mine.c')).toBe('mine\n');
    // The user merges it by hand; then the tree has its own version of the patch.
    const commands = commandsIn(error.hint ?? '');
    expect(commands.map(([name]) => name)).toEqual(['checkout', 'am', 'cherry-pick']);
    await small.git(...(commands[0] ?? []));
    await expect(small.git(...(commands[1] ?? []))).rejects.toMatchObject({
      stdout: expect.stringContaining('Patch failed at'),
    });
    expect((await failureOf(apply([first]))).message).toContain('am is under way');
    await small.put('two.c', edited({ 5: 'X', 6: 'Y' }));
    await small.git('add', '-A');
    await small.git('am', '--continue');
    await small.git(...(commands[2] ?? []));
    expect(await apply([first, second, misfit])).toEqual([]);
    expect(small.notices.join()).toContain('0003-third.patch: ');
    expect(await small.read('two.c')).toBe(edited({ 5: 'X', 6: 'Y' }));
    expect(await small.read('mine.c')).toBe('mine\n');
  });

  describe('a conflict whose hint was followed only in part', () => {
    it('puts back what was changed by hand', async () => {
      const patches = await afterAm();
      await small.put('later.c', 'later\n');
      expect((await apply(patches)).toSorted()).toEqual(['mine.c', 'more.c']);
      expect(small.notices.at(-1)).toContain('"Mine", "Changes by hand, not committed"');
      expect([await small.read('mine.c'), await small.read('more.c')]).toEqual(['mine\n', 'more\n']);
      expect(await small.read('later.c')).toBe('later\n');
      expect(await unmerged()).toBe('');
      expect(await apply(patches)).toEqual([]);
      await rm(join(small.tree, 'more.c'));
      expect(await apply(patches)).toEqual([]);
      expect(await edits()).toEqual(['later.c', 'mine.c', 'two.c']);
    });

    it('keeps it while it does not fit, and says how to merge it', async () => {
      const patches = await afterAm();
      await small.put('mine.c', 'later\n');
      await small.git('add', 'mine.c');
      await small.git('commit', '-q', '-m', 'Later');
      // "Later" comes first, and "Mine" does not fit on top of it.
      const error = await failureOf(apply(patches));
      expect(error.message).toContain('"Mine"');
      expect(await small.read('mine.c')).toBe('later\n');
      expect((await unmerged()).split('\n')).toHaveLength(2);
      const [checkout = [], pick = []] = commandsIn(error.hint ?? '');
      expect([checkout[0], pick[0]]).toEqual(['checkout', 'cherry-pick']);
      await small.git(...checkout);
      await expect(small.git(...pick)).rejects.toMatchObject({ code: 1 });
      await small.put('mine.c', 'both\n');
      await small.git('add', '-A');
      await small.git('-c', 'core.editor=true', 'cherry-pick', '--continue');
      await apply(patches);
      expect(await unmerged()).toBe('');
      expect([await small.read('mine.c'), await small.read('more.c')]).toEqual(['both\n', 'more\n']);
    });

    it('keeps it while a later change does not fit on top of it', async () => {
      const patches = await afterAm();
      await small.put('mine.c', 'later\n');
      const error = await failureOf(apply(patches));
      expect(error.message).toContain('"Changes by hand, not committed"');
      expect((await unmerged()).split('\n')).toHaveLength(2);
      const [rebase = []] = commandsIn(error.hint ?? '');
      await expect(small.git(...rebase)).rejects.toMatchObject({ code: 1 });
      await small.put('mine.c', 'both\n');
      await small.git('add', '-A');
      await small.git('-c', 'core.editor=true', 'rebase', '--continue');
      await rm(join(small.tree, 'more.c'));
      expect(await apply(patches)).toEqual([]);
      expect(await unmerged()).toBe('');
      expect(await small.read('mine.c')).toBe('both\n');
      expect(await readdir(small.tree)).not.toContain('more.c');
    });

    it('waits for the end of a cherry-pick of several', async () => {
      await mkdir(join(small.tree, '.git/sequencer'));
      expect((await failureOf(apply([]))).message).toContain('A cherry-pick or revert is under way');
    });
  });

  it('takes a change by hand that a new patch makes as well: files added, deleted, with other rights', async () => {
    const patches = await series();
    await apply(patches);
    await small.put('made.c', body);
    await rm(join(small.tree, 'dir/one.c'));
    await chmod(join(small.tree, 'ignored.s'), 0o755);
    await small.put('mine.c', 'mine\n');
    await small.git('add', '-A');
    await small.git('commit', '-q', '-m', 'Mine');
    const first = edited({ 5: 'FIVE' });
    const third = await small.patch(
      '0003-third.patch',
      { 'made.c': body, 'dir/one.c': null },
      { 'made.c': null, 'dir/one.c': first },
    );
    const rights = 'diff --git a/ignored.s b/ignored.s\nold mode 100644\nnew mode 100755\n';
    await appendFile(third, rights);
    expect(await apply([...patches, third])).toEqual([]);
    expect(await edits()).toEqual(['mine.c']);
    expect(await small.git('log', '-1', '--format=%s', '--stat')).not.toContain('made.c');
  });

  it('refuses to make a file that is there', async () => {
    const [first] = await series();
    await small.put('new/made.c', 'mine\n');
    expect((await failureOf(apply([first]))).lastLines.join('\n')).toContain('new/made.c');
    expect(await small.read('new/made.c')).toBe('mine\n');
  });

  it('finds a hunk that has moved, and takes other context one line away', async () => {
    await small.remove();
    small = await smallTree({
      'dir/one.c': body,
      'two.c': `${'above\n'.repeat(100)}${edited({ 3: 'other' })}`,
    });
    const patch = await small.patch(
      '0001-first.patch',
      { 'two.c': edited({ 5: 'FIVE' }) },
      { 'two.c': body },
    );
    await apply([patch]);
    expect(await small.read('two.c')).toBe(`${'above\n'.repeat(100)}${edited({ 3: 'other', 5: 'FIVE' })}`);
  });

  it('takes patches without a mail header, too', async () => {
    const hunk = ['@@ -4,3 +4,3 @@', ' line 4', '-line 5', '+FIVE', ' line 6', ''].join('\n');
    const file = join(small.root, '0001-plain.patch');
    for (const header of ['', 'Subject: [PATCH] plain\n\nWords.\n---\n', 'Subject: plain\n']) {
      await writeFile(file, `${header}--- a/two.c\n+++ b/two.c\n${hunk}`);
      await apply([file]);
      expect(await small.read('two.c')).toBe(edited({ 5: 'FIVE' }));
      expect(await small.git('log', '-1', '--format=%s')).toBe(header === '' ? '0001-plain' : 'plain');
      await apply([]);
    }
  });

  it('is not confused by a repository around it, nor by settings and variables of git', async () => {
    await run('git', ['init', '-q', small.root]);
    await run('git', ['-C', small.root, 'config', 'apply.whitespace', 'error']);
    await small.git('config', 'core.autocrlf', 'true');
    const spaced = await small.patch('0001-space.patch', { 'two.c': edited({ 5: 'FIVE  ', 6: 'SIX\r' }) });
    process.env['GIT_INDEX_FILE'] = join(small.root, 'elsewhere');
    try {
      await apply([spaced]);
    } finally {
      delete process.env['GIT_INDEX_FILE'];
    }
    expect(await small.read('two.c')).toContain('FIVE  \nSIX\r\n');
    expect(await readdir(small.root)).not.toContain('elsewhere');
  });

  it('says that git converted the line ends of a patch', async () => {
    const patch = await small.patch('0001-crlf.patch', { 'two.c': edited({ 5: 'FIVE' }) });
    await writeFile(patch, (await readFile(patch, 'utf8')).replaceAll('\n', '\r\n'));
    await expect(apply([patch])).rejects.toThrow(/0001-crlf\.patch has CRLF line ends.*core\.autocrlf/);
  });

  it('does not write through symbolic links', async () => {
    const [first] = await series();
    await rm(join(small.tree, 'dir'), { recursive: true });
    await mkdir(join(small.root, 'elsewhere'));
    await writeFile(join(small.root, 'elsewhere/one.c'), body);
    await symlink(join(small.root, 'elsewhere'), join(small.tree, 'dir'));
    await expect(apply([first])).rejects.toMatchObject({ code: 'patch-failed' });
    expect(await readFile(join(small.root, 'elsewhere/one.c'), 'utf8')).toBe(body);
    expect(await small.read('two.c')).toBe(body);
  });

  it('names a patch that cannot be used, and a commit that is not on the release', async () => {
    await expect(apply([join(small.root, 'none')])).rejects.toMatchObject({ code: 'file-unreadable' });
    await writeFile(join(small.root, 'words'), 'only words\n');
    expect((await failureOf(apply([join(small.root, 'words')]))).message).toMatch(
      /words cannot be used: .* no diff/,
    );
    await small.git('checkout', '-q', '--orphan', 'mine');
    await small.git('commit', '-q', '-m', 'Mine');
    const error = await failureOf(apply([]));
    expect(error.message).toContain('does not come from the release');
    expect(error.hint).toContain('checkout stopwatch');
  });

  it('says so when another git is at work, and stops before it changes a file', async () => {
    const patches = await series();
    await small.put('mine.c', 'mine\n');
    await writeFile(join(small.tree, '.git/index.lock'), '');
    expect((await failureOf(apply(patches))).message).toMatch(/Another git is at work .*index\.lock exists/);
    expect(await small.read('two.c')).toBe(body);
    await rm(join(small.tree, '.git/index.lock'));
    await apply(patches);
    expect(await small.read('mine.c')).toBe('mine\n');
  });
});

/** True when it was killed before it ended. */
const killed = async (call: number, patches: readonly string[]) => {
  const script = join(import.meta.dirname, 'patch-one.test.support.ts');
  const args = ['--import', 'jiti/register', script, small.tree, String(call), ...patches];
  const isKilled = await run(process.execPath, args, { cwd: import.meta.dirname }).then(
    () => false,
    (error: { signal?: string }) => error.signal === 'SIGKILL' || Promise.reject(error),
  );
  // A git that was just starting may outlive its parent. The next run of the tool ends such processes first.
  while (worksIn(small.tree)) await sleep(10);
  return isKilled;
};

const worksIn = (directory: string): boolean =>
  readdirSync('/proc').some((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === directory;
    } catch {
      return false;
    }
  });

describe('a run that is killed', () => {
  it('before or during any of its git calls loses nothing, and the next run does its work', async () => {
    const patches = await series();
    await apply(patches);
    const other = await small.patch('0001-other.patch', {
      'dir/one.c': edited({ 5: 'CINQ' }),
      'two.c': edited({ 5: 'CINQ' }),
      'other.c': 'other\n',
    });
    let goesOn = true;
    for (let call = 0; goesOn; call += 3) {
      await small.put('two.c', edited({ 5: 'FIVE', 6: 'SIX', 25: `MINE ${call}` }));
      await small.put('mine.c', `mine ${call}\n`);
      goesOn = await killed(call % 2 === 0 ? call : -call, [other]);
      await apply([other]);
      expect(await small.read('two.c'), `call ${call}`).toBe(edited({ 5: 'CINQ', 25: `MINE ${call}` }));
      expect(await small.read('dir/one.c')).toBe(edited({ 5: 'CINQ' }));
      expect(await small.read('mine.c')).toBe(`mine ${call}\n`);
      await apply(patches);
      expect(await small.read('two.c')).toBe(edited({ 5: 'FIVE', 6: 'SIX', 25: `MINE ${call}` }));
      expect(await small.read('new/made.c')).toBe('made\n');
      expect(await small.git('status', '--porcelain')).toBe('');
    }
  }, 120_000);

  it('while it writes files: those are put back, also half-written ones; later edits stay', async () => {
    const patches = await series();
    await apply(patches);
    const after = await small.git('rev-parse', 'HEAD');
    await apply([]);
    await writeFile(join(small.tree, '.git/stopwatch/next'), after);
    await small.put('dir/one.c', edited({ 5: 'FIVE' }));
    await small.put('new/made.c', 'ma');
    await small.put('two.c', 'edited since\n');
    await apply([]);
    expect(await small.read('dir/one.c')).toBe(body);
    await expect(small.read('new/made.c')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await small.read('two.c')).toBe('edited since\n');
    expect(await edits()).toEqual(['two.c']);
    await writeFile(join(small.tree, '.git/stopwatch/next'), after);
    await truncate(join(small.tree, 'dir/one.c'), 0);
    await rm(join(small.tree, 'two.c'));
    await apply([]);
    expect(await small.read('dir/one.c')).toBe(body);
    expect(await small.read('two.c')).toBe(body);
  });
});

describe('handEdits', () => {
  it('names what is in no patch, but no links of ours and no droppings', async () => {
    await apply(await series());
    expect(await edits()).toEqual([]);
    const links = [{ link: 'hw/thing', target: small.root }];
    await linkSources(small.tree, links);
    await exclude(small.repository, ['hw/thing']);
    for (const name of ['a.c.orig', 'a.c.rej', 'a.c~', '.a.c.swp', '.#a.c']) await small.put(name, 'x');
    await small.put('dir/__pycache__/x.pyc', 'x');
    expect(await edits()).toEqual([]);
    await chmod(join(small.tree, 'dir/one.c'), 0o755);
    await rm(join(small.tree, 'two.c'));
    await small.put('two.c/inside', 'x');
    expect(await edits()).toEqual(['dir/one.c', 'two.c', 'two.c/inside']);
  });

  it('writes nothing into the tree, and leaves the index of the user alone', async () => {
    await apply(await series());
    await small.put('two.c', 'staged\n');
    await small.git('add', 'two.c');
    await small.put('two.c', 'mine\n');
    const status = await small.git('status', '--porcelain');
    const before = await picture(small.tree);
    await edits();
    expect(await picture(small.tree)).toEqual(before);
    expect(await small.git('status', '--porcelain')).toBe(status);
  });

  it("survives the user's git gc, which takes objects that only our index leads to", async () => {
    await apply(await series());
    await small.put('two.c', 'mine\n');
    // Older than the index, so that git trusts the index.
    await utimes(join(small.tree, 'two.c'), 1, 1);
    expect(await edits()).toEqual(['two.c']);
    await small.git('gc', '-q', '--prune=now');
    expect(await edits()).toEqual(['two.c']);
    expect(await edits()).toEqual(['two.c']);
  });

  it('refuses a repository that the user made, and changes nothing in it', async () => {
    await rm(join(small.tree, '.git'), { recursive: true });
    await run('git', ['init', '-q', small.tree]);
    const before = (await readdir(join(small.tree, '.git'))).sort();
    for (const refused of [apply([]), edits()]) {
      const error = await failureOf(refused);
      expect(error).toMatchObject({ code: 'bad-source-tree' });
      expect(error.hint).toContain(`Move ${small.tree} away`);
    }
    expect((await readdir(join(small.tree, '.git'))).sort()).toEqual(before);
  });
});

describe('hiddenWork', () => {
  it('names stashes, branches, tags and repositories inside the tree, but nothing of ours', async () => {
    const patches = await series();
    await apply(patches);
    await apply(patches.slice(0, 1));
    await small.git('branch', 'same');
    await apply(patches);
    await linkSources(small.tree, [{ link: 'linked', target: small.root }]);
    await exclude(small.repository, ['linked']);
    const hidden = () => hiddenWork(small.repository);
    expect(await hidden()).toEqual([]);
    await small.put('two.c', 'mine\n');
    await small.git('stash', '-q');
    await small.git('checkout', '-q', '-b', 'work');
    await small.put('mine.c', 'mine\n');
    await small.git('add', 'mine.c');
    await small.git('commit', '-q', '-m', 'Mine');
    await small.git('tag', 'mark');
    await small.git('checkout', '-q', 'stopwatch');
    await run('git', ['init', '-q', join(small.tree, 'nested')]);
    await small.put('nested/driver.c', 'mine\n');
    expect(await edits()).toEqual([]);
    expect(await hidden()).toEqual([
      'the branch work',
      'the tag mark',
      'stash@{0}',
      'the repository nested/',
    ]);
  });
});

describe("a tree of the user's own, in place", () => {
  it('is patched and taken back, with its own repository untouched and edits kept', async () => {
    const own = join(small.root, 'own');
    await run('cp', ['-a', small.tree, own]);
    await rm(join(own, '.git'), { recursive: true });
    await run('git', ['-C', own, 'init', '-q']);
    await run('git', ['-C', own, 'add', '-A']);
    const listing = async () => (await run('find', [join(own, '.git'), '-printf', '%p %s %T@\\n'])).stdout;
    const before = await listing();
    const repository = small.repository.at({ tree: own, gitDir: join(small.root, 'apart.git') });
    await createRepository(repository, { message: 'Thing' });
    await applyPatches(repository, await series());
    const two = join(own, 'two.c');
    expect(await readFile(two, 'utf8')).toBe(edited({ 5: 'FIVE', 6: 'SIX' }));
    await appendFile(two, 'mine\n');
    await applyPatches(repository, []);
    expect(await readFile(two, 'utf8')).toBe(`${body}mine\n`);
    expect(await listing()).toBe(before);
  });
});

describe('revertTree', () => {
  it('takes the links out first: killed after that, the patch task still has something to make', async () => {
    const patches = await series();
    const link = { link: 'linked', target: small.root };
    await apply(patches);
    await linkSources(small.tree, [link]);
    await exclude(small.repository, ['linked']);
    const tree = {
      inPlace: false,
      series: { directory: small.root, files: patches, fixed: [] },
      links: [link],
    };
    const killedAt = {
      ...small.ports,
      processes: { ...small.ports.processes, run: () => Promise.reject(new Error('killed')) },
    };
    await expect(revertTree({ ...tree, repository: small.repository }, killedAt)).rejects.toThrow('killed');
    expect(await readdir(small.tree)).not.toContain('linked');
    expect(await small.read('two.c')).toContain('FIVE');
    const changed = await revertTree({ ...tree, repository: small.repository }, small.ports);
    expect(changed).toContain('two.c');
    expect(await small.read('two.c')).toBe(body);
  });
});

const links = () => [
  { link: 'hw/thing/a.c', target: join(small.root, 'ours/a.c') },
  { link: 'hw/b', target: join(small.root, 'ours') },
];

describe('linkSources', () => {
  it('makes links, turns those that lead elsewhere, and takes them away', async () => {
    const { root, tree, read } = small;
    await mkdir(join(root, 'ours'));
    await writeFile(join(root, 'ours/a.c'), 'ours');
    expect(await linkSources(tree, links())).toEqual(['hw/thing/a.c', 'hw/b']);
    expect(await read('hw/thing/a.c')).toBe('ours');
    expect(await read('hw/b/a.c')).toBe('ours');
    expect(await linkSources(tree, links())).toEqual([]);
    await rm(join(tree, 'hw/b'));
    await symlink('/nowhere', join(tree, 'hw/b'));
    expect(await linkSources(tree, links())).toEqual(['hw/b']);
    expect(await read('hw/b/a.c')).toBe('ours');
    expect(await unlinkSources(tree, links())).toEqual(['hw/thing/a.c', 'hw/b']);
    expect(await readdir(tree)).not.toContain('hw');
  });

  it('refuses when something real is in the way, before it changes anything', async () => {
    await small.put('hw/b', 'mine');
    await expect(linkSources(small.tree, links())).rejects.toMatchObject({ code: 'patch-failed' });
    expect(await readdir(join(small.tree, 'hw'))).toEqual(['b']);
    expect(await small.read('hw/b')).toBe('mine');
    await rm(join(small.tree, 'hw/b'));
    await small.put('hw/b/deep', 'mine');
    await expect(linkSources(small.tree, links())).rejects.toMatchObject({ code: 'patch-failed' });
  });
});
