// SPDX-License-Identifier: MIT
/** Tests the export formats, the sketch, and the comparison of two runs. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { diverged, hostile, passed, recordingOf, several } from '../../test/support/page-runs.js';
import { compareRuns, comparisonPage, comparisonText } from './compare.js';
import { pageData } from './page/data.js';
import { perfetto } from './perfetto.js';
import { sketch } from './sketch.js';
import { vcd } from './vcd.js';

describe('VCD', () => {
  it('declares each variable and gives its changes in the order of time', () => {
    const text = vcd(recordingOf(several()));
    expect(text).toMatch(/^\$timescale 1 ns \$end\n\$scope module stopwatch \$end\n/);
    expect(text).toContain('$scope module lap $end');
    expect(text).toMatch(/\$var wire 1 \S+ interrupt_line \$end/);
    const [head = '', body = ''] = text.split('$enddefinitions $end\n');
    const ids = [...head.matchAll(/^\$var (\w+) \d+ (\S+) /gm)];
    expect(new Set(ids.map(([, , id]) => id)).size).toBe(ids.length);
    const times = [...body.matchAll(/^#(\d+)$/gm)].map(([, time]) => Number(time));
    expect(times).toEqual([...new Set(times)].sort((one, other) => one - other));
    for (const line of body.trim().split('\n')) expect(line).toMatch(/^(?:#\d+|[01]\S+|r\S+ \S+|s\S+ \S+)$/);
    const [, , status] =
      ids.find(([line]) => line.includes('string') && head.includes(`${line}status `)) ?? [];
    expect(body).toContain(`sPAUSED ${status}\n`);
  });

  it('stands a hostile guest', () => {
    const lines = vcd(recordingOf(hostile())).split('$enddefinitions $end\n')[1]?.trim().split('\n') ?? [];
    for (const line of lines) expect(line).toMatch(/^(?:#\d+|[01]\S+|r\S+ \S+|s\S+ \S+)$/);
  });
});

/** https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU */
const event = z.discriminatedUnion('ph', [
  z.strictObject({
    ph: z.literal('X'),
    name: z.string(),
    ts: z.number(),
    dur: z.number().nonnegative(),
    pid: z.int(),
    tid: z.int(),
    args: z.record(z.string(), z.string()),
  }),
  z.strictObject({
    ph: z.literal('i'),
    s: z.literal('t'),
    name: z.string(),
    ts: z.number(),
    pid: z.int(),
    tid: z.int(),
    args: z.record(z.string(), z.string()),
  }),
  z.strictObject({
    ph: z.literal('C'),
    name: z.string(),
    ts: z.number(),
    pid: z.int(),
    tid: z.int(),
    args: z.strictObject({ value: z.number() }),
  }),
  z.strictObject({
    ph: z.literal('M'),
    name: z.enum(['process_name', 'thread_name']),
    ts: z.literal(0),
    pid: z.int(),
    tid: z.int(),
    args: z.strictObject({ name: z.string() }),
  }),
]);
const trace = z.strictObject({ displayTimeUnit: z.literal('ns'), traceEvents: z.array(event) });

it('the trace for Perfetto is what the format’s document says', () => {
  const { traceEvents } = trace.parse(JSON.parse(perfetto(recordingOf(several()))));
  const names = traceEvents.flatMap((one) =>
    one.ph === 'M' && one.name === 'process_name' ? one.args.name : [],
  );
  expect(names).toEqual(['stopwatch', 'lap', 'rng', 'the machine']);
  expect(traceEvents).toContainEqual(expect.objectContaining({ name: 'PAUSED', ph: 'X', pid: 1 }));
  expect(traceEvents.filter(({ ph }) => ph === 'X').every((one) => one.ts >= 0)).toBe(true);
});

it('a run in characters', () => {
  const run = diverged();
  const recording = recordingOf(run);
  const lines = sketch(recording, 100, pageData(recording, run.report).focus);
  expect(lines.map((line) => line.slice(0, 22).trim())).toEqual(
    [
      'stopwatch tests',
      'stopwatch accesses',
      'stopwatch status',
      'stopwatch timeout',
      'stopwatch error',
      'stopwatch interrupt li',
      '0 to 0.7660024 s',
    ].map((label) => label.slice(0, 21).trim()),
  );
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  const wrong = lines[1]?.indexOf('✖') ?? 0;
  expect(wrong).toBeGreaterThan(22);
  expect(lines.at(-1)?.[wrong]).toBe('▲');
  expect(lines[2]).toContain('PAUSED');
});

const compared = (make: typeof passed) => {
  const run = make();
  return { report: run.report, recording: recordingOf(run) };
};

describe('two runs', () => {
  it('that are the same', () => {
    const comparison = compareRuns(compared(passed), compared(passed));
    expect(comparison.rows.every(({ isSame }) => isSame)).toBe(true);
    expect(comparisonText(comparison)).toContain('The events are the same.');
  });

  it('whose events are the same at other times', () => {
    const run = passed();
    const later = { ...run, events: run.events.replace(/(stopwatch_end .*now=\d+)/, '$17') };
    const [one, other] = [run, later].map((each) => ({ report: run.report, recording: recordingOf(each) }));
    if (one === undefined || other === undefined) throw new Error('Two runs');
    expect(compareRuns(one, other).eventDifferences).toMatchObject([
      { id: 'stopwatch', what: 'times', same: 48 },
    ]);
  });

  it('that differ: in what, and from which event on', () => {
    const comparison = compareRuns(compared(passed), compared(diverged));
    const text = comparisonText(comparison);
    expect(text).toMatch(/^result +Passed +stopwatch diverges from its model$/m);
    expect(text).toMatch(/^exit code +0 +3$/m);
    expect(comparison.eventDifferences).toEqual([
      {
        id: 'stopwatch',
        what: 'events',
        same: 21,
        one: expect.stringContaining('seq=21 '),
        other: expect.stringContaining('seq=21 '),
      },
    ]);
    expect(comparisonPage(comparison, '')).toContain('stopwatch: the events differ after 21 equal events');
  });
});
