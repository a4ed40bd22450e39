// SPDX-License-Identifier: MIT
/** A tar archive made in memory: what the Engine API wants for a build context and for files put into a container. */
import { Header } from 'tar';

const BLOCK = 512;

export interface ArchiveFile {
  /** Relative, without a leading slash; at most 100 bytes, so that no extended header is needed. */
  readonly path: string;
  readonly content: string;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
}

/** The archive's bytes: owner root, time 0, in the order given, so that equal files make equal archives. */
export function archive(files: readonly ArchiveFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, content, mode } of files) {
    const data = Buffer.from(content);
    const header = new Header({
      path,
      mode,
      size: data.length,
      type: 'File',
      uid: 0,
      gid: 0,
      mtime: new Date(0),
    });
    if (header.encode()) throw new Error(`Internal error: ${path} does not fit a plain tar header`);
    if (header.block === undefined) throw new Error('Internal error: tar made no header block');
    blocks.push(header.block, data, Buffer.alloc(-data.length & (BLOCK - 1)));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
