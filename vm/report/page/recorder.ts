// SPDX-License-Identifier: MIT
/**
 * Creates a Recording from the saved files of a run, by checking them again.
 *
 * The stream contains the console lines where the guest printed them. If it lacks
 * them, printk's timestamps order the lines among the events.
 */
import { createReadStream } from 'node:fs';
import { LineSplitter } from '../../../lib/lines.js';
import { printable } from '../../../lib/printable.js';
import {
  type CheckedInstance,
  type CheckedRegister,
  MachineCrosscheck,
  type Observed,
} from '../../crosscheck/index.js';
import { parseConsoleLine } from '../../crosscheck/console-lines.js';
import { Lanes } from './lanes.js';
import { type Bar, type RecordedDevice, type Recording, type RegisterUse, type Row } from './recording.js';
import { barsOf, type Line, merge, mergeByTime, type Placed } from './rows.js';
import { seconds, visible } from './text.js';

/** Maximum number of rows. The last half of this number is always kept. */
export const MOST_ROWS = 120_000;
/** Maximum number of events to keep after the first difference. */
const AFTERWARDS = 10_000;
/** Maximum number of characters to keep of a console line. */
const LONGEST_LINE = 8 * 1024;

export interface RecordedFiles {
  readonly events: string | undefined;
  readonly console: string;
}

/** @throws the file system's error if a file cannot be read. */
export async function recordFiles(
  { events, console }: RecordedFiles,
  instances: readonly RecordedInstance[],
): Promise<Recording> {
  const recorder = new Recorder(instances);
  for await (const chunk of chunksOf(console)) recorder.console(chunk);
  if (events !== undefined) for await (const chunk of chunksOf(events)) recorder.events(chunk);
  return recorder.end();
}

function chunksOf(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 256 * 1024 });
}

/** `checked`: absent if the device has no checker. */
export interface RecordedInstance {
  readonly id: string;
  readonly device: string;
  readonly checked?: CheckedInstance | undefined;
}

export class Recorder {
  readonly #devices: readonly Collected[];
  readonly #crosscheck: MachineCrosscheck;
  readonly #splitter = new LineSplitter((line) => this.#line(line));
  readonly #console = new LineSplitter((line) => this.#consoleLine(line), { longest: LONGEST_LINE });
  readonly #most: number;
  #events: Placed[] = [];
  #lines: Line[] = [];
  /** Console bytes written up to this event. */
  #bytes = 0;
  /** Offset of the current line in the console's log, and its bytes so far. */
  #lineStart = 0;
  #lineLength = 0;
  /** Number of rows left out. */
  #cut = { events: 0, afterwards: 0, lines: 0 };
  /** Number of events still to keep after the first difference. */
  #left: number | undefined;

  constructor(instances: readonly RecordedInstance[], most = MOST_ROWS) {
    this.#most = most;
    this.#devices = instances.map(
      (instance, source) => new Collected(instance, (row) => this.#row(row, source)),
    );
    const checked = instances.flatMap(({ checked: one }, source) => {
      const observe = (observed: Observed): void => this.#devices[source]?.observe(observed);
      return one === undefined ? [] : { ...one, options: { ...one.options, observe } };
    });
    this.#crosscheck = new MachineCrosscheck(checked);
  }

  /** Takes the next bytes of the trace. */
  events(chunk: Buffer | string): void {
    this.#splitter.push(chunk);
  }

  /** Takes the next bytes of the console's log, line by line, because lines are ordered among the events by their offsets. */
  console(chunk: Buffer): void {
    let from = 0;
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, from)) {
      this.#lineLength += newline - from;
      this.#console.push(chunk.subarray(from, newline + 1));
      this.#lineStart += this.#lineLength + 1;
      this.#lineLength = 0;
      from = newline + 1;
    }
    this.#lineLength += chunk.length - from;
    this.#console.push(chunk.subarray(from));
  }

  end(): Recording {
    this.#splitter.end();
    this.#console.end();
    const rows = this.#bytes > 0 ? merge(this.#events, this.#lines) : mergeByTime(this.#events, this.#lines);
    const tests = barsOf(rows);
    return {
      devices: this.#devices.map((device) => device.end(tests.get(device.id) ?? [])),
      rows,
      notes: this.#notes(),
    };
  }

  #line(line: string): void {
    this.#bytes = parseConsoleLine(line)?.bytes ?? this.#bytes;
    this.#crosscheck.feed(`${line}\n`);
  }

  #row(row: Omit<Row, 'source'>, source: number): boolean {
    if (this.#left !== undefined) this.#left -= 1;
    else if (row.judged === 'differs' || row.judged === 'invalid') this.#left = AFTERWARDS;
    if ((this.#left ?? 1) <= 0) {
      this.#cut.afterwards += 1;
      return false;
    }
    this.#events.push({ ...row, source, bytes: this.#bytes });
    if (this.#events.length > this.#most) {
      const gone = this.#events.splice(0, Math.ceil(this.#most / 2));
      this.#cut.events += gone.length;
      for (const device of this.#devices) device.trim(this.#events[0]?.time ?? 0);
    }
    return true;
  }

  #consoleLine(text: string): void {
    // A shorter line can only lack a carriage return.
    const lost = text.length < LONGEST_LINE ? 0 : this.#lineLength - Buffer.byteLength(text);
    const raw = lost > 0 ? `${visible(text)}… (${lost} more bytes)` : visible(text);
    this.#lines.push({ bytes: this.#lineStart, text: visible(printable(text)), raw });
    if (this.#lines.length > this.#most)
      this.#cut.lines += this.#lines.splice(0, Math.ceil(this.#most / 2)).length;
  }

  #notes(): readonly string[] {
    const { events, afterwards, lines } = this.#cut;
    const first = this.#events[0]?.time ?? 0;
    return [
      ...(events > 0
        ? [`The first ${events} events, up to ${seconds(first)}, are left out: events.log has them.`]
        : []),
      ...(afterwards > 0
        ? [
            `The last ${afterwards} events, long after the first difference, are left out: events.log has them.`,
          ]
        : []),
      ...(lines > 0 ? [`The first ${lines} lines of the console are left out: console.log has them.`] : []),
    ];
  }
}

