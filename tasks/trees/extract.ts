// SPDX-License-Identifier: MIT
/** Extracts an archive into a directory, completely or not at all. */
import { readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { flush } from '../../lib/files/atomic.js';
import { sha256File } from '../../lib/files/sha256.js';
import type { TaskContext } from '../engine/task.js';

interface ExtractRequest {
  readonly archive: string;
  /** Of the archive, which was verified when it was downloaded, and may have changed since. */
  readonly sha256: string;
  /** What the archive's one top directory becomes. */
  readonly directory: string;
  /** tar patterns below the top directory; `*` does not cross a '/', a directory goes with all that is in it. */
  readonly exclude: readonly string[];
  /** Called with the new content before it gets its name. */
  readonly prepare: (directory: string) => Promise<void>;
}

/**
 * Extracts a source release. Modification times are the archive's, the owner is the user, rights follow the umask.
 * GNU tar writes nothing above its directory and recognises the compression itself. The caller holds the lock of the
 * work directory: what a killed run has left is removed.
 */
export async function extractRelease(
  { archive, sha256, directory, exclude, prepare }: ExtractRequest,
  { exec, signal }: Pick<TaskContext, 'exec' | 'signal'>,
): Promise<void> {
  const got = await sha256File(archive, signal);
  if (got !== sha256) {
    throw new StopwatchError(
      'checksum-mismatch',
      `${archive} is not what was verified before: expected sha256 ${sha256}, got ${got}`,
      { hint: 'Remove it and run the same command again to download it again.' },
    );
  }
  const partial = `${directory}.partial`;
  // Node takes several seconds for the Linux tree, rm one.
  await exec('rm', ['-rf', '--', partial]);
  await exec('mkdir', ['-p', '--', partial]);
  await exec(
    'tar',
    [
      '--extract',
      `--file=${archive}`,
      // tar takes a colon in the name for a remote host.
      '--force-local',
      `--directory=${partial}`,
      '--no-same-owner',
      '--no-same-permissions',
      '--warning=no-timestamp',
      '--anchored',
      '--no-wildcards-match-slash',
      ...exclude.flatMap((pattern) => [`--exclude=*/${pattern}`, `--exclude=./*/${pattern}`]),
    ],
    // Every processor where the file was written in blocks, as the Linux releases are.
    { env: { XZ_DEFAULTS: '-T0' } },
  );
  const [top, ...others] = await readdir(partial, { withFileTypes: true });
  if (top?.isDirectory() !== true || others.length > 0) {
    throw new StopwatchError(
      'extract-failed',
      `${archive} is no source release: expected one directory at its top, got ${[top, ...others].length} entries`,
    );
  }
  const content = join(partial, top.name);
  await prepare(content);
  // After a power failure, no named tree holds empty files.
  await exec('sync', ['-f', content]);
  await rename(content, directory);
  await flush(dirname(directory));
  await exec('rm', ['-rf', '--', partial]);
}
