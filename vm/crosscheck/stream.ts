// SPDX-License-Identifier: MIT
/** From bytes to lines, and what makes a sequence of events evidence: no gap, a beginning, an end, a clock that goes on. */
import { StringDecoder } from 'node:string_decoder';
import type { InvalidReason, StreamEvent } from './types.js';

/** No line of a trace is longer; what is, is garbage that must not fill memory. */
const MAX_LINE = 64 * 1024;

/** Splits chunks, cut anywhere, into lines without their ends. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  constructor(private readonly onLine: (line: string) => void) {}

  feed(chunk: Uint8Array | string): void {
    const text = this.rest + (typeof chunk === 'string' ? chunk : this.decoder.write(chunk));
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.onLine(text.slice(from, text.charCodeAt(end - 1) === 13 && end > from ? end - 1 : end));
      from = end + 1;
    }
    this.rest = text.slice(from);
    if (this.rest.length > MAX_LINE) {
      this.onLine(this.rest);
      this.rest = '';
    }
  }

  /** What came after the last line end: a line that was cut off, or ''. */
  end(): string {
    const rest = this.rest + this.decoder.end();
    this.rest = '';
    return rest;
  }
}

/** Checks each event's place in the sequence. */
export class Sequence<E extends StreamEvent> {
  private last: { readonly seq: bigint; readonly now: bigint } | undefined;
  ended = false;
  /** Whether the last accepted event continued the one before without a jump. */
  continues = false;

  constructor(private readonly rules: { begins(event: E): boolean; jumps(event: E): boolean }) {}

  get lastSeq(): bigint | undefined {
    return this.last?.seq;
  }

  /** Takes the next event, or says why it cannot be the next. */
  accept(event: E, line: string): InvalidReason | undefined {
    const { last } = this;
    const { seq, now } = event;
    const jumps = this.rules.jumps(event);
    if (this.ended) return { reason: 'after-end', line };
    if (last === undefined) {
      if (!this.rules.begins(event) || (seq !== 0n && !jumps)) return { reason: 'no-start', got: line };
    } else if (!jumps) {
      if (seq !== last.seq + 1n) return { reason: 'gap', expected: `${last.seq + 1n}`, got: `${seq}` };
      if (now < last.now)
        return { reason: 'clock-went-back', seq: `${seq}`, before: `${last.now}`, now: `${now}` };
    }
    this.continues = last !== undefined && seq === last.seq + 1n && now >= last.now;
    this.last = { seq, now };
    return undefined;
  }
}
