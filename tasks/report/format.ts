// SPDX-License-Identifier: MIT
/** Durations, sizes and widths for people. */
import { stripVTControlCharacters, styleText } from 'node:util';

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

/** How far a task is, and since when. */
export interface TaskProgress {
  readonly done: number;
  readonly total: number | undefined;
  readonly unit: 'bytes' | 'steps';
  /** Milliseconds and amount at the first report, for the speed. */
  readonly since: { readonly at: number; readonly done: number };
}

/** '[123/1305]' or '12.0 MiB of 130.2 MiB, 9%, 3.1 MiB/s, 38 s left'. `now` in milliseconds. */
export function progress({ done, total, unit, since }: TaskProgress, now: number): string {
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

/** A tool's line without control sequences and tabs, and only what follows the last carriage return. */
export function printable(line: string): string {
  const shown = stripVTControlCharacters(line)
    .split('\r')
    .findLast((part) => part.trim() !== '');
  // eslint-disable-next-line no-control-regex -- to remove them
  return (shown ?? '').replaceAll('\t', ' ').replaceAll(/[\x00-\x1f\x7f]/g, '');
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
