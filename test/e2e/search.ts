// SPDX-License-Identifier: MIT
/** `fuzz` and `mutants` in the laboratory's project, with their JSON documents. */
import { laboratory } from './laboratory.js';
import { type Ended, start } from './project.js';

export interface Fuzzed {
  readonly operations: number;
  readonly decisions?: {
    readonly total: number;
    readonly reached: number;
    readonly missed: readonly string[];
  };
  readonly hostClock?: { readonly wrong?: string };
  readonly trace?: { readonly shortest?: number; readonly script?: string };
  readonly finding?: { readonly shortest: number; readonly script: string; readonly compared: string };
}

export interface Judgement {
  readonly mutants: number;
  readonly killed: number;
  readonly killedByBoot: Readonly<Record<string, number>>;
}

async function run(command: string, args: readonly string[], device = 'stopwatch'): Promise<Ended> {
  const { project } = laboratory();
  return start('npx', ['stopwatch', command, '--device', device, '--json', ...args], {
    cwd: project.directory,
    env: project.env,
  }).ended;
}

export async function fuzz(...args: readonly string[]): Promise<{ code: number | null; document: Fuzzed }> {
  const { code, out } = await run('fuzz', args);
  return { code, document: JSON.parse(out) };
}

/** The same for `rngboi`. */
export async function fuzzRngboi(
  ...args: readonly string[]
): Promise<{ code: number | null; document: Fuzzed }> {
  const { code, out } = await run('fuzz', args, 'rngboi');
  return { code, document: JSON.parse(out) };
}

export async function mutants(
  ...args: readonly string[]
): Promise<{ code: number | null; document: Judgement }> {
  const { code, out } = await run('mutants', args);
  return { code, document: JSON.parse(out) };
}
