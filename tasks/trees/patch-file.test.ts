// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { parsePatch } from './patch-file.js';

const text = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;

describe('parsePatch', () => {
  it('finds files and hunks, whatever removed lines look like', () => {
    const patch = text(
      'From: somebody',
      '--- a/dir/one.c\t2025-01-01',
      '+++ b/dir/one.c\t2025-01-02',
      '@@ -1,3 +1,2 @@ int main',
      ' same',
      '--- a/not/a/file',
      '-x',
      '+++ b/not/a/file',
      '@@ -20 +19,0 @@',
      '-last',
      '\\ No newline at end of file',
      '--- /dev/null',
      '+++ b/new',
      '@@ -0,0 +1 @@',
      '+new',
      '--- a/old',
      '+++ /dev/null',
      '@@ -1 +0,0 @@',
      '-old',
    );
    const files = parsePatch(patch);
    expect(files.map((file) => file.path)).toEqual(['dir/one.c', 'new', 'old']);
    expect(files[0]?.hunks.map((hunk) => [hunk.oldStart, hunk.newStart, hunk.lines.length])).toEqual([
      [1, 1, 5],
      [20, 19, 3],
    ]);
  });

  it.each([
    ['no files', text('only words'), 'has no "--- a/'],
    ['a path upwards', text('--- a/../x', '+++ b/../x'), '".."'],
    ['an absolute path', text('--- /x', '+++ /x'), 'does not begin with'],
    ['a quoted path', text('--- "a/x"', '+++ "b/x"'), 'unusual'],
    ['a rename', text('--- a/x', '+++ b/y'), 'renames'],
    ['a rename by git', text('rename from x', 'rename to y'), 'not supported'],
    ['a binary patch', text('GIT binary patch'), 'not supported'],
    ['a hunk that is cut off', text('--- a/x', '+++ b/x', '@@ -1,2 +1,2 @@', ' a'), 'ends before'],
    ['a line that is none', text('--- a/x', '+++ b/x', '@@ -1,2 +1,2 @@', ' a', 'b'), 'no line such as "b"'],
  ])('refuses %s', (_what, patch, message) => expect(() => parsePatch(patch)).toThrow(message));
});
