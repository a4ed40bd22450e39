// SPDX-License-Identifier: MIT
/** Formats a recording as Chrome trace JSON, for ui.perfetto.dev and chrome://tracing. Pure. */
import { CONSOLE_SOURCE } from './page/page-data.js';
import type { Lane, RecordedDevice, Recording } from './page/recording.js';

/** `ts` and `dur` are in microseconds, with nanoseconds as a fraction. */
export interface PerfettoEvent {
  readonly name: string;
  readonly ph: 'X' | 'i' | 'C' | 'M';
  readonly ts: number;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly s?: 't';
  readonly args?: Readonly<Record<string, string | number>>;
}

const [TESTS, ACCESSES, FIRST_LANE] = [1, 2, 3];

/** Each device is a process with threads for its tests, accesses and states; numbers are counters. */
export function perfetto({ devices, rows }: Recording): string {
  const end = rows.at(-1)?.time ?? 0;
  const machine = devices.length + 1;
  const traceEvents: PerfettoEvent[] = [
    ...devices.flatMap((device, index) => deviceEvents(device, index + 1, end)),
    name('process_name', machine, 0, 'the machine'),
    name('thread_name', machine, 1, 'console'),
    ...rows
      .filter(({ mark }) => mark !== 'effect')
      .map(({ source, time, text, raw, seq, judged }): PerfettoEvent => {
        const isConsole = source === CONSOLE_SOURCE;
        return {
          name: text,
          ph: 'i',
          s: 't',
          ts: time / 1000,
          pid: isConsole ? machine : source + 1,
          tid: isConsole ? 1 : ACCESSES,
          args: isConsole ? { raw } : { raw, seq, judged },
        };
      }),
  ];
  return JSON.stringify({ displayTimeUnit: 'ns', traceEvents });
}

function deviceEvents(
  { id, tests, lanes }: RecordedDevice,
  pid: number,
  end: number,
): readonly PerfettoEvent[] {
  return [
    name('process_name', pid, 0, id),
    name('thread_name', pid, TESTS, 'tests'),
    name('thread_name', pid, ACCESSES, 'accesses'),
    ...tests.map(({ name: test, status, from, to }) => slice(test, pid, TESTS, from, to, { status })),
    ...lanes.flatMap((lane, index) => laneEvents(lane, pid, FIRST_LANE + index, end)),
  ];
}

function laneEvents(lane: Lane, pid: number, tid: number, end: number): readonly PerfettoEvent[] {
  const { kind, times, values } = lane;
  if (kind === 'state')
    return [
      name('thread_name', pid, tid, lane.name),
      ...times.map((time, index) => slice(String(values[index]), pid, tid, time, times[index + 1] ?? end)),
    ];
  return times.flatMap((time, index): PerfettoEvent[] => {
    const value = values[index];
    return value == null
      ? []
      : [{ name: lane.name, ph: 'C', ts: time / 1000, pid, tid: 0, args: { value: Number(value) } }];
  });
}

function slice(text: string, pid: number, tid: number, from: number, to: number, args = {}): PerfettoEvent {
  return { name: text, ph: 'X', ts: from / 1000, dur: (to - from) / 1000, pid, tid, args };
}

function name(what: string, pid: number, tid: number, text: string): PerfettoEvent {
  return { name: what, ph: 'M', ts: 0, pid, tid, args: { name: text } };
}
