// SPDX-License-Identifier: MIT
/** The wire format of Redis (RESP2, see redis.io/docs/latest/develop/reference/protocol-spec), for both of its ends. Pure. */

export type Reply =
  | { readonly kind: 'simple'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  /** Null: there is no such value. */
  | { readonly kind: 'bulk'; readonly bytes: Buffer | null }
  | { readonly kind: 'array'; readonly items: readonly Reply[] };

/** Redis itself takes no larger value. */
const LARGEST = 512 * 2 ** 20;
/** A line that is longer is no RESP. */
const LONGEST_LINE = 64 * 1024;

/** A command, ready to be written. */
export function encodeCommand(words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** A value as an answer; undefined: there is none. */
export function encodeBulk(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) return Buffer.from('$-1\r\n');
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

interface Parsed {
  readonly reply: Reply;
  readonly end: number;
}
/** How many bytes there must be before it is worth another look. */
type Incomplete = number;

/** Takes what a socket brings, in pieces of any size, and gives the messages that are complete. */
export class RespReader {
  private chunks: Buffer[] = [];
  private size = 0;
  private needed = 1;

  /** Throws Error for what is not RESP. */
  push(chunk: Buffer): Reply[] {
    this.chunks.push(chunk);
    this.size += chunk.length;
    // Not at every piece of a large value.
    if (this.size < this.needed) return [];
    const bytes = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    const replies: Reply[] = [];
    let at = 0;
    let missing = 1;
    while (at < bytes.length) {
      const parsed = parse(bytes, at);
      if (typeof parsed === 'number') {
        missing = parsed - at;
        break;
      }
      replies.push(parsed.reply);
      at = parsed.end;
    }
    const rest = bytes.subarray(at);
    this.chunks = rest.length === 0 ? [] : [rest];
    this.size = rest.length;
    this.needed = missing;
    return replies;
  }
}

function parse(bytes: Buffer, start: number): Parsed | Incomplete {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd === -1) {
    if (bytes.length - start > LONGEST_LINE) throw new Error('expected RESP, got a line without an end');
    return bytes.length + 1;
  }
  const text = bytes.toString('latin1', start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '+':
      return { reply: { kind: 'simple', text }, end: next };
    case '-':
      return { reply: { kind: 'error', text }, end: next };
    case ':':
      return { reply: { kind: 'integer', value: Number(text) }, end: next };
    case '$':
      return parseBulk(bytes, lengthOf(text), next);
    case '*':
      return parseArray(bytes, lengthOf(text), next);
    default:
      throw new Error(
        `expected RESP, got ${JSON.stringify(bytes.toString('latin1', start, lineEnd).slice(0, 40))}`,
      );
  }
}

function parseBulk(bytes: Buffer, length: number, start: number): Parsed | Incomplete {
  if (length === -1) return { reply: { kind: 'bulk', bytes: null }, end: start };
  const end = start + length + 2;
  if (bytes.length < end) return end;
  return { reply: { kind: 'bulk', bytes: bytes.subarray(start, start + length) }, end };
}

function parseArray(bytes: Buffer, length: number, start: number): Parsed | Incomplete {
  const items: Reply[] = [];
  let at = start;
  for (let index = 0; index < length; index++) {
    if (at >= bytes.length) return bytes.length + 1;
    const parsed = parse(bytes, at);
    if (typeof parsed === 'number') return parsed;
    items.push(parsed.reply);
    at = parsed.end;
  }
  return { reply: { kind: 'array', items }, end: at };
}

function lengthOf(text: string): number {
  const length = Number(text);
  if (!/^(\d+|-1)$/.test(text) || length > LARGEST)
    throw new Error(`expected a length in RESP, got '${text.slice(0, 40)}'`);
  return length;
}