/** Collects the data of one device. */
class Collected {
  readonly id: string;
  readonly #device: string;
  readonly #checker: CheckedInstance['checker'] | undefined;
  readonly #push: (row: Omit<Row, 'source'>) => boolean;
  readonly #lanes = new Lanes();
  readonly #met = new Set<number>();
  readonly #registers = new Map<
    number,
    { name: string; offset: number; reads: Record<number, number>; writes: Record<number, number> }
  >();

  constructor({ id, device, checked }: RecordedInstance, push: (row: Omit<Row, 'source'>) => boolean) {
    this.id = id;
    this.#device = device;
    this.#checker = checked?.checker;
    this.#push = push;
  }

  observe({ event, role, text: raw, judged, states, decision }: Observed): void {
    const checker = this.#checker;
    if (checker === undefined) return;
    const time = Number(event.now);
    const access = checker.access(event);
    const { access: words, register = '' } =
      role === 'effect' ? { access: shortOf(event.event, raw) } : checker.words(event);
    const mark = role === 'effect' ? 'effect' : (access?.direction ?? 'other');
    if (!this.#push({ time, mark, text: visible(words), raw: visible(raw), judged, seq: String(event.seq) }))
      return;
    if (states !== undefined) {
      if (role !== 'effect') this.#lanes.put(time, states.before);
      this.#lanes.put(time, states.after);
    }
    const reported = checker.reported(event);
    if (reported !== undefined) this.#lanes[judged === 'unchecked' ? 'hold' : 'put'](time, reported);
    const level = checker.interrupt(event);
    if (level !== undefined) this.#lanes.level(time, level);
    if (decision !== undefined && judged === 'agrees') this.#met.add(decision);
    if (access !== undefined) this.#count(Number(access.offset), register, access.direction, access.size);
  }

  #count(offset: number, name: string, direction: 'read' | 'write', size: number): void {
    let use = this.#registers.get(offset);
    if (use === undefined) {
      use = { name: name || `offset 0x${offset.toString(16)}`, offset, reads: {}, writes: {} };
      this.#registers.set(offset, use);
    }
    const counts = direction === 'read' ? use.reads : use.writes;
    counts[size] = (counts[size] ?? 0) + 1;
  }

  trim(from: number): void {
    this.#lanes.trim(from);
  }

  end(tests: readonly Bar[]): RecordedDevice {
    const known = this.#checker?.registers ?? [];
    const used = [...this.#registers.values()].sort((one, other) => one.offset - other.offset);
    const others = used.filter(({ offset }) => !known.some((register) => register.offset === offset));
    const useOf = ({ name, offset, read, write }: CheckedRegister): RegisterUse => {
      const { reads = {}, writes = {} } = this.#registers.get(offset) ?? {};
      return { name, offset, read, write, reads, writes };
    };
    return {
      id: this.id,
      device: this.#device,
      lanes: this.#lanes.end(),
      tests,
      registers: [
        ...known.map(useOf),
        ...others.map(({ name, offset }) => useOf({ name, offset, read: [], write: [] })),
      ],
      decisions: (this.#checker?.decisions ?? []).map((name, index) => ({
        name,
        met: this.#met.has(index),
      })),
    };
  }
}

/** Shortens `NAME_irq id=lap seq=4 now=99 level=1` to `irq level=1`; other columns show the rest. */
function shortOf(event: string, raw: string): string {
  const [, rest = ''] = / now=-?\d+ (.*)$/s.exec(raw) ?? [];
  return rest === '' ? event : `${event} ${rest}`;
}
