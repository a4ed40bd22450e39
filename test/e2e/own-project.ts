// SPDX-License-Identifier: MIT
/** The project of docs/host-power.md, made by the commands of that page. */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { laboratory } from './laboratory.js';
import { CHECKOUT } from './prepare.js';
import { type Ended, type Project, projectIn, start } from './project.js';

export const NAME = 'powerswitch';
const page = readFileSync(join(CHECKOUT, 'docs', 'host-power.md'), 'utf8');
/** The page's shell commands, in order. */
export const blocks = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
const [init, install] = blocks;

export const own: Project = projectIn(join(laboratory().directory, NAME), laboratory().project.env);

/** Runs commands of the page in a shell that stops at the first one that fails. */
export async function typed(
  block: string | undefined,
  { cwd = own.directory, env = {} }: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  return start('sh', ['-e', '-c', block ?? 'false'], { cwd, env: { ...own.env, ...env } }).ended;
}

/** The same; they must succeed. Returns everything that was printed. */
export async function mustType(block: string | undefined, cwd = own.directory): Promise<string> {
  const { code, out, err } = await typed(block, { cwd });
  if (code !== 0) throw new Error(`exit code ${code}:\n${block}\n${out}\n${err}`);
  return (out + err).replaceAll('\r', '');
}

/** Makes the project and installs its packages. What was built there before is kept. */
export async function makeOwnProject(): Promise<void> {
  const { directory } = laboratory().project;
  const aside = `${own.directory}.work`;
  if (existsSync(own.work)) renameSync(own.work, aside);
  rmSync(own.directory, { recursive: true, force: true });
  await mustType(init, directory);
  if (existsSync(aside)) renameSync(aside, own.work);
  await mustType(install, directory);
}

/** Compiles its TypeScript without output. */
export async function checkTypes(): Promise<void> {
  await mustType('node_modules/.bin/tsc');
}
