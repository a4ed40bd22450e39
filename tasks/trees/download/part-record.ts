// SPDX-License-Identifier: MIT
/** Beside a partial file: what it is a part of, and whether an answer goes on from there. */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const schema = z.strictObject({
  /** Without user name and password. */
  address: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  /** Bytes of the whole file. */
  total: z.int().optional(),
});
export type PartRecord = Readonly<z.infer<typeof schema>>;

/** Headers of an answer, names in small letters. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** Undefined when it is missing or was cut off while it was written: then the part begins anew. */
export async function readRecord(path: string): Promise<PartRecord | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

export async function writeRecord(
  path: string,
  address: string,
  headers: Headers,
  total: number | undefined,
): Promise<void> {
  // JSON leaves out what is undefined.
  const { etag, 'last-modified': lastModified } = headers;
  await writeFile(path, JSON.stringify({ address, etag, lastModified, total }));
}

/** What to ask a server for the rest, in headers. */
export function resumeHeaders(
  record: PartRecord | undefined,
  size: number,
): Readonly<Record<string, string>> {
  if (size === 0) return {};
  // A weak ETag does not promise equal bytes, and must not be used here.
  const strong = record?.etag?.startsWith('"') === true ? record.etag : undefined;
  const validator = strong ?? record?.lastModified;
  return { range: `bytes=${size}-`, ...(validator === undefined ? {} : { 'if-range': validator }) };
}

/** Does an answer to our Range belong to the part that is kept? */
export function hasChanged(
  record: PartRecord | undefined,
  size: number,
  headers: Headers,
  range: { readonly start: number; readonly total: number | undefined } | undefined,
): boolean {
  if (range === undefined || range.start !== size) return true;
  if (range.total !== undefined && record?.total !== undefined && range.total !== record.total) return true;
  // Some servers honour Range and overlook If-Range.
  const etag = headers['etag'];
  return etag !== undefined && record?.etag !== undefined && etag !== record.etag;
}

/** `bytes 100-199/200` → start and total; undefined when it is something else. */
export function parseContentRange(
  text: string | undefined,
): { readonly start: number; readonly total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(text ?? '');
  if (match === null) return undefined;
  return { start: Number(match[1]), total: match[2] === '*' ? undefined : Number(match[2]) };
}

/** Bytes of the whole file, when `offset` of them are there and the rest was announced. */
export function contentLength(text: string | undefined, offset: number): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? offset + Number(text) : undefined;
}
