// SPDX-License-Identifier: MIT
/** The commands and changes on a page of docs/, done in their order as a reader would do them. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CHECKOUT } from './laboratory.js';
import { type Project, start } from './project.js';

/** What a command that matches must print. */
export type Printed = readonly (readonly [command: RegExp, output: RegExp])[];

/** A block of the page: commands, a diff, or with a name a file. */
interface Block {
  readonly kind: string;
  readonly name: string | undefined;
  readonly text: string;
}

/** `made`: files that the commands leave behind in the project. */
export async function runCommandsOf(
  page: string,
  { directory, env }: Pick<Project, 'directory' | 'env'>,
  { printed, made = [] }: { readonly printed: Printed; readonly made?: readonly string[] },
): Promise<void> {
  const text = readFileSync(join(CHECKOUT, page), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(
    ([, kind = '', name, content = '']): Block => ({ kind, name, text: content }),
  );
  expect(blocks.length).toBeGreaterThan(0);
  const met = new Set<RegExp>();
  const written = made.map((file) => join(directory, file));
  // A page may go on in another directory.
  let cwd = directory;
  const run = async (line: string, input = ''): Promise<void> => {
    const [, to] = /^cd (\S+)$/.exec(line) ?? [];
    if (to !== undefined) {
      cwd = join(cwd, to);
      return;
    }
    const { code, out, err } = await start('sh', ['-c', line], { cwd, env, input }).ended;
    expect(code, `${line}\n${input}${out}\n${err}`).toBe(0);
    for (const [command, output] of printed) {
      if (!command.test(line)) continue;
      expect(out, line).toMatch(output);
      met.add(command);
    }
  };
  try {
    for (const { kind, name, text: content } of blocks) {
      if (name !== undefined) {
        const file = join(cwd, name);
        written.push(file);
        writeFileSync(file, content);
        if (kind === 'sh') chmodSync(file, 0o755);
      } else if (kind === 'diff') await run('patch -p0 --fuzz=0', content);
      // What needs another terminal, or long, has tests of its own.
      else if (kind !== 'console') {
        expect(kind).toBe('sh');
        for (const line of content.trim().split('\n')) await run(line);
      }
    }
  } finally {
    for (const file of written) rmSync(file, { force: true });
  }
  expect(printed.flatMap(([command]) => (met.has(command) ? [] : String(command)))).toEqual([]);
}
