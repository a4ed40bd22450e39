// SPDX-License-Identifier: MIT
/** Parses the guest's console and keeps what the verdict needs, in bounded memory. */
import { type Finding, Deinterleaver, findingOf, kernelMessage } from './console.js';
import { KtapParser } from './ktap.js';
import { isFatal, type Splat, SplatCollector } from './splat.js';
import { sectionMark, type TestStatus } from '../crosscheck/sections.js';
import { LineSplitter } from '../../lib/lines.js';
import { printable } from '../../lib/printable.js';
import { Tail } from '../../lib/tail.js';
import type { KtapResult, KtapTest, TestSuite } from '../types.js';

const KEPT_LINES = 40;
const KEPT_FINDINGS = 100;
/** Bounds memory for a guest that prints mark after mark. */
const KEPT_SUITES = 100;

/** A test that has begun. */
interface Suite {
  readonly id: string;
  readonly ktap: KtapParser;
  /** Its last lines of output. */
  readonly tail: Tail;
  readonly startMs: number;
  endMs: number | undefined;
  result: TestSuite['result'];
  status: number | undefined;
}

/** A line of dev_err() and the like, which begins with the driver and its device. */
const DRIVER_MESSAGE = /^[\w-]+ [\w.@:-]*[\w.@-]: \S/;

export class ConsoleObserver {
  /** Time of the first output, from the constructor's clock; undefined until it happens. */
  firstOutputMs: number | undefined;
  readonly findings: Finding[] = [];
  /** Warnings and errors of drivers, such as `led c000000.led: no interrupt`. */
  readonly driverMessages: string[] = [];
  /** The last fatal splat, and the number of test results at that time. */
  fatal: { readonly text: string; readonly results: number } | undefined;
  /** Bytes printed so far. */
  size = 0;
  readonly #splats = new SplatCollector();
  readonly #tail = new Tail();
  readonly #suites: Suite[] = [];
  /** The test that is running. */
  #suite: Suite | undefined;
  readonly #splitter: LineSplitter;
  readonly #deinterleaver: Deinterleaver;
  readonly #now: () => number;

  /** `onLine` gets each line without escape sequences, with interrupted KTAP lines rejoined. */
  constructor(now: () => number, onLine: (line: string) => void) {
    this.#now = now;
    this.#deinterleaver = new Deinterleaver((line) => {
      this.#take(line);
      const finding = findingOf(line);
      const suite = this.#suite;
      this.#splats.line(line, finding, suite && { id: suite.id, results: suite.ktap.results });
      if (finding?.kind === 'splat' && isFatal(finding.text))
        this.fatal = { text: finding.text, results: this.results };
      if (DRIVER_MESSAGE.test(kernelMessage(line).message) && this.driverMessages.length < KEPT_FINDINGS)
        this.driverMessages.push(kernelMessage(line).message.trimEnd());
      if (finding !== undefined && this.findings.length < KEPT_FINDINGS) this.findings.push(finding);
      onLine(line);
    });
    this.#splitter = new LineSplitter(
      (line) => {
        this.#tail.push(printable(line));
        this.#deinterleaver.push(line);
      },
      { carriageReturns: true },
    );
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.size += bytes.length;
    this.firstOutputMs ??= this.#now();
    this.#splitter.push(bytes);
  }

  #take(line: string): void {
    const mark = sectionMark(line);
    if (mark === undefined) {
      this.#suite?.ktap.line(line);
      this.#suite?.tail.push(line);
      return;
    }
    if (mark.kind === 'result' && this.#suite?.id === mark.id) {
      this.#suite.result = mark.result;
      this.#suite.status = mark.status;
      this.#suite.endMs = this.#now();
    }
    this.#suite = undefined;
    if (mark.kind === 'result' || this.#suites.length >= KEPT_SUITES) return;
    this.#suite = {
      id: mark.id,
      ktap: new KtapParser(),
      tail: new Tail(),
      startMs: this.#now(),
      endMs: undefined,
      result: undefined,
      status: undefined,
    };
    this.#suites.push(this.#suite);
  }

  /** Number of results so far, counting both KTAP results and completed tests. */
  get results(): number {
    return this.#suites.reduce((sum, { ktap, result }) => sum + ktap.results + (result ? 1 : 0), 0);
  }

  /** The last line that has text. */
  get lastLine(): string {
    return this.#tail.lines.findLast((line) => line.trim() !== '') ?? '';
  }

  get panicked(): boolean {
    return this.findings.some((finding) => finding.kind === 'panic');
  }

  /** The unfinished last line, such as a prompt. */
  get partial(): string {
    return printable(this.#splitter.partial);
  }

  end(): {
    readonly suites: readonly TestSuite[];
    readonly lastLines: readonly string[];
    readonly splats: readonly Splat[];
  } {
    this.#splitter.end();
    this.#deinterleaver.end();
    const suites = this.#suites.map((suite) => ({
      id: suite.id,
      result: suite.result,
      ktap:
        suite.ktap.started || suite.ktap.displaced || suite.result === undefined
          ? suite.ktap.end()
          : exitStatus({ ...suite, result: suite.result, lastLines: suite.tail.lines }),
      lastLines: suite.tail.lines,
      timing: { startMs: suite.startMs, endMs: suite.endMs },
    }));
    return { suites, lastLines: this.#tail.lines, splats: this.#splats.splats };
  }
}

/** A test without KTAP counts as one result: its exit status. */
export function exitStatus({
  id,
  result,
  status,
  lastLines,
}: {
  readonly id: string;
  readonly result: TestStatus;
  readonly status: number | undefined;
  readonly lastLines: readonly string[];
}): KtapResult {
  const name = id.slice(id.indexOf('/') + 1);
  const exit = status === undefined ? '' : `exit status ${status}`;
  const test: KtapTest =
    result === 'pass' || result === 'skip'
      ? {
          name,
          status: result === 'pass' ? 'ok' : 'skip',
          comment: result === 'pass' ? '' : exit,
          diagnostics: [],
        }
      : { name, status: 'not ok', comment: exit, diagnostics: lastLines.slice(-KEPT_LINES) };
  return { planned: undefined, tests: [test], problems: [] };
}

/** Maps an exit status to a result as init does. */
export function testStatus(status: number | undefined): TestStatus {
  if (status === 0) return 'pass';
  if (status === 1) return 'fail';
  return status === 4 ? 'skip' : 'error';
}
