// SPDX-License-Identifier: MIT
/** Small archives, by the `tar` package: every entry is looked at before the first one is written. */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { extract, list } from 'tar';
import { StopwatchError } from '../../../lib/errors.js';
import type { Processes } from '../../../lib/process/process.js';
import { entryChecker } from './archive-entries.js';
import { decompressorFor } from './compression.js';
import { explainFsError, interrupted } from '../fs-errors.js';
import { pipeOf } from './system-tar.js';

export interface SmallTarDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
}

/** A part of a file. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/** Writes the decompressed bytes of a part of a file to `to`, by the host's decompressor. */
export async function decompressTo(from: FileRange, to: string, deps: SmallTarDeps): Promise<void> {
  const program = await decompressorFor(from.path, from.offset);
  const input = createReadStream(from.path, { start: from.offset, end: from.offset + from.size - 1 });
  if (program === undefined) return pipeline(input, createWriteStream(to), { signal: deps.signal });
  const [file, ...args] = program;
  const child = await deps.processes.spawn(
    { file, args: [...args, '-d', '-c'], env: { ...deps.env, LC_ALL: 'C' } },
    { signal: deps.signal, stdin: 'pipe' },
  );
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    if (said.length < 1000) said += data.toString();
  });
  const fed = pipeline(input, pipeOf(child.stdin)).catch(() => undefined);
  const written = pipeline(pipeOf(child.stdout), createWriteStream(to)).then(
    () => undefined,
    (error: unknown) => explainFsError(error, 'decompress', to),
  );
  const [exit, failure] = await Promise.all([child.exited, written, fed]);
  if (deps.signal.aborted) throw interrupted(`extracting ${from.path}`);
  if (failure instanceof Error) throw failure;
  if (exit.exitCode !== 0) throw unreadable(from.path, `${file} said: ${said.trim()}`);
}

/**
 * Extracts an uncompressed tar file into an empty directory. Throws
 * StopwatchError 'unsafe-archive' before anything is written, or 'extract-failed'.
 */
export async function extractSmall(archive: string, tarFile: string, directory: string): Promise<void> {
  const check = entryChecker();
  const problems: string[] = [];
  await reading(archive, () =>
    list({
      file: tarFile,
      strict: true,
      onReadEntry: ({ path, type, linkpath }) => {
        const problem = check({ path, type, linkpath });
        if (problem !== undefined) problems.push(`${path}: ${problem}`);
      },
    }),
  );
  if (problems.length > 0) {
    throw new StopwatchError('unsafe-archive', `${archive} is refused: ${problems[0]}`, {
      hint: 'Nothing of it was kept. Check where this archive comes from, and its sha256 in the configuration.',
      lastLines: problems.slice(0, 10),
    });
  }
  await reading(archive, () =>
    extract({
      file: tarFile,
      cwd: directory,
      strict: true,
      preserveOwner: false,
      onReadEntry: (entry) => {
        if (entry.mode !== undefined) entry.mode &= 0o777;
      },
    }),
  );
}

async function reading(archive: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const explained = explainFsError(error, 'extract', archive);
    if (explained instanceof StopwatchError) throw explained;
    throw unreadable(archive, error instanceof Error ? error.message : String(error), error);
  }
}

function unreadable(archive: string, why: string, cause?: unknown): StopwatchError {
  return new StopwatchError('extract-failed', `Could not extract ${archive}: ${why}`, {
    hint: 'Nothing of it was kept. Remove the archive and run the same command again to download it anew.',
    cause,
  });
}
