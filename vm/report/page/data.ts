// SPDX-License-Identifier: MIT
/** Converts a recording to the data of the page's script. */
import { KIND } from '../../crosscheck/format.js';
import type { Divergence } from '../../crosscheck/index.js';
import type { RunReport } from '../report.js';
import { CONSOLE_SOURCE, type Difference, JUDGED, MARKS, type PageData } from './page-data.js';
import type { Recording } from './recording.js';
import { crashReportOf } from './rows.js';

export function pageData(recording: Recording, report: RunReport): PageData {
  const { rows } = recording;
  const differences = differencesOf(recording, report);
  let before = 0;
  const time = rows.map((row) => {
    const step = row.time - before;
    before = row.time;
    return step;
  });
  return {
    devices: recording.devices.map(({ id, lanes, tests }) => ({ id, lanes, tests })),
    rows: {
      time,
      source: rows.map(({ source }) => source),
      mark: rows.map(({ mark }) => MARKS.indexOf(mark)),
      judged: rows.map(({ judged }) => JUDGED.indexOf(judged)),
      seq: rows.map(({ seq }) => seq),
      text: rows.map(({ text }) => text),
      raw: rows.map(({ raw, text }) => (raw === text ? null : raw)),
    },
    differences,
    focus: focusOf(recording, report, differences),
  };
}

function differencesOf({ rows, devices }: Recording, { result }: RunReport): readonly Difference[] {
  return result.devices.flatMap(({ id, verdict }) => {
    const divergence = verdict?.divergence;
    const source = devices.findIndex((device) => device.id === id);
    if (divergence === undefined || source < 0) return [];
    const row = rows.findLastIndex((one) => one.source === source && one.seq === divergence.seq);
    return row < 0 ? [] : [{ row, ...differenceOf(divergence) }];
  });
}

function differenceOf({ kind, field, expected, actual }: Divergence): Omit<Difference, 'row'> {
  return { what: KIND[kind], field, expected, actual };
}

/** The row of the failure: the first difference, the kernel's crash, the first failed test, or the last console line of a guest that hung. */
function focusOf(
  recording: Recording,
  { result }: RunReport,
  differences: readonly Difference[],
): number | null {
  if (differences.length > 0) return Math.min(...differences.map(({ row }) => row));
  const { rows } = recording;
  const invalid = rows.findIndex(({ judged }) => judged === 'invalid');
  if (invalid >= 0) return invalid;
  if (result.exitCode === 0) return null;
  const splat = crashReportOf(recording);
  if (splat !== undefined) return splat.row;
  const failed = rows.findIndex(({ source, text }) => source === CONSOLE_SOURCE && /^\s*not ok /.test(text));
  return failed >= 0 ? failed : rows.length - 1;
}
