// SPDX-License-Identifier: MIT
/** Single files out of a release's archive. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decompressorFor } from './compression.js';
import type { ExtractDeps } from './extract.js';
import { interrupted } from '../fs-errors.js';
import { explainTar, findGnuTar } from './system-tar.js';

/** How the members' names may begin: with the top directory, or with './' and it. */
const TOPS = [
  { pattern: '*/', components: 1 },
  { pattern: './*/', components: 2 },
] as const;

/**
 * The content of these files, by their paths below the archive's top directory,
 * which must have nothing in them that is special in a pattern. One that is not
 * in the archive is missing from the answer. tar reads until it has seen all of
 * them. `partial`: a directory to work in, made and removed.
 */
export async function membersOf(
  archive: string,
  paths: readonly string[],
  partial: string,
  deps: ExtractDeps,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const decompressor = await decompressorFor(archive);
  const tar = await findGnuTar(deps);
  const run = async (top: (typeof TOPS)[number], wanted: readonly string[]): Promise<void> => {
    const lines: string[] = [];
    const args = [
      '--extract',
      `--file=${archive}`,
      `--directory=${partial}`,
      '--no-same-owner',
      '--no-same-permissions',
      '--warning=no-timestamp',
      ...(decompressor === undefined ? [] : [`--use-compress-program=${decompressor.join(' ')}`]),
      `--strip-components=${top.components}`,
      '--anchored',
      '--wildcards',
      '--no-wildcards-match-slash',
      // Stops at the last one of them, not at the end of the archive.
      '--occurrence=1',
      '--',
      ...wanted.map((path) => `${top.pattern}${path}`),
    ];
    // The user's own TAR_OPTIONS and XZ_OPT would change what these options mean.
    const env = { ...deps.env, LC_ALL: 'C', TAR_OPTIONS: '', XZ_OPT: '', XZ_DEFAULTS: '' };
    const exit = await deps.processes.run(
      { file: tar, args, env },
      { signal: deps.signal, onLine: (line) => lines.push(line) },
    );
    if (deps.signal.aborted) throw interrupted(`reading ${archive}`);
    const someMissing = lines.some((line) => line.includes('Not found in archive'));
    const failure = someMissing ? undefined : explainTar(archive, partial, lines, exit.exitCode);
    if (failure !== undefined) throw failure;
    for (const path of wanted) {
      const content = await readFile(join(partial, path)).catch(() => undefined);
      if (content !== undefined) found.set(path, content);
    }
  };
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  try {
    for (const top of TOPS) {
      const wanted = paths.filter((path) => !found.has(path));
      if (wanted.length > 0) await run(top, wanted);
    }
    return found;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
