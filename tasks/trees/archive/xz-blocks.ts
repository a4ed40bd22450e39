// SPDX-License-Identifier: MIT
/**
 * Single files out of a large .tar.xz without reading all of it.
 *
 * Releases of Linux are compressed in blocks, each of which can be decompressed
 * by itself, and `git archive`, which makes them, sorts its members. So a
 * member is found by halving. Nothing relies on that: who asks checks what he
 * gets, and reads the whole archive where this finds nothing.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { ExtractDeps } from './extract.js';
import { pipeOf } from './system-tar.js';

/** Bytes of a .xz file before its first block. */
const STREAM_HEADER = 12;
/** Fewer blocks are not worth it. */
const FEW = 4;
const RECORD = 512;

interface Block {
  /** In the file, bytes. */
  readonly at: number;
  readonly size: number;
  /** Decompressed, bytes. */
  readonly content: number;
}

/** Their content by path below the archive's one top directory; what is not found this way is missing. Never throws for what is in the archive. */
export async function membersByBlock(
  archive: string,
  paths: readonly string[],
  deps: ExtractDeps,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const blocks = await blocksOf(archive, deps);
  if (blocks.length < FEW) return found;
  const file = await open(archive);
  try {
    /** The one read last; they are large. */
    let kept: { readonly index: number; readonly data: Buffer | undefined } | undefined;
    const read = async (index: number): Promise<Buffer | undefined> => {
      if (kept?.index !== index) {
        kept = undefined;
        kept = { index, data: await decompress(file, blocks[index], deps) };
      }
      return kept.data;
    };
    const firsts = new Map<number, { readonly path: string; readonly block: number }>();
    /** The first member of a block, and where it is: a block may lie whole within a member of an earlier one. */
    const firstIn = async (index: number): Promise<{ readonly path: string; readonly block: number }> => {
      const known = firsts.get(index);
      if (known !== undefined) return known;
      const data = await read(index);
      const own = data === undefined ? undefined : entriesIn(data).next().value?.path;
      const first =
        own === undefined && index > 0 ? await firstIn(index - 1) : { path: own ?? '', block: index };
      firsts.set(index, first);
      return first;
    };
    for (const path of paths) {
      const key = Buffer.from(path);
      let [low, high] = [0, blocks.length - 1];
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (Buffer.from((await firstIn(middle)).path).compare(key) <= 0) low = middle;
        else high = middle - 1;
      }
      const content = await contentOf(path, (await firstIn(low)).block, read);
      if (content !== undefined) found.set(path, content);
    }
    return found;
  } finally {
    await file.close();
  }
}

async function contentOf(
  path: string,
  index: number,
  read: (index: number) => Promise<Buffer | undefined>,
): Promise<Buffer | undefined> {
  const data = await read(index);
  if (data === undefined) return undefined;
  for (const entry of entriesIn(data)) {
    if (entry.path !== path) continue;
    // A copy, so that the block itself can go.
    const parts = [Buffer.from(data.subarray(entry.at, entry.at + entry.size))];
    let length = parts[0]?.length ?? 0;
    for (let next = index + 1; length < entry.size; next++) {
      const more = (await read(next))?.subarray(0, entry.size - length);
      if (more === undefined || more.length === 0) return undefined;
      parts.push(Buffer.from(more));
      length += more.length;
    }
    return Buffer.concat(parts);
  }
  return undefined;
}

/** Of a file of one stream; none for any other file. */
async function blocksOf(archive: string, { processes, signal, env }: ExtractDeps): Promise<Block[]> {
  const { exitCode, stdout } = await processes.run(
    { file: 'xz', args: ['--robot', '--list', '-vv', '--', archive], env: { ...env, LC_ALL: 'C' } },
    { signal, capture: true },
  );
  const rows = stdout.split('\n').map((line) => line.split('\t'));
  if (exitCode !== 0 || rows.filter(([kind]) => kind === 'stream').length !== 1) return [];
  return rows
    .filter(([kind]) => kind === 'block')
    .map((row) => ({ at: Number(row[4]), size: Number(row[6]), content: Number(row[7]) }));
}

/** xz takes the beginning of the file and one block for a file that is cut off, and gives what is there, checked. */
async function decompress(
  file: FileHandle,
  block: Block | undefined,
  { processes, signal, env }: ExtractDeps,
): Promise<Buffer | undefined> {
  if (block === undefined) return undefined;
  const input = Buffer.alloc(STREAM_HEADER + block.size);
  await file.read(input, 0, STREAM_HEADER, 0);
  await file.read(input, STREAM_HEADER, block.size, block.at);
  const child = await processes.spawn(
    { file: 'xz', args: ['-dc'], env: { ...env, XZ_OPT: '', XZ_DEFAULTS: '' } },
    { signal, stdin: 'pipe' },
  );
  const data = Buffer.allocUnsafe(block.content);
  let length = 0;
  pipeOf(child.stdout).on('data', (chunk: Buffer) => {
    length += chunk.copy(data, Math.min(length, data.length));
  });
  pipeOf(child.stdin).end(input);
  await child.exited;
  return length === block.content ? data : undefined;
}

interface Entry {
  /** Below the top directory. */
  readonly path: string;
  /** Where its content begins, and its size, bytes. */
  readonly at: number;
  readonly size: number;
}

/** The members that begin in this part of a tar archive, from the first header on. */
function* entriesIn(data: Buffer): Generator<Entry, undefined> {
  let at = 0;
  while (at + RECORD <= data.length && !isHeader(data, at)) at += RECORD;
  let longName: string | undefined;
  while (at + RECORD <= data.length && isHeader(data, at)) {
    const size = Number.parseInt(textAt(data, at + 124, 12), 8) || 0;
    const kind = String.fromCharCode(data[at + 156] ?? 0);
    const content = at + RECORD;
    if (kind === 'x') {
      const text = data.toString('utf8', content, content + size);
      longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1];
    } else if (kind === 'L') longName = textAt(data, content, size);
    else if (kind !== 'g') {
      const prefix = textAt(data, at + 345, 155);
      const name = longName ?? (prefix === '' ? '' : `${prefix}/`) + textAt(data, at, 100);
      longName = undefined;
      const path = name.replace(/^\.\//, '');
      yield { path: path.slice(path.indexOf('/') + 1), at: content, size };
    }
    at = content + Math.ceil(size / RECORD) * RECORD;
  }
  return undefined;
}

/** By the magic and the sum of its bytes, its own field taken for blanks. */
function isHeader(data: Buffer, at: number): boolean {
  if (data.toString('latin1', at + 257, at + 262) !== 'ustar') return false;
  let sum = 8 * 0x20;
  for (let index = 0; index < RECORD; index++) {
    if (index < 148 || index >= 156) sum += data[at + index] ?? 0;
  }
  return sum === Number.parseInt(textAt(data, at + 148, 8), 8);
}

function textAt(data: Buffer, at: number, size: number): string {
  const end = data.indexOf(0, at);
  return data.toString('utf8', at, end < 0 || end > at + size ? at + size : end);
}
