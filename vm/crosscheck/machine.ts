// SPDX-License-Identifier: MIT
/** Cross-checks a whole machine. QEMU writes one stream; each line is routed to the checker of its instance. */
import { createReadStream } from 'node:fs';
import { LineSplitter } from '../../lib/lines.js';
import { instanceOf, sectionMark } from './sections.js';
import { Checker, type CheckOptions } from './checker.js';
import { parseConsoleLine } from './console-lines.js';
import { INTERRUPT_LINE, OPERATION } from './monitor.js';
import type { AnyChecker, StreamEvent, Verdict } from './types.js';

/** A device instance and the options of its check. */
export interface CheckedInstance {
  readonly id: string;
  readonly checker: AnyChecker;
  readonly options?: CheckOptions | undefined;
}

export interface InstanceVerdict {
  readonly id: string;
  readonly verdict: Verdict;
}

type AnyCheck = Checker<unknown, StreamEvent>;

/** Checks a live run: feed it the trace and the console as they arrive, then call `end()`. */
export class MachineCrosscheck {
  readonly #checks = new Map<string, AnyCheck>();
  /** Keyed by the region's name in QEMU's own trace. */
  readonly #regions = new Map<string, AnyCheck>();
  readonly #interrupts = new Map<number, AnyCheck>();
  /** Prefixes of the devices' own lines. */
  readonly #prefixes: readonly string[];
  readonly #splitter = new LineSplitter((line) => this.#line(line));
  /** The instance under test, according to `consoleLine`. */
  #tested: AnyCheck | undefined;
  /** The instance under test, according to the console lines in the stream. */
  #running: AnyCheck | undefined;
  /** Instances whose test has finished. */
  readonly #finished = new Set<AnyCheck>();
  readonly #isCrash: (consoleLine: string) => boolean;
  #lines = 0;

  /** `isCrash`: whether a console line reports a kernel crash. */
  constructor(
    instances: readonly CheckedInstance[],
    isCrash: (consoleLine: string) => boolean = () => false,
  ) {
    this.#isCrash = isCrash;
    for (const { id, checker, options = {} } of instances) {
      const check = new Checker(checker, options);
      this.#checks.set(id, check);
      if (options.monitor?.accesses && checker.region !== undefined)
        this.#regions.set(`${id}-${checker.region}`, check);
      if (options.monitor?.interrupt !== undefined) this.#interrupts.set(options.monitor.interrupt, check);
    }
    this.#prefixes = [...new Set(instances.map(({ checker }) => checker.prefix))];
  }

  /** Takes the next bytes of the trace stream, split anywhere. */
  feed(chunk: Uint8Array | string): void {
    this.#splitter.push(chunk);
  }

  /** Takes a line of the guest's console, without its newline. A test's output belongs to the device under test. */
  consoleLine(line: string): void {
    const mark = sectionMark(line);
    if (mark === undefined) {
      this.#tested?.consoleLine(line);
      return;
    }
    const check = this.#checks.get(instanceOf(mark.id));
    this.#tested = mark.kind === 'test' ? check : undefined;
    if (check !== undefined) this.#finished[mark.kind === 'result' ? 'add' : 'delete'](check);
  }

  /** Whether every verdict has failed, so that a live run may be stopped early. */
  get failed(): boolean {
    for (const check of this.#checks.values()) if (!check.failed) return false;
    return true;
  }

  /** The verdicts, in the order of the instances. Call it once. */
  end(): readonly InstanceVerdict[] {
    const truncated = this.#splitter.takeRest();
    return [...this.#checks].map(([id, check]) => ({
      id,
      verdict: check.end(truncated, this.#lines, this.#finished.has(check)),
    }));
  }

  /** Most lines are accesses of other devices, such as the console's UART, so these are handled first. */
  #line(text: string): void {
    this.#lines += 1;
    if (text.startsWith(OPERATION)) {
      // … name 'left-regs'
      const name = text.slice(text.lastIndexOf("'", text.length - 2) + 1, -1);
      this.#regions.get(name)?.accessSeen(text);
    } else if (text.startsWith('console ')) {
      const printed = parseConsoleLine(text);
      if (printed !== undefined) this.#printed(printed.text);
    } else if (text.startsWith('gic')) {
      this.#interruptLine(text);
    } else {
      this.#ownLine(text);
    }
  }

  /** Takes a console line that the guest printed between events. */
  #printed(line: string): void {
    const mark = sectionMark(line);
    if (mark !== undefined)
      this.#running = mark.kind === 'test' ? this.#checks.get(instanceOf(mark.id)) : undefined;
    else this.#running?.printed(line);
    if (this.#isCrash(line)) for (const check of this.#checks.values()) check.crash();
  }

  #interruptLine(text: string): void {
    const match = INTERRUPT_LINE.exec(text);
    if (match === null) return;
    const check = this.#interrupts.get(Number(match[1] ?? match[3]));
    check?.edgeSeen((match[2] ?? match[4]) !== '0');
  }

  /** `led_write id=left seq=…` */
  #ownLine(text: string): void {
    const space = text.indexOf(' ');
    if (space > 0 && text.startsWith('id=', space + 1)) {
      const end = text.indexOf(' ', space + 4);
      const check = this.#checks.get(text.slice(space + 4, end < 0 ? undefined : end));
      if (check !== undefined && text.startsWith(check.prefix)) {
        check.own(text, this.#lines);
        return;
      }
    }
    // The event names no known instance: it is missing from some instance's sequence.
    if (!this.#prefixes.some((prefix) => text.startsWith(prefix))) return;
    for (const check of this.#checks.values())
      if (text.startsWith(check.prefix)) check.unparsable(text, this.#lines);
  }
}

interface SavedFileOptions {
  /** Path of the saved console of the same run, for the `guest` option. */
  readonly console?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly isCrash?: ((consoleLine: string) => boolean) | undefined;
}

/**
 * Checks a saved stream in bounded memory.
 *
 * @throws the file system's error if a file cannot be read; AbortError.
 */
export async function checkMachineFile(
  path: string,
  instances: readonly CheckedInstance[],
  { console, signal, isCrash }: SavedFileOptions = {},
): Promise<readonly InstanceVerdict[]> {
  const crosscheck = new MachineCrosscheck(instances, isCrash);
  if (console !== undefined) {
    const lines = new LineSplitter((line) => crosscheck.consoleLine(line));
    for await (const chunk of readChunks(console, signal)) lines.push(chunk);
    lines.end();
  }
  for await (const chunk of readChunks(path, signal)) crosscheck.feed(chunk);
  return crosscheck.end();
}

function readChunks(path: string, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 256 * 1024, signal });
}
