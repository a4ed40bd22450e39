// SPDX-License-Identifier: MIT
/** A directory that only we can enter, for a run's sockets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `sun_path` is 108 bytes, with the NUL that ends it. */
const MAX_SOCKET_PATH = 107;
/** What mkdtemp adds, a slash, and the longest name that goes in. */
const ROOM = 'stopwatch-XXXXXX/'.length + 16;

/** Whether sockets may be made below this directory. */
export function shortEnough(directory: string): boolean {
  return Buffer.byteLength(directory) + 1 + ROOM <= MAX_SOCKET_PATH;
}

/** Makes it below `preferred`, or in the system's directory for temporary files if that path is too long (mode 0700). */
export async function makePrivateDirectory(
  preferred: string,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const parent = [preferred, tmpdir()].find(shortEnough) ?? '/tmp';
  const path = await mkdtemp(join(parent, 'stopwatch-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
