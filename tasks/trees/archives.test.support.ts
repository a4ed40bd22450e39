// SPDX-License-Identifier: MIT
/** Archives for tests, made entry by entry. */
import { execFileSync } from 'node:child_process';
import { Header } from 'tar';

export interface MadeEntry {
  readonly path: string;
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link';
  readonly linkpath?: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
}

/** Seconds since 1970 that every entry was modified at. */
export const MTIME = 1_000_000_000;

export function makeTar(entries: readonly MadeEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, type = 'File', linkpath = '', content = '', mode } of entries) {
    const data = Buffer.from(content);
    const header = Buffer.alloc(512);
    new Header({
      path,
      type,
      linkpath,
      size: data.length,
      mode: mode ?? (type === 'Directory' ? 0o755 : 0o644),
      mtime: new Date(MTIME * 1000),
      uid: 4321,
      gid: 4321,
      devmaj: 0,
      devmin: 0,
    }).encode(header);
    blocks.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Through a program that compresses standard input. */
export function compress(data: Buffer, program: string): Buffer {
  return execFileSync(program, ['-c'], { input: data, maxBuffer: 1 << 30 });
}
