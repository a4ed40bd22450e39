// SPDX-License-Identifier: MIT
/** The rows on a real pseudo-terminal, made by script(1). */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../config/paths.js';

const program = `--import jiti/register ${join(packageRoot(), 'tasks/report/terminal.test.support.ts')}`;

/** Everything that was written to a terminal of that size. */
async function written(
  columns: number,
  rows: number,
  args = '',
  env: Record<string, string> = {},
): Promise<string> {
  const line = `stty cols ${columns} rows ${rows}; exec ${process.execPath} ${program} ${args}`;
  return new Promise((resolve, reject) => {
    execFile(
      'script',
      ['-qec', line, '/dev/null'],
      { env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...env }, encoding: 'utf8' },
      (error, out) => (error === null ? resolve(out) : reject(error)),
    );
  });
}

/** What is on the screen in the end, colours aside. Knows the few sequences that rows are drawn with. */
function screen(text: string): string[] {
  const lines = [''];
  let row = 0;
  let column = 0;
  for (const [part, up] of text.matchAll(
    // eslint-disable-next-line no-control-regex -- the sequences of a terminal
    /\u001B\[(\d*)A|\u001B\[2K|\u001B\[G|\u001B\[[?\d;]*[a-zA-Z]|\r|\n|[^\u001B\r\n]+/g,
  )) {
    if (part.endsWith('A') && part.startsWith('\u001B')) row = Math.max(0, row - Number(up || 1));
    else if (part === '\u001B[2K') lines[row] = '';
    else if (part === '\u001B[G' || part === '\r') column = 0;
    else if (part === '\n') {
      row++;
      lines[row] ??= '';
    } else if (!part.startsWith('\u001B')) {
      const line = (lines[row] ?? '').padEnd(column);
      lines[row] = line.slice(0, column) + part + line.slice(column + part.length);
      column += part.length;
    }
  }
  return lines.map((line) => line.trimEnd()).filter((line) => line !== '');
}

const END = [
  'Setting up bison',
  'Something to know',
  '✖ QEMU: build   1.30 s  failed',
  '✔ Linux: build  1.20 s',
  '  1 up to date, 1 not started, total 1.30 s',
];

test('rows move while tasks run; in the end only the summary is left', async () => {
  const text = await written(80, 24);
  const plain = stripVTControlCharacters(text);
  expect(plain).toMatch(/QEMU: build {2}\[\d+\/12\]/);
  expect(plain).toMatch(/› compiling part \d+ x+…/);
  expect(plain).toContain('1 up to date');
  expect(text).toContain('\u001B[31m✖\u001B[39m');
  expect(screen(text)).toEqual(END);
  expect(text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(text.lastIndexOf('\u001B[?25l'));
});

test('NO_COLOR: rows, but no colour', async () => {
  const text = await written(80, 24, '', { NO_COLOR: '1' });
  expect(text).toContain('\u001B[2K');
  expect(stripVTControlCharacters(text)).toContain('QEMU: build');
  expect(text.split('\u001B[').filter((part) => /^[\d;]*m/.test(part))).toEqual([]);
});

test('TERM=dumb: no control sequence at all', async () => {
  expect(await written(80, 24, '', { TERM: 'dumb' })).not.toContain('\u001B');
});

test('a narrow and low terminal: no row is wider, and nothing is left behind', async () => {
  const text = await written(30, 5);
  for (const line of stripVTControlCharacters(text).split(/[\r\n]+/)) {
    expect(line === 'Setting up bison' || line.length <= 30 || line.startsWith('  1 up to date'), line).toBe(
      true,
    );
  }
  expect(screen(text).filter((line) => line.includes('QEMU')).length).toBe(1);
});

test('nothing to do: no rows', async () => {
  const text = await written(80, 24, 'fresh');
  expect(screen(text)).toEqual(['Setting up bison', '  4 up to date, total 1.30 s']);
  expect(text).not.toContain('\u001B[?25l');
});
