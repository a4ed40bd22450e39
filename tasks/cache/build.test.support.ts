// SPDX-License-Identifier: MIT
/** A dozen files, compiled by the real ccache and gcc, with a shared cache. */
import { execFile } from 'node:child_process';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createCompileCache } from './compile-cache.js';
import type { Credentials } from './store.js';

export const FILES = 12;
/** Of these, files without a header: for one, ccache 4.7 gives both of its entries one key. */
export const BARE = 2;
const run = promisify(execFile);

export interface Build {
  /** In which a directory of its own is made. */
  readonly root: string;
  readonly address: string;
  readonly credentials?: Credentials;
  readonly readOnly?: boolean;
  readonly timeoutSeconds?: number;
  /** What is compiled; other text, other results. */
  readonly text?: string;
  /** Between the first half of the files and the second. */
  readonly halfway?: () => Promise<void>;
}

/** Compiles in a new directory with an empty local cache, one file after the other. */
export async function build({
  root,
  address,
  credentials = {},
  readOnly = false,
  timeoutSeconds = 2,
  text = 'a',
  halfway,
}: Build) {
  const directory = mkdtempSync(join(root, 'build-'));
  const warnings: string[] = [];
  const cache = await createCompileCache({
    settings: { remote: address, readOnly, timeoutSeconds },
    work: directory,
    jobs: 1,
    credentials,
    warn: (warning) => warnings.push(warning),
    features: async () => (await run('ccache', ['--version'])).stdout,
  });
  const env = environmentOf(directory, cache.env);
  cache.start();
  for (let index = 0; index < FILES; index++) {
    if (index === FILES / 2) await halfway?.();
    await compile(directory, index, text, env);
  }
  cache.stop();
  await cache.finish({ hurry: false });
  const use = cache.use();
  if (use?.remote == null) throw new Error('Expected figures of a shared cache');
  return { ...use, remote: use.remote, warnings, env, directory };
}

export function environmentOf(
  directory: string,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    CCACHE_DIR: join(directory, 'ccache'),
    CCACHE_DEPEND: '1',
    CCACHE_BASEDIR: directory,
    CCACHE_NOHASHDIR: '1',
    ...more,
  };
}

export async function compile(
  directory: string,
  index: number,
  text: string,
  env: Record<string, string>,
): Promise<void> {
  const name = `f${index}`;
  writeFileSync(join(directory, 'text.h'), `#define TEXT "${text}"\n`);
  const source =
    index < BARE
      ? `const char *${name}(void) { return "${text}${index}"; }\n`
      : `#include "text.h"\nconst char *${name}(void) { return TEXT "${index}"; }\n`;
  writeFileSync(join(directory, `${name}.c`), source);
  await run('ccache', ['gcc', '-MMD', '-c', `${name}.c`, '-o', `${name}.o`], { env, cwd: directory });
  if (statSync(join(directory, `${name}.o`)).size === 0) throw new Error(`${name}.o is empty`);
}
