// SPDX-License-Identifier: MIT
/**
 * qtest at full speed: all commands are sent without waiting, and the answers
 * are compared with the expected bytes. A client with a promise for each
 * command costs more than QEMU needs to answer it.
 *
 * The transport is the two FIFOs of QEMU's `pipe` chardev, polled. QEMU writes
 * each qtest answer separately; through a socket, every answer would wake the
 * reader, and QEMU would spend two thirds of its time in the kernel. Polling a
 * FIFO once a millisecond wakes no process and reads tens of thousands of bytes
 * each time. Node's streams cannot be told to wait, so these are descriptors.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { errnoOf } from '../../lib/errno.js';
import type { Mark } from './plan.js';

export interface Pipes {
  /** Writes as many of the bytes as fit, starting at `from`. Returns the number written, 0 when the FIFO is full. */
  write(bytes: Buffer, from: number): number;
  /** Reads what is available. Returns the number of bytes, or undefined when the other end is closed. */
  read(into: Buffer): number | undefined;
  close(): void;
}

/** `path`: as for `-chardev pipe`. QEMU must have both FIFOs open already, or it would seem to be gone. */
export function openPipes(path: string): Pipes {
  const output = openSync(`${path}.out`, constants.O_RDONLY | constants.O_NONBLOCK);
  let input: number;
  try {
    input = openSync(`${path}.in`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    closeSync(output);
    throw error;
  }
  let open = true;
  return {
    write: (bytes, from) => {
      try {
        return writeSync(input, bytes, from);
      } catch (error) {
        // A closed pipe is reported by `read`, after QEMU's last answers.
        if (['EAGAIN', 'EPIPE'].includes(errnoOf(error).code ?? '')) return 0;
        throw error;
      }
    },
    read: (into) => {
      try {
        const length = readSync(output, into, 0, into.length, null);
        return length === 0 ? undefined : length;
      } catch (error) {
        if (errnoOf(error).code === 'EAGAIN') return 0;
        throw error;
      }
    },
    close: () => {
      if (!open) return;
      open = false;
      closeSync(input);
      closeSync(output);
    },
  };
}

/** The first line that is not as expected. `at`: offset of that line in the expected text. */
export interface Mismatch {
  readonly at: number;
  readonly expected: string;
  readonly actual: string;
}

export type ExchangeResult =
  | { readonly result: 'same' }
  | { readonly result: 'different'; readonly mismatch: Mismatch }
  /** The connection is closed, or QEMU was silent for too long, after `at` bytes of the expected text. */
  | { readonly result: 'closed' | 'silent'; readonly at: number };

const LF = 0x0a;
/** Longest line kept for a message; answers with all of `mem` are the longest. */
const LONGEST_LINE = 120_000;
/** Capacity of a FIFO. */
const CHUNK = 65_536;
/** Bytes of answers that may be outstanding. When its FIFO is full, QEMU retries every 100 µs, which costs more than answering. */
const WINDOW = 49_152;
/** Polls in a row without a pause: a short answer arrives within these. */
const EAGER_POLLS = 3;
/** Time between two polls, milliseconds. QEMU fills its FIFO in four. */
const PAUSE_MS = 1;

export class QtestChannel {
  readonly #pipes: Pipes;
  readonly #silenceMs: number;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  /** Bytes that arrived before they were expected: interrupts during a QMP command. */
  #early: Buffer | undefined;
  #busy = false;
  #closed = false;

  /** `silenceMs`: how long QEMU may take for the next byte. */
  constructor(pipes: Pipes, silenceMs: number) {
    this.#pipes = pipes;
    this.#silenceMs = silenceMs;
  }

  /** Sends, and waits until everything expected has arrived or something else has. One at a time. */
  async exchange(send: string, expect: string, marks: readonly Mark[] = []): Promise<ExchangeResult> {
    return this.#exclusive(async () => {
      const expected = Buffer.from(expect, 'latin1');
      let at = 0;
      let next = 0;
      const receive = this.#talk(send, this.#silenceMs, () => {
        const answered = (): boolean => (marks[next - 1]?.expected ?? 0) <= at;
        while (next < marks.length && ((marks[next]?.expected ?? 0) - at <= WINDOW || answered())) next += 1;
        return next === marks.length ? undefined : marks[next - 1]?.sent;
      });
      while (at < expected.length) {
        const chunk = await receive();
        if (typeof chunk === 'string') return { result: chunk, at };
        const length = Math.min(chunk.length, expected.length - at);
        if (expected.compare(chunk, 0, length, at, at + length) !== 0)
          return this.#mismatch(expected, at, chunk, receive);
        at += length;
        if (chunk.length > length) this.#early = Buffer.from(chunk.subarray(length));
      }
      return { result: 'same' };
    });
  }

  /** Sends, and returns the lines that arrive until there are this many answers (interrupts not counted) or QEMU is silent. */
  async record(send: string, answers: number, silenceMs: number): Promise<readonly string[]> {
    return this.#exclusive(async () => {
      const parts: Buffer[] = [];
      const receive = this.#talk(send, silenceMs);
      for (;;) {
        const lines = Buffer.concat(parts).toString('latin1').split('\n').slice(0, -1);
        if (lines.filter((line) => !line.startsWith('IRQ ')).length >= answers) return lines;
        const chunk = await receive();
        if (typeof chunk === 'string') return lines;
        parts.push(Buffer.from(chunk));
      }
    });
  }

  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new Error('One exchange at a time');
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Sends as fast as there is room, and returns a function that receives the
   * next chunk, which is valid until the next call. `limit`: how many bytes may
   * be sent so far.
   */
  #talk(
    send: string,
    silenceMs: number,
    limit: () => number | undefined = () => undefined,
  ): () => Promise<Buffer | 'closed' | 'silent'> {
    const bytes = Buffer.from(send, 'latin1');
    let sent = 0;
    let polls = 0;
    let since = performance.now();
    return async () => {
      const early = this.#early;
      this.#early = undefined;
      if (early !== undefined) return early;
      for (;;) {
        if (!this.#closed && sent < bytes.length) {
          const end = limit() ?? bytes.length;
          if (sent < end) sent += this.#pipes.write(bytes.subarray(0, end), sent);
        }
        // After a partial chunk, let QEMU write more before the next poll: each poll slows it down.
        if (polls > 0) await pause(polls > EAGER_POLLS);
        if (this.#closed) return 'closed';
        const length = this.#pipes.read(this.#buffer);
        if (length === undefined) {
          this.#closed = true;
        } else if (length > 0) {
          polls = length === CHUNK ? 0 : EAGER_POLLS + 1;
          since = performance.now();
          return this.#buffer.subarray(0, length);
        } else {
          if (performance.now() - since >= silenceMs) return 'silent';
          polls += 1;
        }
      }
    };
  }

  /** Reads the differing line to its end. `at`: where the chunk begins in the expected text. */
  async #mismatch(
    expected: Buffer,
    at: number,
    chunk: Buffer,
    receive: () => Promise<Buffer | 'closed' | 'silent'>,
  ): Promise<ExchangeResult> {
    let same = 0;
    while (chunk[same] === expected[at + same]) same += 1;
    const start = expected.subarray(0, at + same).lastIndexOf(LF) + 1;
    let line = Buffer.concat([expected.subarray(start, at + same), chunk.subarray(same)]);
    for (;;) {
      const end = line.indexOf(LF);
      if (end >= 0 || line.length >= LONGEST_LINE) {
        const expectedEnd = expected.indexOf(LF, start);
        const mismatch = {
          at: start,
          expected: expected.toString('latin1', start, expectedEnd < 0 ? undefined : expectedEnd),
          actual: line.toString('latin1', 0, end < 0 ? LONGEST_LINE : end),
        };
        return { result: 'different', mismatch };
      }
      const more = await receive();
      if (typeof more === 'string') return { result: more, at: at + same };
      line = Buffer.concat([line, more]);
    }
  }

  close(): void {
    this.#closed = true;
    this.#pipes.close();
  }
}

async function pause(long: boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    if (long) setTimeout(resolve, PAUSE_MS);
    else setImmediate(resolve);
  });
}
