// SPDX-License-Identifier: MIT
/** Formats durations, sizes and lines for people, and cleans text from tools and guests before it is shown. */
import { styleText } from 'node:util';
import type { ProgressUnit } from '../engine/events.js';
import { withoutCredentials } from '../../lib/credentials.js';
import { printable } from '../../lib/printable.js';

/** '0.33 s', '12.4 s', '1 min 44 s', '1 h 02 min' */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** '812 B', '4.2 MiB' */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The progress of a task. */
export interface TaskProgress {
  readonly done: number;
  readonly total: number | undefined;
  readonly unit: ProgressUnit;
  /** Milliseconds and amount at the first report, for the speed. */
  readonly since: { readonly at: number; readonly done: number };
}

/** '[123/1305]', 'about 43%' or '12.0 MiB of 130.2 MiB, 9%, 3.1 MiB/s, 38 s left'. `now` in milliseconds. */
export function progress({ done, total, unit, since }: TaskProgress, now: number): string {
  if (unit === 'percent') return `about ${done}%`;
  if (unit === 'steps') return total === undefined ? `[${done}]` : `[${done}/${total}]`;
  const words = [total === undefined ? bytes(done) : `${bytes(done)} of ${bytes(total)}`];
  if (total !== undefined && total > 0) words.push(`${Math.floor((done / total) * 100)}%`);
  const seconds = (now - since.at) / 1000;
  const perSecond = (done - since.done) / seconds;
  // The first second's average is not reliable.
  if (seconds >= 1 && perSecond > 0) {
    words.push(`${bytes(Math.round(perSecond))}/s`);
    if (total !== undefined) words.push(`${duration(((total - done) / perSecond) * 1000)} left`);
  }
  return words.join(', ');
}

/** A tool's line as one row: the text after its last carriage return, without tabs, passwords and terminal control characters. */
export function toolLine(line: string): string {
  const last = line.split('\r').findLast((part) => printable(part).trim() !== '') ?? '';
  return withoutCredentials(printable(last)).replaceAll('\t', ' ');
}

/** Removes passwords and terminal control characters from text that may contain a tool's or a guest's. */
export function cleaned(text: string): string {
  return text
    .split('\n')
    .map((line) => withoutCredentials(printable(line)))
    .join('\n');
}

/** Colour sequences of `painter`. */
// oxlint-disable-next-line no-control-regex -- that is how colours begin
const PAINT = /(\u001B\[(?:1|2|22|3[1236]|39)m)/;

/** The same, but keeps our own colours. */
export function cleanedPainted(text: string, colour: boolean): string {
  if (!colour) return cleaned(text);
  const parts = text.split(PAINT);
  return parts.map((part, index) => (index % 2 === 1 ? part : cleaned(part))).join('');
}

/** Formats as JSON without passwords, terminal control characters, and `##[`, which is a command for GitHub. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, cleanString, indent)
    .replaceAll(/[\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g, (sign) => unicode(sign))
    .replaceAll('##[', `##${unicode('[')}`);
}

function cleanString(_: string, value: unknown): unknown {
  return typeof value === 'string' ? withoutCredentials(value) : value;
}

function unicode(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Wraps text at blanks to lines of at most `columns`. Text after a label and two blanks is indented below itself. */
export function wrapped(text: string, columns: number): string[] {
  if (text.length <= columns) return [text];
  const [label = ''] = /^ *\S.*? {2,}|^ */.exec(text) ?? [];
  const indent = ' '.repeat(label.length < columns / 2 ? label.length : 2);
  const lines: string[] = [];
  let line = label;
  let isEmpty = true;
  for (const word of text.slice(label.length).split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** At most `width` characters, with an ellipsis if it was longer. */
export function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;

/** Colours, or none. */
export function painter(colour: boolean): Paint {
  if (!colour) return (_, text) => text;
  // The caller has decided whether there is a terminal.
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** Where a reporter writes: a stream, or a test's list. */
export interface Output {
  /** Text with its newlines. */
  write(text: string): void;
  /** Columns of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
}
