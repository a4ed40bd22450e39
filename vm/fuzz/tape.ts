// SPDX-License-Identifier: MIT
/**
 * qtest at full speed: what comes back is compared with what must come back,
 * as bytes. A client with a promise for each command costs more than QEMU takes
 * to answer it.
 */
import type { Duplex } from 'node:stream';

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
/** Enough of a line for a message; the longest are all of `mem`. */
const KEPT = 120_000;

export class Tape {
  readonly #stream: Duplex;
  readonly #silenceMs: number;
  #expected: Buffer = Buffer.alloc(0);
  #at = 0;
  /** What came before it was expected: interrupts, while something is done through QMP. */
  #early: Buffer[] = [];
  #settle: ((heard: Heard) => void) | undefined;
  /** Once something differs: the bytes from the start of the line that does. */
  #differs: { readonly at: number; line: Buffer } | undefined;
  #lost = false;
  #timer: NodeJS.Timeout | undefined;

  /** `silenceMs`: how long QEMU may take for the next byte. */
  constructor(stream: Duplex, silenceMs: number) {
    this.#stream = stream;
    this.#silenceMs = silenceMs;
    stream.on('data', (chunk: Buffer) => this.#data(chunk));
    const lose = (): void => {
      this.#lost = true;
      this.#finish({ heard: 'lost', at: this.#at });
    };
    stream.on('close', lose);
    stream.on('end', lose);
    stream.on('error', lose);
  }

  /** Sends, and waits until all that is expected has come or something else has. One at a time. */
  async exchange(send: string, expect: string): Promise<Heard> {
    if (this.#settle !== undefined) throw new Error('One exchange at a time');
    if (this.#lost) return { heard: 'lost', at: 0 };
    this.#expected = Buffer.from(expect, 'latin1');
    this.#at = 0;
    this.#differs = undefined;
    const heard = new Promise<Heard>((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = setTimeout(() => this.#finish({ heard: 'nothing', at: this.#at }), this.#silenceMs);
    if (send !== '') this.#stream.write(send, 'latin1');
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) this.#data(chunk);
    if (this.#expected.length === 0) this.#finish({ heard: 'same' });
    return heard;
  }

  /** Sends, and gives what comes, whatever it is: until there are this many answers, interrupts not counted, or nothing more comes. */
  async record(send: string, answers: number, silenceMs: number): Promise<readonly string[]> {
    if (this.#settle !== undefined) throw new Error('One exchange at a time');
    const parts = this.#early;
    this.#early = [];
    const lines = (): string[] => Buffer.concat(parts).toString('latin1').split('\n').slice(0, -1);
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#stream.off('data', hear);
        this.#stream.off('close', finish);
        resolve();
      };
      const timer = setTimeout(finish, silenceMs);
      const hear = (chunk: Buffer): void => {
        timer.refresh();
        parts.push(Buffer.from(chunk));
        if (lines().filter((line) => !line.startsWith('IRQ ')).length >= answers) finish();
      };
      this.#stream.on('data', hear);
      this.#stream.on('close', finish);
      if (this.#lost) finish();
      else this.#stream.write(send, 'latin1');
    });
    this.#early = [];
    return lines();
  }

  #data(chunk: Buffer): void {
    if (this.#settle === undefined) {
      this.#early.push(Buffer.from(chunk));
      return;
    }
    this.#timer?.refresh();
    if (this.#differs !== undefined) {
      this.#collect(chunk);
      return;
    }
    const left = this.#expected.length - this.#at;
    const length = Math.min(chunk.length, left);
    if (this.#expected.compare(chunk, 0, length, this.#at, this.#at + length) === 0) {
      this.#at += length;
      if (this.#at < this.#expected.length) return;
      if (chunk.length > length) this.#early.push(Buffer.from(chunk.subarray(length)));
      this.#finish({ heard: 'same' });
      return;
    }
    let same = 0;
    while (chunk[same] === this.#expected[this.#at + same]) same += 1;
    const differs = this.#at + same;
    const start = this.#expected.subarray(0, differs).lastIndexOf(LF) + 1;
    this.#differs = { at: start, line: Buffer.from(this.#expected.subarray(start, differs)) };
    this.#at = differs;
    this.#collect(chunk.subarray(same));
  }

  /** The rest of the line that differs. */
  #collect(bytes: Buffer): void {
    const found = this.#differs;
    if (found === undefined) return;
    found.line = Buffer.concat([found.line, bytes.subarray(0, KEPT)]);
    const end = found.line.indexOf(LF);
    if (end < 0 && found.line.length < KEPT) return;
    const { at } = found;
    const lineEnd = this.#expected.indexOf(LF, at);
    const expected = this.#expected.toString('latin1', at, lineEnd < 0 ? undefined : lineEnd);
    const actual = found.line.toString('latin1', 0, end < 0 ? undefined : end);
    this.#finish({ heard: 'different', difference: { at, expected, actual } });
  }

  #finish(heard: Heard): void {
    clearTimeout(this.#timer);
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(heard);
  }
}
