// SPDX-License-Identifier: MIT
/** A build directory that Kconfig configures from a fragment of ours: Linux and Busybox alike. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import type { TaskContext } from '../engine/task.js';
import { isConfigured, versionOf } from './build-tools.js';
import { refused, withSymbols } from './kconfig.js';

export interface KconfigRequest {
  readonly build: string;
  /** make's arguments; with the compiler's version, what makes the directory worth keeping. */
  readonly make: readonly string[];
  readonly compiler: string;
  /** Files; together what is wanted, later ones over earlier ones. */
  readonly fragments: readonly string[];
  /** Symbols that are set otherwise than in the fragments. */
  readonly settings: Readonly<Record<string, string>>;
}

/** `run` makes `.config` from the file it is given. A directory that was configured in another way is emptied first. */
export async function configureByKconfig(
  context: TaskContext,
  { build, make, compiler, fragments, settings }: KconfigRequest,
  run: (file: string) => Promise<void>,
): Promise<void> {
  const how = JSON.stringify([make, await versionOf(compiler, context)]);
  const stamp = join(build, 'configured-as.json');
  if (!(await isConfigured(stamp, how))) await rm(build, { recursive: true, force: true });
  await mkdir(build, { recursive: true });
  const texts = await Promise.all(fragments.map((fragment) => readFile(fragment, 'utf8')));
  await makeConfig(context, withSymbols(texts.join('\n'), settings), build, fragments.join(' and '), run);
  await writeFile(stamp, how);
}

/** Makes `.config` from what is wanted, and sees to it that all of that is in it. `where`: what is wanted, for people. */
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
  // Not to be taken for configured the next time.
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
