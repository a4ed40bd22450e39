// SPDX-License-Identifier: MIT
/** The verdict of a save as text, beside that of the one before. Pure. */
import { EXIT } from '../../../lib/errors.js';
import { duration, fit, type Paint } from '../../report/format.js';

/** What became of one save. */
export interface SaveVerdict {
  readonly exitCode: number;
  /** Relative to the package; empty when the run was asked for by a key. */
  readonly saved: readonly string[];
  /** From the save to the verdict, milliseconds. */
  readonly durationMs: number;
  /** Why it did not pass; '' when it did. */
  readonly why: string;
}

const WORDS: Readonly<Record<number, string>> = {
  [EXIT.passed]: 'passed',
  [EXIT.testFailed]: 'FAILED',
  [EXIT.usage]: 'BAD CONFIGURATION',
  [EXIT.differs]: 'DIFFERS',
  [EXIT.guest]: 'CRASHED',
  [EXIT.host]: 'NOT BUILT',
};

/** Columns of the reason. */
const WHY = 90;
/** Names of saved files that are shown before it is only a number. */
const SHOWN = 3;

export function verdictLines(now: SaveVerdict, before: SaveVerdict | undefined, paint: Paint): string[] {
  return [
    oneLine('Now   ', now, paint),
    before === undefined ? `Before  ${paint('dim', 'nothing yet')}` : oneLine('Before', before, paint),
  ];
}

function oneLine(label: string, { exitCode, saved, durationMs, why }: SaveVerdict, paint: Paint): string {
  const passed = exitCode === EXIT.passed;
  const word = paint(passed ? 'green' : 'red', `${passed ? '✔' : '✖'} ${WORDS[exitCode] ?? 'FAILED'}`);
  const what = `${savedText(saved)}${why === '' ? '' : `: ${fit(why, WHY)}`}`;
  return `${label}  ${word} ${paint('dim', `in ${duration(durationMs)}`)}  ${what}`;
}

export function savedText(saved: readonly string[]): string {
  if (saved.length === 0) return 'run again';
  const more = saved.length > SHOWN ? ` and ${saved.length - SHOWN} more` : '';
  return `${saved.slice(0, SHOWN).join(', ')}${more}`;
}
