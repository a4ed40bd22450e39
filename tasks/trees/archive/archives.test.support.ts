// SPDX-License-Identifier: MIT
/** Archives of all kinds for tests, good and bad, made entry by entry. */
import { execFileSync } from 'node:child_process';
import { Header } from 'tar';

export interface MadeEntry {
  readonly path: string;
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO';
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
      devmaj: type === 'CharacterDevice' ? 1 : 0,
      devmin: type === 'CharacterDevice' ? 3 : 0,
    }).encode(header);
    blocks.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Through a program that compresses standard input. */
export function compress(data: Buffer, program: string): Buffer {
  return execFileSync(program, ['-c'], { input: data, maxBuffer: 1 << 30 });
}

/** An `ar` archive of these members. */
export function makeAr(members: Readonly<Record<string, Buffer>>): Buffer {
  const parts: Buffer[] = [Buffer.from('!<arch>\n')];
  for (const [name, data] of Object.entries(members)) {
    const fields = [name.padEnd(16), '0'.padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '100644'.padEnd(8)];
    parts.push(Buffer.from(`${fields.join('')}${String(data.length).padEnd(10)}\`\n`), data);
    if (data.length % 2 === 1) parts.push(Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/** A Debian package with this content. */
export function makeDeb(entries: readonly MadeEntry[], program = 'xz'): Buffer {
  const control = compress(makeTar([]), 'gzip');
  const data = compress(makeTar(entries), program);
  return makeAr({
    'debian-binary': Buffer.from('2.0\n'),
    'control.tar.gz': control,
    [`data.tar.${program}`]: data,
  });
}
