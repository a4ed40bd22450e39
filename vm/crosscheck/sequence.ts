// SPDX-License-Identifier: MIT
/** Validates a stream of events: no gaps, a beginning, an end, and a clock that never goes backwards. */
import type { InvalidReason, StreamEvent } from './types.js';

export class Sequence<E extends StreamEvent> {
  private last: { readonly seq: bigint; readonly now: bigint } | undefined;
  ended = false;

  constructor(private readonly rules: { begins(event: E): boolean; jumps(event: E): boolean }) {}

  get lastSeq(): bigint | undefined {
    return this.last?.seq;
  }

  /** Takes the next event. Returns the reason if it is out of sequence. */
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
    this.last = { seq, now };
    return undefined;
  }
}
