// SPDX-License-Identifier: MIT
import { execFile } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baseEnvironment } from '../../lib/environment.js';
import { createProcesses } from '../../lib/process/process.js';
import { failureOf } from './failure.test.support.js';
import { linkSources, unlinkSources } from './links.js';
import { applyPatches, type PatchRequest } from './patch.js';
import { writeJournal } from './patch-state.js';

const run = promisify(execFile);
const processes = createProcesses();

let root: string;
let tree: string;
let stateDir: string;
let notices: string[];

const body = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'stopwatch-patch-')));
  tree = join(root, 'tree');
  stateDir = join(root, 'state');
  notices = [];
  await put('dir/one.c', text(body));
  await put('two.c', text(body));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function put(path: string, content: string): Promise<void> {
  const file = join(tree, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, content);
}
const read = (path: string) => readFile(join(tree, path), 'utf8');

/** Writes the patch that leads from `before` to `after`; null: no such file. */
async function patch(
  name: string,
  changes: Readonly<Record<string, readonly [before: string | null, after: string | null]>>,
): Promise<string> {
  let out = `Subject: ${name}\n\n`;
  for (const [path, [before, after]] of Object.entries(changes)) {
    const files = [join(root, 'before'), join(root, 'after')] as const;
    await writeFile(files[0], before ?? '');
    await writeFile(files[1], after ?? '');
    const labels = [before === null ? '/dev/null' : `a/${path}`, after === null ? '/dev/null' : `b/${path}`];
    const args = ['-u', '--label', labels[0] ?? '', '--label', labels[1] ?? '', ...files];
    // diff ends with 1 when there is a difference.
    out += await run('diff', args).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    );
  }
  const file = join(root, name);
  await writeFile(file, out);
  return file;
}
const edited = (line: number, to: string, from: readonly string[] = body): string[] =>
  from.map((old, index) => (index === line - 1 ? to : old));

function apply(patches: readonly string[], more: Partial<PatchRequest> = {}) {
  return applyPatches(
    { what: 'Thing 1.0', tree, patches, stateDir, ...more },
    {
      processes,
      signal: new AbortController().signal,
      env: baseEnvironment(),
      notice: (line) => notices.push(line),
      log: () => undefined,
    },
  );
}

/** 1: changes line 5 of both files and makes one. 2: on top of it, changes line 6 of one file. */
async function series(): Promise<[string, string]> {
  const first = edited(5, 'FIVE');
  return [
    await patch('0001-first.patch', {
      'dir/one.c': [text(body), text(first)],
      'two.c': [text(body), text(first)],
      'new/made.c': [null, 'made\n'],
    }),
    await patch('0002-second.patch', { 'two.c': [text(first), text(edited(6, 'SIX', first))] }),
  ];
}

