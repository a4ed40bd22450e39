// SPDX-License-Identifier: MIT
/** A directory that only this user can enter, for a run's sockets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `sun_path` is 108 bytes, with the NUL that ends it. */
const MAX_SOCKET_PATH = 107;
/** The name that mkdtemp adds, a slash, and the longest socket name. */
const NAME_LENGTH = 'stopwatch-XXXXXX/'.length + 16;

/** True if the path of a socket below this directory fits. */
export function shortEnough(directory: string): boolean {
  return Buffer.byteLength(directory) + 1 + NAME_LENGTH <= MAX_SOCKET_PATH;
}

/** Creates it (mode 0700) below `preferred`, or in the system's temporary directory if that path is too long. */
export async function makePrivateDirectory(
  preferred: string,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const parent = [preferred, tmpdir()].find(shortEnough) ?? '/tmp';
  const path = await mkdtemp(join(parent, 'stopwatch-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
