// SPDX-License-Identifier: MIT
/** Listens to the guest's console and keeps what the verdict needs, in bounded memory. */
import { type Finding, Deinterleaver, findingOf, plainText } from './console.js';
import { KtapParser } from './ktap.js';
import { LineSplitter } from '../../lib/lines.js';
import type { KtapResult } from '../types.js';

const KEPT_LINES = 40;
const KEPT_FINDINGS = 100;

/** The last lines of something. */
export class Tail {
  readonly #lines: string[] = [];

  push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }

  get lines(): readonly string[] {
    return [...this.#lines];
  }
}

export class ConsoleObserver {
  /** When, on the clock that was given: undefined until it happens. */
  firstOutputMs: number | undefined;
  testStartMs: number | undefined;
  testEndMs: number | undefined;
  readonly findings: Finding[] = [];
  readonly #tail = new Tail();
  readonly #ktap = new KtapParser();
  readonly #splitter: LineSplitter;
  readonly #deinterleaver: Deinterleaver;
  readonly #now: () => number;

  /** `onLine` gets each line without escapes, KTAP results made whole again. */
  constructor(now: () => number, onLine: (line: string) => void) {
    this.#now = now;
    this.#deinterleaver = new Deinterleaver((line) => {
      this.#ktap.line(line);
      if (this.#ktap.started) this.testStartMs ??= this.#now();
      if (this.#ktap.complete) this.testEndMs ??= this.#now();
      const finding = findingOf(line);
      if (finding !== undefined && this.findings.length < KEPT_FINDINGS) this.findings.push(finding);
      onLine(line);
    });
    this.#splitter = new LineSplitter(
      (line) => {
        this.#tail.push(plainText(line));
        this.#deinterleaver.push(line);
      },
      { carriageReturns: true },
    );
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.firstOutputMs ??= this.#now();
    this.#splitter.push(bytes);
  }

  get panicked(): boolean {
    return this.findings.some((finding) => finding.kind === 'panic');
  }

  /** The line that is being written: a prompt, perhaps. */
  get partial(): string {
    return plainText(this.#splitter.partial);
  }

  /** The stream is over. */
  end(): { readonly ktap: KtapResult; readonly lastLines: readonly string[] } {
    this.#splitter.end();
    this.#deinterleaver.end();
    return { ktap: this.#ktap.end(), lastLines: this.#tail.lines };
  }
}