describe('applyPatches', () => {
  it('applies a series in order, does nothing the second time, and takes it back', async () => {
    const patches = await series();
    expect((await apply(patches)).changed.toSorted()).toEqual(['dir/one.c', 'new/made.c', 'two.c']);
    expect(await read('two.c')).toBe(text(edited(6, 'SIX', edited(5, 'FIVE'))));
    expect(await read('new/made.c')).toBe('made\n');
    await utimes(join(tree, 'two.c'), 1, 1);
    expect(await apply(patches)).toEqual({ changed: [], kept: [] });
    expect((await stat(join(tree, 'two.c'))).mtimeMs).toBe(1000);
    await apply([]);
    expect(await read('two.c')).toBe(text(body));
    expect(await read('dir/one.c')).toBe(text(body));
    expect((await readdir(tree)).sort()).toEqual(['dir', 'two.c']);
    expect(await readdir(stateDir)).toEqual(['applied.json']);
  });

  it('goes from one set to another, and writes only what changes', async () => {
    const [first, second] = await series();
    await apply([first, second]);
    await utimes(join(tree, 'dir/one.c'), 1, 1);
    expect((await apply([first])).changed).toEqual(['two.c']);
    expect(await read('two.c')).toBe(text(edited(5, 'FIVE')));
    expect((await stat(join(tree, 'dir/one.c'))).mtimeMs).toBe(1000);
    const other = await patch('0001-first.patch', { 'two.c': [text(body), text(edited(5, 'CINQ'))] });
    await apply([other]);
    expect(await read('two.c')).toBe(text(edited(5, 'CINQ')));
    expect(await read('dir/one.c')).toBe(text(body));
    await expect(stat(join(tree, 'new'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keeps edits by hand elsewhere in the same files', async () => {
    const patches = await series();
    await apply(patches);
    await put(
      'two.c',
      (await read('two.c')).replace('line 25', 'MINE').replace('line 1\n', 'MINE TOO\nline 1\n'),
    );
    expect(await apply(patches)).toEqual({ changed: [], kept: [] });
    await apply(patches.slice(0, 1));
    expect(await read('two.c')).toBe(`MINE TOO\n${text(edited(25, 'MINE', edited(5, 'FIVE')))}`);
    await apply([]);
    expect(await read('two.c')).toBe(`MINE TOO\n${text(edited(25, 'MINE'))}`);
  });

  it('leaves an edit of a patched line while the set stays, and refuses to change the set under it', async () => {
    const patches = await series();
    await apply(patches);
    const mine = (await read('dir/one.c')).replace('FIVE', 'MINE');
    await put('dir/one.c', mine);
    expect(await apply(patches)).toEqual({ changed: [], kept: ['dir/one.c'] });
    expect(notices.join()).toContain('dir/one.c');
    const two = await read('two.c');
    const error = await failureOf(apply([]));
    expect(error).toMatchObject({ code: 'patch-failed' });
    expect(error.message).toMatch(/dir\/one\.c.*edited by hand.*0001-first\.patch.*dir\/one\.c, line 2/);
    expect(error.lastLines.join('\n')).toContain('+FIVE');
    expect(await read('dir/one.c')).toBe(mine);
    expect(await read('two.c')).toBe(two);
    // Nothing was forgotten: with the edit undone it goes on.
    await put('dir/one.c', mine.replace('MINE', 'FIVE'));
    await apply([]);
    expect(await read('dir/one.c')).toBe(text(body));
  });

  it('applies again what somebody put back, in one file or in all', async () => {
    const patches = await series();
    await apply(patches);
    await put('two.c', text(body));
    expect((await apply(patches)).changed).toEqual(['two.c']);
    await rm(tree, { recursive: true });
    await put('two.c', text(body));
    await put('dir/one.c', text(body));
    expect((await apply(patches)).changed).toHaveLength(3);
    expect(await read('two.c')).toContain('SIX');
  });

  it('refuses what does not fit, shows where, and changes nothing', async () => {
    const [first, second] = await series();
    await put('two.c', text(edited(4, 'MINE')));
    const error = await failureOf(apply([first, second]));
    expect(error).toMatchObject({ code: 'patch-failed' });
    expect(error.message).toContain('0001-first.patch does not fit Thing 1.0');
    expect(error.message).toContain('two.c, line 2');
    expect(error.lastLines).toContain('-line 5');
    expect(await read('dir/one.c')).toBe(text(body));
    expect((await readdir(tree)).sort()).toEqual(['dir', 'two.c']);
  });

  it('refuses to make a file that is there', async () => {
    const [first] = await series();
    await put('new/made.c', 'mine\n');
    const error = await failureOf(apply([first]));
    expect(error.lastLines.join()).toContain('new/made.c: already exists');
    expect(await read('new/made.c')).toBe('mine\n');
  });

  it('accepts a tree that has the patches without our doing', async () => {
    const patches = await series();
    for (const path of patches) await run('patch', ['-s', '-p1', '-d', tree, '-i', path]);
    expect(await apply(patches)).toEqual({ changed: [], kept: [] });
    expect(await read('two.c')).toContain('SIX');
  });

  it('finds a hunk that has moved', async () => {
    const [first] = await series();
    await put('two.c', `${'above\n'.repeat(100)}${text(body)}`);
    await apply([first]);
    expect(await read('two.c')).toBe(`${'above\n'.repeat(100)}${text(edited(5, 'FIVE'))}`);
  });

  it('removes a file, and brings it back', async () => {
    const removal = await patch('0001-gone.patch', { 'dir/one.c': [text(body), null] });
    await apply([removal]);
    expect(await readdir(tree)).toEqual(['two.c']);
    await apply([]);
    expect(await read('dir/one.c')).toBe(text(body));
  });

  it('is not confused by a repository around it, whatever its settings', async () => {
    await run('git', ['init', '-q', root]);
    await run('git', ['-C', root, 'config', 'apply.whitespace', 'error']);
    const spaced = await patch('0001-space.patch', { 'two.c': [text(body), text(edited(5, 'FIVE  '))] });
    await apply([spaced]);
    expect(await read('two.c')).toContain('FIVE  \n');
  });

  it('keeps the rights of the files', async () => {
    await chmod(join(tree, 'two.c'), 0o750);
    await apply(await series());
    expect((await stat(join(tree, 'two.c'))).mode & 0o777).toBe(0o750);
  });

  it('does not write through symbolic links', async () => {
    const [first] = await series();
    await rm(join(tree, 'dir'), { recursive: true });
    await mkdir(join(root, 'elsewhere'));
    await writeFile(join(root, 'elsewhere/one.c'), text(body));
    await symlink(join(root, 'elsewhere'), join(tree, 'dir'));
    await expect(apply([first])).rejects.toMatchObject({ code: 'patch-failed' });
    expect(await readFile(join(root, 'elsewhere/one.c'), 'utf8')).toBe(text(body));
    expect(await read('two.c')).toBe(text(body));
  });

  it('names a tree, a patch or a state that cannot be used', async () => {
    await expect(apply([], { tree: join(root, 'none') })).rejects.toMatchObject({ code: 'bad-source-tree' });
    await expect(apply([join(root, 'none')])).rejects.toMatchObject({ code: 'file-unreadable' });
    await writeFile(join(root, 'words'), 'only words\n');
    expect((await failureOf(apply([join(root, 'words')]))).message).toMatch(/line 1: it has no "--- a/);
    await mkdir(stateDir, { recursive: true });
    await writeFile(join(stateDir, 'applied.json'), '{"half":');
    expect((await failureOf(apply([]))).message).toContain('applied.json is damaged');
  });
});

const file = (content: string) => ({ content: Buffer.from(content), mode: 0o644 });

/** As the journal of a run from the pristine tree to `FIVE`, killed after its first file. */
async function killedHalfWay(id: string): Promise<void> {
  const to = text(edited(5, 'FIVE'));
  await writeJournal(stateDir, {
    id,
    files: ['dir/one.c', 'two.c'].map((path) => ({ path, from: file(text(body)), to: file(to) })),
  });
  await put('dir/one.c', to);
}

describe('a run that was killed', () => {
  it('is undone before anything else', async () => {
    await killedHalfWay('x');
    await writeFile(join(tree, 'two.c.999999999-1.tmp'), 'half');
    await apply([]);
    expect(await read('dir/one.c')).toBe(text(body));
    expect((await readdir(tree)).sort()).toEqual(['dir', 'two.c']);
    expect(await readdir(stateDir)).toEqual([]);
  });

  it.each([0, 1, 2, 3, 4])(
    'by SIGKILL before its rename number %i, does not keep the next run from its work',
    async (count) => {
      const patches = await series();
      const script = join(import.meta.dirname, 'patch-one.test.support.ts');
      const args = ['--import', 'jiti/register', script, tree, stateDir, String(count), ...patches];
      const killed = run(process.execPath, args, { cwd: import.meta.dirname });
      await expect(killed).rejects.toMatchObject({ signal: 'SIGKILL' });
      await apply(patches);
      expect(await read('two.c')).toBe(text(edited(6, 'SIX', edited(5, 'FIVE'))));
      expect(await read('new/made.c')).toBe('made\n');
      await apply([]);
      expect(await read('two.c')).toBe(text(body));
      expect(await read('dir/one.c')).toBe(text(body));
      expect((await run('find', [root, '-name', '*.tmp', '-o', '-name', 'scratch-*'])).stdout).toBe('');
    },
  );

  it('does not stand in the way of the same patches', async () => {
    await killedHalfWay('x');
    await apply(await series());
    expect(await read('dir/one.c')).toBe(text(edited(5, 'FIVE')));
    expect(await read('two.c')).toContain('SIX');
  });

  it('is not undone where it had come to its end', async () => {
    const patches = await series();
    await apply(patches);
    const { id }: { id: string } = JSON.parse(await readFile(join(stateDir, 'applied.json'), 'utf8'));
    await writeJournal(stateDir, {
      id,
      files: [{ path: 'two.c', from: file('old'), to: file(await read('two.c')) }],
    });
    expect(await apply(patches)).toEqual({ changed: [], kept: [] });
    expect(await read('two.c')).toContain('SIX');
    expect(await readdir(stateDir)).toEqual(['applied.json']);
  });

  it('is not undone over a later edit', async () => {
    await killedHalfWay('x');
    await put('dir/one.c', 'mine\n');
    const error = await failureOf(apply([]));
    expect(error.message).toContain('dir/one.c was edited after an earlier run had been killed');
    expect(await read('dir/one.c')).toBe('mine\n');
  });
});

describe("a tree of the user's own", () => {
  const howToAllow = 'Say so.';

  it('is not written to without leave', async () => {
    const patches = await series();
    const usersOwn = { mayWrite: false, howToAllow };
    const error = await failureOf(apply(patches, { usersOwn }));
    expect(error).toMatchObject({ code: 'bad-source-tree', hint: howToAllow });
    expect(error.message).toContain('dir/one.c');
    expect(await read('two.c')).toBe(text(body));
    const link = linkSources(
      { what: 'x', tree, links: [{ link: 'l', target: '/t' }], usersOwn },
      { notice: () => undefined },
    );
    await expect(link).rejects.toMatchObject({ code: 'bad-source-tree' });
    expect((await readdir(tree)).sort()).toEqual(['dir', 'two.c']);
  });

  it('is written to with leave, and that is said', async () => {
    await apply(await series(), { usersOwn: { mayWrite: true, howToAllow } });
    expect(notices).toEqual([expect.stringContaining(`your own tree ${tree}: dir/one.c`)]);
    expect(await read('two.c')).toContain('SIX');
  });
});

const notice = () => undefined;
const links = () => [
  { link: 'hw/thing/a.c', target: join(root, 'ours/a.c') },
  { link: 'hw/b', target: join(root, 'ours') },
];

describe('linkSources', () => {
  it('makes links, turns those that lead elsewhere, and takes them away', async () => {
    await mkdir(join(root, 'ours'));
    await writeFile(join(root, 'ours/a.c'), 'ours');
    const request = { what: 'Thing', tree, links: links() };
    expect(await linkSources(request, { notice })).toEqual(['hw/thing/a.c', 'hw/b']);
    expect(await read('hw/thing/a.c')).toBe('ours');
    expect(await read('hw/b/a.c')).toBe('ours');
    expect(await linkSources(request, { notice })).toEqual([]);
    await rm(join(tree, 'hw/b'));
    await symlink('/nowhere', join(tree, 'hw/b'));
    expect(await linkSources(request, { notice })).toEqual(['hw/b']);
    expect(await read('hw/b/a.c')).toBe('ours');
    expect(await unlinkSources(request, { notice })).toEqual(['hw/thing/a.c', 'hw/b']);
    expect((await readdir(tree)).sort()).toEqual(['dir', 'two.c']);
  });

  it('refuses when something real is in the way, before it changes anything', async () => {
    await put('hw/b', 'mine');
    const request = { what: 'Thing', tree, links: links() };
    await expect(linkSources(request, { notice })).rejects.toMatchObject({ code: 'patch-failed' });
    expect(await readdir(join(tree, 'hw'))).toEqual(['b']);
    expect(await read('hw/b')).toBe('mine');
    await rm(join(tree, 'hw/b'));
    await put('hw/b/deep', 'mine');
    await expect(linkSources(request, { notice })).rejects.toMatchObject({ code: 'patch-failed' });
  });
});
