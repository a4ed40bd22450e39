// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CompilerErrors, compilerErrorText, sourcePath } from './compiler-errors.js';

describe('errors of compilers', () => {
  it('are kept once each, with their source, without what make says', () => {
    const errors = new CompilerErrors();
    const lines = [
      'make[3]: Entering directory',
      "/w/led.c: In function 'led_write':",
      "/w/led.c:7:5: error: expected ';' before 'return'",
      '    7 |     x = 1',
      '      |          ^',
      '/w/led.c:7:5: warning: unused',
      "/w/led.c:7:5: error: expected ';' before 'return'",
      "/usr/bin/ld: led.c:9: undefined reference to `f'",
      'make[2]: *** [Makefile:1: led.o] Error 1',
    ];
    for (const line of lines) errors.line(line);
    const [first, second, ...others] = errors.found;
    expect(others).toEqual([]);
    expect(first).toMatchObject({ line: 7, column: 5, source: ['    7 |     x = 1', '      |          ^'] });
    expect(first && compilerErrorText(first, 'device/led.c')).toBe(
      "device/led.c:7:5: error: expected ';' before 'return'",
    );
    expect(second).toMatchObject({ file: 'led.c', line: 9, message: "undefined reference to `f'" });
  });

  it('are at the place of the source in the repository, which is linked into the tree', () => {
    const root = mkdtempSync(join(tmpdir(), 'errors-'));
    try {
      mkdirSync(join(root, 'driver'));
      mkdirSync(join(root, 'build'));
      writeFileSync(join(root, 'driver', 'led.c'), '');
      symlinkSync(join(root, 'driver', 'led.c'), join(root, 'build', 'led.c'));
      const where = { root, directories: [join(root, 'build')] };
      expect(sourcePath('led.c', where)).toBe('driver/led.c');
      expect(sourcePath(join(root, 'build', 'led.c'), where)).toBe('driver/led.c');
      expect(sourcePath('none.c', where)).toBe('none.c');
      expect(sourcePath('/dev/null', where)).toBe('/dev/null');
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
