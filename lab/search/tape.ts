// SPDX-License-Identifier: MIT
/**
 * qtest at full speed: what comes back is compared with what must come back,
 * as bytes. A client with a promise for each command costs more than QEMU takes
 * to answer it.
 */
import type { Mark } from './plan.js';
import type { Wire } from './wire.js';

/** Answers that are not as expected. `at`: offset in the expected text of the first line that differs. */
export interface Difference {
  readonly at: number;
  readonly expected: string;
  readonly actual: string;
}

export type Heard =
  | { readonly heard: 'same' }
  | { readonly heard: 'different'; readonly difference: Difference }
  /** The connection is gone, or nothing came for too long: after `at` bytes of what was expected. */
  | { readonly heard: 'lost' | 'nothing'; readonly at: number };

const LF = 0x0a;
/** `I`, as in `IRQ raise 0`: no answer begins so. */
const INTERRUPT = 0x49;
/** Enough of a line for a message; the longest are all of `mem`. */
const KEPT = 120_000;
/** As much as a FIFO holds. */
const CHUNK = 65_536;
/** Bytes of answers that may be on their way: when its FIFO is full, QEMU tries again every 100 µs, and works at that harder than at answers. */
const WINDOW = 49_152;
/** Looks in a row without a pause: an answer that is all there is to it comes this soon. */
const EAGER = 3;
/** Between two looks, milliseconds: QEMU fills its FIFO in four. */
const PAUSE_MS = 1;

export class Tape {
  readonly #wire: Wire;
  readonly #silenceMs: number;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  /** What came before it was expected: interrupts, while something is done through QMP. */
  #early: Buffer | undefined;
  #busy = false;
  #lost = false;

  /** `silenceMs`: how long QEMU may take for the next byte. */
  constructor(wire: Wire, silenceMs: number) {
    this.#wire = wire;
    this.#silenceMs = silenceMs;
  }

  /** Sends, and waits until all that is expected has come or something else has. One at a time. */
  async exchange(send: string, expect: string, marks: readonly Mark[] = []): Promise<Heard> {
    return this.#alone(async () => {
      const expected = Buffer.from(expect, 'latin1');
      let at = 0;
      let next = 0;
      const talk = this.#talk(send, this.#silenceMs, () => {
        const answered = (): boolean => (marks[next - 1]?.heard ?? 0) <= at;
        while (next < marks.length && ((marks[next]?.heard ?? 0) - at <= WINDOW || answered())) next += 1;
        return next === marks.length ? undefined : marks[next - 1]?.sent;
      });
      while (at < expected.length) {
        const chunk = await talk();
        if (typeof chunk === 'string') return { heard: chunk, at };
        const length = Math.min(chunk.length, expected.length - at);
        if (expected.compare(chunk, 0, length, at, at + length) !== 0)
          return this.#difference(expected, at, chunk, talk);
        at += length;
        if (chunk.length > length) this.#early = Buffer.from(chunk.subarray(length));
      }
      return { heard: 'same' };
    });
  }

  /** Sends, and gives what comes, whatever it is: until there are this many answers, interrupts not counted, or nothing more comes. */
  async record(send: string, answers: number, silenceMs: number): Promise<readonly string[]> {
    return this.#alone(async () => {
      const parts: Buffer[] = [];
      const talk = this.#talk(send, silenceMs);
      for (;;) {
        const lines = Buffer.concat(parts).toString('latin1').split('\n').slice(0, -1);
        if (lines.filter((line) => !line.startsWith('IRQ ')).length >= answers) return lines;
        const chunk = await talk();
        if (typeof chunk === 'string') return lines;
        parts.push(Buffer.from(chunk));
      }
    });
  }

  /** Sends, and waits for this many answers without a look at them; whether they came. Interrupts are not counted. */
  async drain(send: string, answers: number): Promise<boolean> {
    return this.#alone(async () => {
      const talk = this.#talk(send, this.#silenceMs);
      let left = answers;
      // What begins the line that the next byte belongs to; 0: the byte itself.
      let first = 0;
      while (left > 0) {
        const chunk = await talk();
        if (typeof chunk === 'string') return false;
        for (let at = 0; at < chunk.length; ) {
          if (first === 0) first = chunk[at] ?? 0;
          const end = chunk.indexOf(LF, at);
          if (end < 0) break;
          if (first !== INTERRUPT) left -= 1;
          first = 0;
          at = end + 1;
        }
      }
      return true;
    });
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new Error('One exchange at a time');
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Sends as there is room for it, and gives what comes, piece by piece; a piece is good until the next.
   * `limit`: not to be sent yet from there on.
   */
  #talk(
    send: string,
    silenceMs: number,
    limit: () => number | undefined = () => undefined,
  ): () => Promise<Buffer | 'lost' | 'nothing'> {
    const bytes = Buffer.from(send, 'latin1');
    let sent = 0;
    let looks = 0;
    let since = performance.now();
    return async () => {
      const early = this.#early;
      this.#early = undefined;
      if (early !== undefined) return early;
      for (;;) {
        if (!this.#lost && sent < bytes.length) {
          const end = limit() ?? bytes.length;
          if (sent < end) sent += this.#wire.write(bytes.subarray(0, end), sent);
        }
        // Of one that is speaking, the next words are waited for: asked for each, it would speak more slowly.
        if (looks > 0) await pause(looks > EAGER);
        if (this.#lost) return 'lost';
        const length = this.#wire.read(this.#buffer);
        if (length === undefined) {
          this.#lost = true;
        } else if (length > 0) {
          looks = length === CHUNK ? 0 : EAGER + 1;
          since = performance.now();
          return this.#buffer.subarray(0, length);
        } else {
          if (performance.now() - since >= silenceMs) return 'nothing';
          looks += 1;
        }
      }
    };
  }

  /** The line that differs, whole. `at`: where the chunk begins in what is expected. */
  async #difference(
    expected: Buffer,
    at: number,
    chunk: Buffer,
    talk: () => Promise<Buffer | 'lost' | 'nothing'>,
  ): Promise<Heard> {
    let same = 0;
    while (chunk[same] === expected[at + same]) same += 1;
    const start = expected.subarray(0, at + same).lastIndexOf(LF) + 1;
    let line = Buffer.concat([expected.subarray(start, at + same), chunk.subarray(same)]);
    for (;;) {
      const end = line.indexOf(LF);
      if (end >= 0 || line.length >= KEPT) {
        const expectedEnd = expected.indexOf(LF, start);
        const difference = {
          at: start,
          expected: expected.toString('latin1', start, expectedEnd < 0 ? undefined : expectedEnd),
          actual: line.toString('latin1', 0, end < 0 ? KEPT : end),
        };
        return { heard: 'different', difference };
      }
      const more = await talk();
      if (typeof more === 'string') return { heard: more, at: at + same };
      line = Buffer.concat([line, more]);
    }
  }

  close(): void {
    this.#lost = true;
    this.#wire.close();
  }
}

async function pause(long: boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    if (long) setTimeout(resolve, PAUSE_MS);
    else setImmediate(resolve);
  });
}
