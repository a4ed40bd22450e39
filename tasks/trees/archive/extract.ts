// SPDX-License-Identifier: MIT
/** Archives become directories: complete and looked over, or absent. */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StopwatchError } from '../../../lib/errors.js';
import { errnoOf } from '../../../lib/errno.js';
import { diskFull, explainFsError, interrupted, isMissing } from '../fs-errors.js';
import { syncPath } from '../download/store.js';
import { extractWithTar, type TarDeps } from './system-tar.js';
import { verifyTree } from './verify-tree.js';

export type ExtractDeps = TarDeps;

export interface ExtractRequest {
  readonly archive: string;
  /** Of the archive, which was verified when it was downloaded, and may have been another one since. */
  readonly sha256: string;
  /** What the archive's content becomes. Its parent must be on the same file system, and is made if need be. */
  readonly directory: string;
  /** Take away what is at `directory` already, once the new content is whole; without it, that is refused. */
  readonly replace?: boolean;
  /** Called with the new content once it has been looked over, before it gets its name. */
  readonly prepare?: ((directory: string) => Promise<void>) | undefined;
}

/**
 * Extracts a source release; its one top directory becomes `directory`.
 * `exclude`: tar patterns below the top directory; `*` does not cross a '/',
 * a directory goes with all that is in it.
 *
 * Modification times are the archive's, the owner is the user, rights follow
 * the umask. Throws StopwatchError: extract-failed, checksum-mismatch, unsafe-archive, disk-full,
 * permission-denied, command-not-found, bad-source-tree, interrupted. The caller
 * holds the lock of the work directory: leftovers of earlier runs are removed.
 */
export async function extractRelease(
  request: ExtractRequest & { readonly exclude: readonly string[] },
  deps: ExtractDeps,
): Promise<void> {
  await completeOrAbsent(request, deps, async (partial) => {
    const hash = createHash('sha256');
    await extractWithTar(request.archive, partial, request.exclude, deps, { hash });
    assertSum(request, hash);
    const entries = await readdir(partial, { withFileTypes: true });
    const [top] = entries;
    if (entries.length !== 1 || top === undefined || !top.isDirectory()) {
      const got = entries.map((entry) => entry.name);
      throw new StopwatchError(
        'extract-failed',
        `${request.archive} is no source release: expected one directory at its top, got ${got.slice(0, 5).join(', ') || 'nothing'}${got.length > 5 ? ', …' : ''}`,
      );
    }
    return join(partial, top.name);
  });
}

/** Extracts what a Debian package (.deb) would install into `directory`, without root and without running its scripts. Otherwise as extractRelease. */
export async function extractDebianPackage(request: ExtractRequest, deps: ExtractDeps): Promise<void> {
  const name = resolve(request.archive);
  await completeOrAbsent(request, deps, async (partial) => {
    // ar reads a file by its name: it gets one that nobody else can change.
    const own = join(partial, 'package.deb');
    const hash = createHash('sha256');
    await pipeline(
      createReadStream(name),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(own, { flags: 'wx' }),
      { signal: deps.signal },
    );
    assertSum(request, hash);
    const data = await packageData(own, name, partial, deps);
    const content = join(partial, 'content');
    await mkdir(content);
    await extractWithTar(data, content, [], deps, { name });
    return content;
  });
}

function assertSum({ archive, sha256 }: ExtractRequest, hash: Hash): void {
  const got = hash.digest('hex');
  if (got === sha256) return;
  throw new StopwatchError(
    'checksum-mismatch',
    `${archive} is not what was verified before: expected sha256 ${sha256}, got ${got}`,
    { hint: 'Nothing of it was kept. Remove it and run the same command again to download it again.' },
  );
}

