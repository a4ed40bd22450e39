// SPDX-License-Identifier: MIT
/** The checksum of a file. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** The hexadecimal SHA-256 of a file. Rejects with the file system's error, or with the signal's reason. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: 1 << 20 }),
      hash,
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  return hash.digest('hex');
}
