// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { type ArchiveEntry, entryChecker } from './archive-entries.js';

/** The first problem of a list of entries. */
function problem(...entries: readonly ArchiveEntry[]): string | undefined {
  const check = entryChecker();
  return entries.map(check).find((text) => text !== undefined);
}
const file = (path: string): ArchiveEntry => ({ path, type: 'File' });
const link = (path: string, linkpath: string): ArchiveEntry => ({ path, type: 'SymbolicLink', linkpath });
const hard = (path: string, linkpath: string): ArchiveEntry => ({ path, type: 'Link', linkpath });

describe('entryChecker', () => {
  it.each([
    ['files and directories', [{ path: './a/', type: 'Directory' }, file('./a/b')]],
    ['links that stay inside', [file('a/b'), link('c/d', '../a/b'), link('c/e', '.'), link('f', 'nowhere')]],
    ['a hard link to an earlier file', [file('./a'), hard('./b', './a')]],
    ['names with dots', [file('a..b'), file('...'), file('a/..b')]],
    ['a file in the place of a link', [link('a', 'b'), file('a')]],
  ])('accepts %s', (_what, entries) => expect(problem(...entries)).toBeUndefined());

  it.each([
    ['an absolute path', [file('/etc/x')], 'absolute'],
    ['a path upwards', [file('a/../../x')], '".."'],
    ['a NUL byte', [file('a\0b')], 'NUL'],
    ['an absolute link', [link('a', '/etc')], 'outside'],
    ['a link upwards', [link('a/b', '../../x')], 'outside'],
    ['a link to the parent', [link('a', '..')], 'outside'],
    ['a link to nothing', [link('a', '')], 'outside'],
    ['a file through a link', [link('a', 'b'), file('a/x')], 'through the symbolic link a'],
    ['a link through a link', [link('./a', 'b/c'), link('a/x', '../d')], 'through the symbolic link a'],
    [
      'a directory on a link',
      [link('a', 'b'), { path: 'a/', type: 'Directory' }],
      'place of a symbolic link',
    ],
    ['a hard link out', [hard('a', '../x')], 'hard link'],
    ['a hard link to a symbolic link', [link('a', 'b'), hard('c', 'a')], 'hard link'],
    ['a device', [{ path: 'a', type: 'CharacterDevice' }], 'CharacterDevice'],
    ['a FIFO', [{ path: 'a', type: 'FIFO' }], 'FIFO'],
  ])('refuses %s', (_what, entries, text) => expect(problem(...entries)).toContain(text));
});
