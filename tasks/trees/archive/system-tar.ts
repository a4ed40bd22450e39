// SPDX-License-Identifier: MIT
/** Extraction by the host's GNU tar. */
import type { Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StopwatchError } from '../../../lib/errors.js';
import type { Processes } from '../../../lib/process/process.js';
import { decompressorFor } from './compression.js';
import { diskFull, interrupted } from '../fs-errors.js';

export interface TarDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
  /** Bytes of the archive read so far, and in all. */
  readonly onProgress: (done: number, total: number) => void;
  readonly log: (line: string) => void;
}

/**
 * Extracts an archive into an empty directory. `name`: what messages call it.
 * `hash` gets all of its bytes, the ones that tar got and those after its end.
 * verifyTree has to check names, links and kinds of files afterwards.
 *
 * No entry is checked beforehand, which would cost a second decompression or,
 * in JavaScript, ten times the time. It is safe because GNU tar never
 * writes above its directory. It takes a leading '/' or '../' off the names of
 * members and of hard links and says so, and that is enough for us to refuse
 * the whole. A symbolic link that is absolute or has '..' in it is kept back
 * as an empty file until everything else has been written, so that nothing
 * can be written through it; the others stay within. What is then wrong with
 * the tree (links that lead out, devices, set-user-ID) is found by one pass
 * over the symbolic links and oddities, in a directory that no other user may
 * enter and that never gets its name.
 */
export async function extractWithTar(
  archive: string,
  directory: string,
  exclude: readonly string[],
  deps: TarDeps,
  { hash, name = archive }: { readonly hash?: Hash | undefined; readonly name?: string } = {},
): Promise<void> {
  const decompressor = await decompressorFor(archive, name);
  const tar = await findGnuTar(deps);
  const args = [
    '--extract',
    '--file=-',
    `--directory=${directory}`,
    '--no-same-owner',
    // Applies the umask; without set-user-ID bits.
    '--no-same-permissions',
    '--delay-directory-restore',
    '--warning=no-timestamp',
    ...(decompressor === undefined ? [] : [`--use-compress-program=${decompressor.join(' ')}`]),
    // Anchored below the top directory, whatever that is called.
    '--anchored',
    '--no-wildcards-match-slash',
    ...exclude.flatMap((pattern) => [`--exclude=*/${pattern}`, `--exclude=./*/${pattern}`]),
  ];
  // The user's own TAR_OPTIONS and XZ_OPT would change what these options mean.
  const env = { ...deps.env, LC_ALL: 'C', TAR_OPTIONS: '', XZ_OPT: '', XZ_DEFAULTS: '' };
  const file = await open(archive);
  try {
    const child = await deps.processes.spawn(
      { file: tar, args, env },
      { signal: deps.signal, stdin: 'pipe' },
    );
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (lines.length < 100) lines.push(line);
        deps.log(line);
      });
    }
    const { size } = await file.stat();
    let done = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, callback) {
        done += chunk.length;
        hash?.update(chunk);
        deps.onProgress(done, size);
        callback(null, chunk);
      },
    });
    const feed = pipeline(chunksOf(file), count, pipeOf(child.stdin)).catch((error: unknown) => error);
    const exit = await child.exited;
    await feed;
    if (deps.signal.aborted) throw interrupted(`extracting ${name}`);
    const failure = explainTar(name, directory, lines, exit.exitCode);
    if (failure !== undefined) throw failure;
    if (hash !== undefined) await hashFrom(file, done, hash);
  } finally {
    await file.close();
  }
}

/** tar reads no further than to the archive's own end. */
async function hashFrom(file: FileHandle, position: number, hash: Hash): Promise<void> {
  for await (const chunk of chunksOf(file, position)) hash.update(chunk);
}

/** Unlike a stream of Node's, it leaves the file open when it is not read to its end. */
async function* chunksOf(file: FileHandle, position = 0): AsyncGenerator<Buffer> {
  for (let at = position; ; ) {
    const buffer = Buffer.allocUnsafe(1 << 18);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** A pipe that was asked for is there. */
export function pipeOf<T>(stream: T | null): T {
  if (stream === null) throw new TypeError('Expected a pipe');
  return stream;
}

/** What went wrong, from what GNU tar printed in the C locale; undefined when all is well. */
export function explainTar(
  archive: string,
  directory: string,
  lines: readonly string[],
  exitCode: number | undefined,
): StopwatchError | undefined {
  const line = (pattern: RegExp): string | undefined => lines.find((text) => pattern.test(text));
  const outside = line(/Removing leading|contains '\.\.'/);
  if (outside !== undefined) {
    return new StopwatchError(
      'unsafe-archive',
      `${archive} is refused: it has names outside of its directory`,
      {
        hint: 'Nothing of it was kept. Check where this archive comes from, and its sha256 in the configuration.',
        lastLines: lines.slice(0, 10),
      },
    );
  }
  if (exitCode === 0) return undefined;
  if (line(/No space left on device|Disk quota exceeded|Wrote only \d+ of \d+ bytes/) !== undefined) {
    return diskFull(`extract ${archive}`, directory);
  }
  const denied = line(/Permission denied|Read-only file system|Operation not permitted/);
  if (denied !== undefined) {
    return new StopwatchError(
      'permission-denied',
      `Could not extract ${archive} into ${directory}: ${denied}`,
    );
  }
  const program = /tar \(\w+\): (\S+)[^:]*: Cannot exec: No such file/.exec(lines.join('\n'))?.[1];
  if (program !== undefined) {
    return new StopwatchError(
      'command-not-found',
      `Could not extract ${archive}: ${program} is not installed`,
      {
        hint: `Install the host package that has ${program}, then run the same command again.`,
      },
    );
  }
  const cutOff = line(/Unexpected end of (input|file)|[Uu]nexpected (end of file|EOF)|premature end/);
  const why = cutOff === undefined ? 'tar could not read it' : 'it is cut off or damaged';
  return new StopwatchError('extract-failed', `Could not extract ${archive}: ${why}`, {
    hint: 'Nothing of it was kept. Remove the archive and run the same command again to download it again.',
    lastLines: lines.slice(-10),
  });
}

/** Makes sure that the host's tar is GNU's: extraction relies on its refusals. */
export async function findGnuTar(deps: Pick<TarDeps, 'processes' | 'signal' | 'env'>): Promise<string> {
  const command = { file: 'tar', args: ['--version'], env: deps.env };
  const { stdout } = await deps.processes.run(command, { signal: deps.signal, capture: true });
  if (stdout.includes('GNU tar')) return 'tar';
  if (deps.signal.aborted) throw interrupted('looking for GNU tar');
  throw new StopwatchError('command-not-found', `Expected GNU tar, got ${stdout.split('\n', 1)[0] ?? ''}`, {
    hint: 'Install GNU tar (package tar).',
  });
}
