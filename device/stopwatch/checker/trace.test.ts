// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { TRACE, type TraceEvent } from './trace.js';

const at = { id: 'lap-2', seq: 7n, now: 1_234n };
const U64 = (1n << 64n) - 1n;
const EVENTS: readonly TraceEvent[] = [
  { event: 'reset', ...at, startAtBoot: true, writes: true, frequency: 62_500_000n },
  { event: 'write', ...at, offset: 0x30n, value: U64, size: 8 },
  { event: 'read', ...at, offset: 0xfffn, value: 0n, size: 1 },
  { event: 'mem', ...at, dataLen: 10n },
  { event: 'text', ...at, dataLen: 13n, text: '12.34 seconds' },
  { event: 'timer', ...at, deadline: 1_200n },
  { event: 'irq', ...at, level: false },
  { event: 'error', ...at, raised: 2n, error: 0x1fn },
  { event: 'state', ...at, status: 2n, elapsed: 99n, timeout: 1n, deadline: 5_000n, count: 3n, error: 0n },
  { event: 'lap', ...at, index: 63n, split: U64, laps: 64n },
  { event: 'ring', ...at, laps: 64n, capacity: 64n, taken: U64 },
  { event: 'doorbell', ...at },
  { event: 'requests', ...at, head: U64 },
  { event: 'request', ...at, counter: U64 },
  { event: 'answer', ...at, number: 33n, split: U64 },
  { event: 'tail', ...at, taken: 34n },
  {
    event: 'page',
    ...at,
    pageSeq: 4n,
    disruption: 1n,
    flags: 1n,
    state: 2n,
    accumulated: 99n,
    counter: 77n,
    frequency: 0n,
  },
  { event: 'load', ...at, writes: true, frequency: 0n, pageSeq: 2n, disruption: 3n, laps: 5n, taken: 6n },
  { event: 'resume', ...at },
  { event: 'end', ...at },
];

/** The patterns that QEMU's tracing makes its lines of, as regular expressions: an independent reader of what QEMU is given. */
const FORMATS = new Map(
  TRACE.text
    .split('\n')
    .filter((line) => line.startsWith(TRACE.prefix))
    .map((line) => {
      const name = line.slice(0, line.indexOf('('));
      const format = line
        .slice(line.indexOf(') ') + 2)
        .replaceAll('\\"', '\0')
        .replace(/PRI(?:u|d|x)64/g, (macro) => `"${macro[3]}"`)
        .replace(/"\s*"/g, '')
        .replaceAll('"', '')
        .replaceAll('\0', '"');
      return [name, format] as const;
    }),
);

it('is what QEMU’s tracetool reads', () => {
  expect(TRACE.text.split('\n')).toContain(
    'stopwatch_text(const char *id, uint64_t seq, int64_t now, uint64_t data_len, const char *text) "id=%s seq=%" PRIu64 " now=%" PRId64 " data_len=0x%" PRIx64 " text=\\"%s\\""',
  );
  expect(TRACE.text.split('\n')).toContain(
    'stopwatch_end(const char *id, uint64_t seq, int64_t now) "id=%s seq=%" PRIu64 " now=%" PRId64',
  );
});

describe('lines of the trace', () => {
  it.each(EVENTS)('$event: a line and back', (event) => {
    expect(TRACE.parse(TRACE.format(event))).toEqual(event);
  });

  it.each(EVENTS)('$event: is written as QEMU writes it', (event) => {
    const format = FORMATS.get(`${TRACE.prefix}${event.event}`);
    const pattern = format?.replace(/%+[udxs]/g, (spec) =>
      spec.endsWith('x') ? '[0-9a-f]+' : spec.endsWith('s') ? '.*' : '-?\\d+',
    );
    expect(TRACE.format(event)).toMatch(new RegExp(`^${TRACE.prefix}${event.event} ${pattern}$`));
  });

  it('declares every event to QEMU and no other', () => {
    expect([...FORMATS.keys()].sort()).toEqual(EVENTS.map(({ event }) => `${TRACE.prefix}${event}`).sort());
  });

  it.each(EVENTS.filter(({ event }) => event !== 'resume' && event !== 'end'))(
    '$event: no part of it, and nothing more',
    (event) => {
      const line = TRACE.format(event);
      // What a cut leaves is a whole line only where it falls inside the last number: the missing line end tells then.
      const lastField = line.lastIndexOf(' ');
      for (let length = TRACE.prefix.length; length <= lastField; length += 1) {
        expect(TRACE.parse(line.slice(0, length))).toBeUndefined();
      }
      expect(TRACE.parse(`${line} x=1`)).toBeUndefined();
      expect(TRACE.parse(` ${line}`)).toBeUndefined();
    },
  );

  it.each([
    'stopwatch_start id=lap seq=1 now=2',
    'stopwatch_irq id=lap seq=1 now=2 level=2',
    'stopwatch_irq id=lap seq=-1 now=2 level=1',
    'stopwatch_mem id=lap seq=1 now=2 data_len=0x10000000000000000',
    'stopwatch_toString id=lap seq=1 now=2',
    'stopwatch_irq seq=1 now=2 level=1',
    'stopwatch_irq id= seq=1 now=2 level=1',
    'stopwatch_',
  ])('refuses %s', (line) => {
    expect(TRACE.parse(line)).toBeUndefined();
  });
});