/** Takes `data.tar.*` out of a Debian package, which is an `ar` archive (deb(5)). Gives its path. `name`: for messages. */
async function packageData(
  archive: string,
  name: string,
  directory: string,
  deps: ExtractDeps,
): Promise<string> {
  const env = { ...deps.env, LC_ALL: 'C' };
  const ar = async (operation: string, ...names: string[]): Promise<readonly string[]> => {
    const lines: string[] = [];
    const command = { file: 'ar', args: [operation, archive, ...names], cwd: directory, env };
    const { signal } = deps;
    const exit = await deps.processes.run(command, { signal, onLine: (line) => lines.push(line) });
    if (signal.aborted) throw interrupted(`extracting ${name}`);
    if (exit.exitCode === 0) return lines;
    if (lines.some((line) => line.includes('No space left on device')))
      throw diskFull(`extract ${name}`, directory);
    throw badPackage(name, lines.join('; '));
  };
  const members = await ar('t');
  const data = members.find((member) => /^data\.tar(\.\w+)?$/.test(member));
  if (data === undefined)
    throw badPackage(name, `expected a member data.tar.*, got ${members.join(', ') || 'none'}`);
  await ar('x', data);
  return join(directory, data);
}

function badPackage(archive: string, why: string): StopwatchError {
  return new StopwatchError('extract-failed', `${archive} is not a Debian package: ${why}`, {
    hint: 'Remove it and run the same command again.',
  });
}

/** Lets `fill` work in a directory beside the final one; what it gives back is looked over, flushed and renamed. */
async function completeOrAbsent(
  request: ExtractRequest,
  deps: ExtractDeps,
  fill: (partial: string) => Promise<string>,
): Promise<void> {
  const directory = resolve(request.directory);
  const parent = dirname(directory);
  const prefix = `${basename(directory)}.partial-`;
  try {
    await mkdir(parent, { recursive: true });
    for (const name of await readdir(parent)) {
      if (name.startsWith(prefix)) await remove(join(parent, name), deps);
    }
    if (request.replace !== true && (await exists(directory))) {
      throw new StopwatchError(
        'bad-source-tree',
        `Could not extract ${request.archive}: ${directory} is there already`,
        {
          hint: 'Move it away, or remove it if nothing in it is yours.',
        },
      );
    }
    const partial = join(parent, prefix + randomBytes(4).toString('hex'));
    // Nobody else may look in until it has been looked over.
    await mkdir(partial, { mode: 0o700 });
    try {
      const content = await fill(partial);
      await verifyTree(content, request.archive, deps);
      await request.prepare?.(content);
      await flush(content, deps);
      if (request.replace === true) await moveAside(directory, join(partial, '.replaced'));
      await rename(content, directory);
      await syncPath(parent);
    } finally {
      // After an interrupt there is no time: the next run removes it.
      if (!deps.signal.aborted) await remove(partial, deps);
    }
  } catch (error) {
    throw explainFsError(error, `extract ${request.archive}`, directory);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await readdir(path);
    return true;
  } catch (error) {
    if (errnoOf(error).code === 'ENOENT') return false;
    if (errnoOf(error).code === 'ENOTDIR') return true;
    throw error;
  }
}

async function moveAside(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Flushes the file system of the tree, so that after a power failure no named tree holds empty files. Best effort. */
async function flush(tree: string, deps: ExtractDeps): Promise<void> {
  await deps.processes.run({ file: 'sync', args: ['-f', tree], env: deps.env }, { signal: deps.signal });
  if (deps.signal.aborted) throw interrupted(`flushing ${tree}`);
}

/** `rm -rf` takes a second for the Linux tree, Node.js several. Rights are opened first: a tree may be its owner's enemy. */
async function remove(path: string, deps: ExtractDeps): Promise<void> {
  const run = (file: string, args: readonly string[]) =>
    deps.processes.run({ file, args, env: deps.env }, { signal: deps.signal });
  if ((await run('rm', ['-rf', '--', path])).exitCode === 0) return;
  await run('chmod', ['-R', 'u+rwX', '--', path]);
  const exit = await run('rm', ['-rf', '--', path]);
  if (exit.exitCode !== 0 && !deps.signal.aborted) {
    throw new StopwatchError('extract-failed', `Could not remove the leftover ${path}`, {
      hint: 'Remove it by hand and run the same command again.',
    });
  }
}
