// SPDX-License-Identifier: MIT
/** Compares two runs. Pure. */
import { html, section, table } from './page/html.js';
import { durationText } from './page/build.js';
import { CONSOLE_SOURCE } from './page/page-data.js';
import { documentOf } from './page/page.js';
import type { Recording } from './page/recording.js';
import { seconds } from './page/text.js';
import { headline } from './page/verdict.js';
import { REPORT_SCHEMA, type RunReport } from './report.js';

export interface ComparedRun {
  readonly report: RunReport;
  readonly recording: Recording;
}

export interface Comparison {
  readonly names: readonly [string, string];
  readonly rows: readonly ComparedValue[];
  /** The first different event of each device. */
  readonly eventDifferences: readonly EventDifference[];
}

export interface ComparedValue {
  readonly what: string;
  readonly one: string;
  readonly other: string;
  readonly isSame: boolean;
}

export interface EventDifference {
  readonly id: string;
  /** times: the same events happen at different times. */
  readonly what: 'times' | 'events';
  /** Number of equal events before. */
  readonly same: number;
  /** Undefined at the end of the stream. */
  readonly one: string | undefined;
  readonly other: string | undefined;
}

export function compareRuns(one: ComparedRun, other: ComparedRun): Comparison {
  const [values, others] = [valuesOf(one), valuesOf(other)];
  const whats = [...new Set([...values.keys(), ...others.keys()])];
  const ids = new Set([...one.recording.devices, ...other.recording.devices].map(({ id }) => id));
  return {
    names: [one.report.host.runId, other.report.host.runId],
    rows: whats.map((what) => {
      const [a, b] = [values.get(what) ?? '', others.get(what) ?? ''];
      return { what, one: a, other: b, isSame: a === b };
    }),
    eventDifferences: [...ids].flatMap((id) => eventDifferencesOf(id, one.recording, other.recording)),
  };
}

function valuesOf({ report: { host, result }, recording }: ComparedRun): ReadonlyMap<string, string> {
  return new Map([
    ['result', headline({ host, result, schema: REPORT_SCHEMA })],
    ['exit code', String(result.exitCode)],
    ['guest', `${result.guest.outcome}: ${result.guest.reason}`],
    ['duration', durationText(host.durationMs)],
    ...host.stages.map(({ name, durationMs }) => [name, durationText(durationMs)] as const),
    ['virtual time', seconds(recording.rows.at(-1)?.time ?? 0)],
    ...result.devices.flatMap(({ id, verdict, tests }): [string, string][] => [
      [`${id}: cross-check`, verdict?.result ?? 'not judged'],
      [`${id}: events`, String(verdict?.events ?? 0)],
      ...Object.entries(verdict?.counts ?? {}).map(([what, count]): [string, string] => [
        `${id}: ${what}`,
        String(count),
      ]),
      ...tests.flatMap((test) =>
        test.tests.map(({ name, status }): [string, string] => [`${test.suite}: test ${name}`, status]),
      ),
    ]),
  ]);
}

function eventDifferencesOf(id: string, one: Recording, other: Recording): readonly EventDifference[] {
  const [lines, others] = [linesOf(one, id), linesOf(other, id)];
  const firstAt = (wordsOf: (line: string | undefined) => string | undefined): number => {
    const longest = Math.max(lines.length, others.length);
    for (let at = 0; at < longest; at++) if (wordsOf(lines[at]) !== wordsOf(others[at])) return at;
    return -1;
  };
  const times = firstAt((line) => line);
  const events = firstAt((line) => line?.replace(/ now=-?\d+/, ''));
  return [
    ...(times === events ? [] : [{ what: 'times' as const, same: times }]),
    ...(events < 0 ? [] : [{ what: 'events' as const, same: events }]),
  ].map(({ what, same }) => ({ id, what, same, one: lines[same], other: others[same] }));
}

function linesOf({ devices, rows }: Recording, id: string): readonly string[] {
  const index = devices.findIndex((device) => device.id === id);
  return rows.filter(({ source }) => source === index && source !== CONSOLE_SOURCE).map(({ raw }) => raw);
}

/** Text for a terminal. Shows only the differences. */
export function comparisonText({ names, rows, eventDifferences }: Comparison): string {
  const shown = rows.filter(({ isSame }) => !isSame);
  const width = Math.max(...shown.map(({ what }) => what.length), 0);
  const first = Math.max(...shown.map(({ one }) => one.length), names[0].length);
  const line = (what: string, one: string, other: string): string =>
    `${what.padEnd(width)}  ${one.padEnd(first)}  ${other}`.trimEnd();
  return [
    line('', ...names),
    ...shown.map(({ what, one, other }) => line(what, one, other)),
    `${rows.length - shown.length} other values are the same.`,
    ...(eventDifferences.length === 0
      ? ['The events are the same.']
      : eventDifferences.flatMap(differenceLines)),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

function differenceLines({ id, what, same, one, other }: EventDifference): readonly string[] {
  return [
    `The ${what} of ${id} differ after ${same} equal events:`,
    `  < ${one ?? 'the end of the stream'}`,
    `  > ${other ?? 'the end of the stream'}`,
  ];
}

/** An HTML page. `style`: the style sheet of a run's page. */
export function comparisonPage({ names, rows, eventDifferences }: Comparison, style: string): string {
  const title = `Two runs: ${names[0]} and ${names[1]}`;
  const shown = (isSame: boolean) =>
    rows.filter((row) => row.isSame === isSame).map(({ what, one, other }) => [what, one, other]);
  return documentOf({
    title,
    style,
    scripts: [],
    body: html`<header><h1>${title}</h1></header>
<main>
${section('different', 'Differences', table('Values that differ', ['', ...names], shown(false)))}
${section(
  'events',
  'First different events',
  eventDifferences.length === 0
    ? html`<p>The events are the same.</p>`
    : eventDifferences.map(({ id, what, same, one, other }) =>
        table(
          `${id}: the ${what} differ after ${same} equal events`,
          ['run', 'event'],
          [
            [names[0], html`<code>${one ?? 'the end of the stream'}</code>`],
            [names[1], html`<code>${other ?? 'the end of the stream'}</code>`],
          ],
        ),
      ),
)}
${section('same', 'Equal values', table('Equal values', ['', ...names], shown(true)))}
</main>`,
  });
}
