// SPDX-License-Identifier: MIT
/** How an archive is compressed, told from its first bytes; a name can be anything. */
import { open } from 'node:fs/promises';
import { StopwatchError } from '../../../lib/errors.js';
import { explainFsError, isMissing } from '../fs-errors.js';

/** A program that filters standard input with `-d` for decompressing; undefined: plain tar. */
export type Decompressor = readonly [file: string, ...args: string[]] | undefined;

/** xz with -T0 uses every processor where the file was written in blocks, as the Linux releases are. */
const KINDS: readonly { readonly magic: Buffer; readonly at: number; readonly program: Decompressor }[] = [
  { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), at: 0, program: ['xz', '-T0'] },
  { magic: Buffer.from('BZh'), at: 0, program: ['bzip2'] },
  { magic: Buffer.from([0x1f, 0x8b]), at: 0, program: ['gzip'] },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), at: 0, program: ['zstd'] },
  { magic: Buffer.from('ustar'), at: 257, program: undefined },
];

/**
 * Reads the first bytes at `offset` of a file. Throws StopwatchError
 * 'extract-failed' when it is no archive that we know.
 */
export async function decompressorFor(path: string, offset = 0): Promise<Decompressor> {
  let head: Buffer;
  try {
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, offset);
      head = buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isMissing(error)) throw new StopwatchError('file-unreadable', `There is no archive at ${path}`);
    throw explainFsError(error, 'read the archive', path);
  }
  const kind = KINDS.find(({ magic, at }) => head.subarray(at, at + magic.length).equals(magic));
  if (kind !== undefined) return kind.program;
  const isPage = /^\s*<(!doctype|html|\?xml|head)/i.test(head.toString('latin1'));
  const got = isPage
    ? 'a web page'
    : head.length === 0
      ? 'nothing'
      : `bytes ${head.subarray(0, 8).toString('hex')}`;
  throw new StopwatchError(
    'extract-failed',
    `${path} is no archive: expected tar, alone or in xz, bzip2, gzip or zstd, got ${got}`,
    { hint: 'Remove it, check its address and sha256 in the configuration, and run the same command again.' },
  );
}
