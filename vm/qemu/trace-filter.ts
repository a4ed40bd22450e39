// SPDX-License-Identifier: MIT
/**
 * Filters QEMU's log. Keeps the lines that the verdict needs: the devices' own events, the accesses to their regions, and
 * the interrupt controller's events. QEMU cannot trace a single region, so each byte of the console is traced as an
 * access to its UART. These lines are counted and dropped, and replaced by the console's text where it was printed:
 *
 *   console 1234: ok 5 resetting
 *
 * Any other line is a message of QEMU about a guest error.
 */
import { consoleLine } from '../crosscheck/console-lines.js';
import { INTERRUPT_LINE } from '../crosscheck/monitor.js';

const LINE_END = 0x0a;
const QUOTE = 0x27;
const OPERATION = Buffer.from('memory_region_ops_');
const INTERRUPT = Buffer.from('gic');
/** The data register of `virt`'s first UART. */
const UART = ' addr 0x9000000 value 0x';
const UART_WRITE =
  /^memory_region_ops_write cpu -?\d+ mr \S+ addr 0x9000000 value 0x([0-9a-f]+) size \d+ name 'pl011'$/;
/** Escape sequences and control characters. */
// oxlint-disable-next-line no-control-regex -- matching control characters is the purpose
const ESCAPES = /\u001b\[[0-?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Longer console lines are truncated, characters. */
const LONGEST = 500;

export interface TraceFilterOptions {
  /** Ids of the devices. QEMU names their regions `ID-regs`, `ID-mem`, … */
  readonly ids: readonly string[];
  /** Prefixes of the devices' own events. */
  readonly prefixes: readonly string[];
  /** Also receives accesses to other regions, which are dropped. */
  readonly observer?: TraceObserver | undefined;
}

/** Receives trace events in order. */
export interface TraceObserver {
  /** The guest accesses the region of this name. */
  access(region: string): void;
  /** An input of the interrupt controller changes. */
  interrupt(number: number, level: boolean): void;
  /** The guest has printed a line on its console. */
  line(text: string): void;
}

/** The amount of trace that was dropped. */
export interface Dropped {
  readonly lines: number;
  readonly bytes: number;
}

export class TraceFilter {
  readonly #regions: readonly Buffer[];
  readonly #prefixes: readonly Buffer[];
  readonly #onKept: (bytes: Buffer) => void;
  readonly #onMessage: (bytes: Buffer) => void;
  readonly #observer: TraceObserver | undefined;
  /** The incomplete last line. */
  #rest: Buffer = Buffer.alloc(0);
  /** The last message. */
  #message: Buffer = Buffer.alloc(0);
  #console = '';
  /** Console bytes so far. */
  #printed = 0;
  #dropped = 0;
  #droppedBytes = 0;

  /** `onMessage` gets complete lines that are not trace events; the bytes are valid until it returns. */
  constructor(
    { ids, prefixes, observer }: TraceFilterOptions,
    onKept: (bytes: Buffer) => void,
    onMessage: (bytes: Buffer) => void,
  ) {
    this.#regions = ids.map((id) => Buffer.from(`${id}-`));
    this.#prefixes = prefixes.map((prefix) => Buffer.from(prefix));
    this.#onKept = onKept;
    this.#onMessage = onMessage;
    this.#observer = observer;
  }

  get dropped(): Dropped {
    return { lines: this.#dropped, bytes: this.#droppedBytes };
  }

  /** Takes the next bytes of the log, split anywhere. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    // Adjacent lines that are kept are passed on together.
    let from = 0;
    let at = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, at)) {
      const next = end + 1;
      const kind = this.#kindOf(bytes, at, end);
      if (kind !== 'kept') {
        if (at > from) this.#onKept(bytes.subarray(from, at));
        from = next;
        if (kind === 'message' && !this.#isRepeated(bytes.subarray(at, next)))
          this.#onMessage(bytes.subarray(at, next));
        else this.#drop(bytes, at, end);
      }
      at = next;
    }
    if (at > from) this.#onKept(bytes.subarray(from, at));
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** Ends the log. An incomplete last line is kept, so that its reader can report it. */
  end(): void {
    if (this.#rest.length > 0) this.#onKept(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  #kindOf(bytes: Buffer, start: number, end: number): 'kept' | 'dropped' | 'message' {
    if (startsWith(bytes, OPERATION, start)) {
      // … name 'ID-regs'
      const name = bytes.lastIndexOf(QUOTE, end - 2) + 1;
      this.#observer?.access(bytes.toString('latin1', name, end - 1));
      return this.#regions.some((region) => startsWith(bytes, region, name)) ? 'kept' : 'dropped';
    }
    if (startsWith(bytes, INTERRUPT, start)) {
      if (this.#observer !== undefined)
        observeInterrupt(this.#observer, bytes.toString('latin1', start, end));
      return 'kept';
    }
    return this.#prefixes.some((prefix) => startsWith(bytes, prefix, start)) ? 'kept' : 'message';
  }

  /** Suppresses repetitions: a guest may cause the same error with every byte that it prints. */
  #isRepeated(message: Buffer): boolean {
    if (message.equals(this.#message)) return true;
    this.#message = Buffer.from(message);
    return false;
  }

  #drop(bytes: Buffer, start: number, end: number): void {
    this.#dropped += 1;
    this.#droppedBytes += end + 1 - start;
    if (bytes[end - 1] !== QUOTE) return;
    const line = bytes.toString('latin1', start, end);
    if (!line.endsWith("'pl011'") || !line.includes(UART)) return;
    const match = UART_WRITE.exec(line);
    if (match !== null) this.#print(Number.parseInt(match[1] ?? '0', 16) & 0xff);
  }

  /** Takes a byte that the guest wrote to its console. */
  #print(code: number): void {
    this.#printed += 1;
    if (code === LINE_END) {
      const text = this.#console.replaceAll(ESCAPES, '');
      this.#console = '';
      this.#observer?.line(text);
      this.#onKept(Buffer.from(`${consoleLine(text, this.#printed)}\n`, 'latin1'));
    } else if (this.#console.length < LONGEST) this.#console += String.fromCharCode(code);
  }
}

function observeInterrupt(observer: TraceObserver, line: string): void {
  const [, two, twoLevel, three, threeLevel] = INTERRUPT_LINE.exec(line) ?? [];
  observer.interrupt(Number(two ?? three), (twoLevel ?? threeLevel) === '1');
}

function startsWith(bytes: Buffer, text: Buffer, at: number): boolean {
  return (
    at >= 0 &&
    bytes[at] === text[0] &&
    at + text.length <= bytes.length &&
    bytes.compare(text, 0, text.length, at, at + text.length) === 0
  );
}
