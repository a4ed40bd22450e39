// SPDX-License-Identifier: MIT
/** The commands on a page of docs/, run in their order in a project that has the files on the page. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CHECKOUT } from './laboratory.js';
import { type Project, start } from './project.js';

/** What a command that matches must print. */
export type Printed = readonly (readonly [command: RegExp, output: RegExp])[];

/** A block of the page: commands, or with a name a file. */
interface Block {
  readonly kind: string;
  readonly name: string | undefined;
  readonly text: string;
}

/** `made`: files that the commands leave behind. */
export async function runCommandsOf(
  page: string,
  project: Project,
  { printed, made = [] }: { readonly printed: Printed; readonly made?: readonly string[] },
): Promise<void> {
  const text = readFileSync(join(CHECKOUT, page), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(
    ([, kind = '', name, content = '']): Block => ({ kind, name, text: content }),
  );
  expect(blocks.length).toBeGreaterThan(0);
  const met = new Set<RegExp>();
  try {
    for (const block of blocks) await runBlock(block, project, { printed, met });
  } finally {
    for (const file of [...blocks.flatMap(({ name }) => name ?? []), ...made])
      rmSync(join(project.directory, file), { force: true });
  }
  expect(printed.flatMap(([command]) => (met.has(command) ? [] : String(command)))).toEqual([]);
}

async function runBlock(
  { kind, name, text }: Block,
  { directory, env }: Project,
  { printed, met }: { readonly printed: Printed; readonly met: Set<RegExp> },
): Promise<void> {
  if (name !== undefined) {
    writeFileSync(join(directory, name), text);
    if (kind === 'sh') chmodSync(join(directory, name), 0o755);
    return;
  }
  // What needs another terminal, or long, has tests of its own.
  if (kind === 'console') return;
  expect(kind).toBe('sh');
  for (const line of text.trim().split('\n')) {
    const { code, out, err } = await start('sh', ['-c', line], { cwd: directory, env }).ended;
    expect(code, `${line}\n${out}\n${err}`).toBe(0);
    for (const [command, output] of printed) {
      if (!command.test(line)) continue;
      expect(out, line).toMatch(output);
      met.add(command);
    }
  }
}
