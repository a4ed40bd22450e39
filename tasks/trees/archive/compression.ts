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

/** Throws StopwatchError 'extract-failed' for an archive of an unknown kind. `name`: what messages call the file. */
export async function decompressorFor(path: string, name: string = path): Promise<Decompressor> {
  const head = Buffer.alloc(512);
  let size: number;
  try {
    const handle = await open(path);
    size = (await handle.read(head)).bytesRead;
    await handle.close();
  } catch (error) {
    if (isMissing(error)) throw new StopwatchError('file-unreadable', `There is no archive at ${name}`);
    throw explainFsError(error, 'read the archive', name);
  }
  const kind = KINDS.find(({ magic, at }) => head.subarray(at, at + magic.length).equals(magic));
  if (kind !== undefined) return kind.program;
  const isPage = /^\s*<(!doctype|html|\?xml|head)/i.test(head.toString('latin1'));
  const bytes = size === 0 ? 'nothing' : `bytes ${head.subarray(0, Math.min(size, 8)).toString('hex')}`;
  throw new StopwatchError(
    'extract-failed',
    `${name} is no archive: expected tar, alone or in xz, bzip2, gzip or zstd, got ${isPage ? 'a web page' : bytes}`,
    { hint: 'Remove it, check its address and sha256 in the configuration, and run the same command again.' },
  );
}
