// SPDX-License-Identifier: MIT
/** Kconfig for Linux and Busybox: configuring a build directory from fragments, and checking what became of them. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import type { TaskContext } from '../engine/task.js';
import { isConfigured, versionOf } from './build-tools.js';

const SET = /^(CONFIG_\w+)=(.*)$/;
const UNSET = /^# (CONFIG_\w+) is not set$/;

/** Symbol → value as Kconfig writes it ('y', 'm', '"text"', '42'), 'n' for one that is not set. */
export function parseKconfig(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const set = SET.exec(line);
    const unset = UNSET.exec(line);
    if (set?.[1] !== undefined && set[2] !== undefined) values.set(set[1], set[2]);
    else if (unset?.[1] !== undefined) values.set(unset[1], 'n');
  }
  return values;
}

/** The fragment with these symbols changed. */
export function withSymbols(fragment: string, symbols: Readonly<Record<string, string>>): string {
  const values = parseKconfig(fragment);
  for (const [symbol, value] of Object.entries(symbols)) values.set(symbol, value);
  return [...values]
    .map(([symbol, value]) => (value === 'n' ? `# ${symbol} is not set\n` : `${symbol}=${value}\n`))
    .join('');
}

interface Refused {
  readonly symbol: string;
  readonly wanted: string;
  /** 'n' when the symbol is not there at all. */
  readonly got: string;
}

/** Wanted symbols that the final configuration does not have: Kconfig silently drops one that lacks a dependency. */
export function refused(fragment: string, final: string): Refused[] {
  const got = parseKconfig(final);
  return [...parseKconfig(fragment)]
    .map(([symbol, wanted]) => ({ symbol, wanted, got: got.get(symbol) ?? 'n' }))
    .filter(({ wanted, got: value }) => wanted !== value);
}

interface KconfigRequest {
  readonly build: string;
  /** make's arguments. With the same ones and the same compiler, the directory is kept. */
  readonly make: readonly string[];
  readonly compiler: string;
  /** Files; later ones override earlier ones. */
  readonly fragments: readonly string[];
}

/** `run` makes `.config` from the file it gets. Empties a directory that was configured in another way first. */
export async function configureByKconfig(
  context: TaskContext,
  { build, make, compiler, fragments }: KconfigRequest,
  run: (file: string) => Promise<void>,
): Promise<void> {
  const how = JSON.stringify([make, await versionOf(compiler, context)]);
  const stamp = join(build, 'configured-as.json');
  if (!(await isConfigured(stamp, how))) await rm(build, { recursive: true, force: true });
  await mkdir(build, { recursive: true });
  const texts = await Promise.all(fragments.map((fragment) => readFile(fragment, 'utf8')));
  await makeConfig(context, withSymbols(texts.join('\n'), {}), build, fragments.join(' and '), run);
  await writeFile(stamp, how);
}

/** Makes `.config`, and checks that it has every wanted symbol. `where`: the fragments, for people. */
async function makeConfig(
  context: TaskContext,
  wanted: string,
  build: string,
  where: string,
  run: (file: string) => Promise<void>,
): Promise<void> {
  const file = join(build, 'wanted.config');
  await writeFile(file, wanted);
  await run(file);
  const config = join(build, '.config');
  const missing = refused(wanted, await readFile(config, 'utf8'));
  if (missing.length === 0) return;
  // The next run must not take it for configured.
  await rename(config, join(build, 'refused.config'));
  const [first] = missing;
  throw new StopwatchError(
    'bad-config',
    `Kconfig did not take ${missing.length} of the settings in ${where}: expected ${first?.symbol}=${first?.wanted}, got ${first?.got}`,
    {
      hint: 'A symbol is misspelt, gone from this version, or lacks something it depends on.',
      lastLines: missing.map(({ symbol, wanted: value, got }) => `${symbol}: expected ${value}, got ${got}`),
      log: context.logFile,
    },
  );
}
