// SPDX-License-Identifier: MIT
/** Rows on a terminal, one per stale task, drawn over again while tasks run. */
import type { Event } from '../engine/events.js';
import { unreachable } from '../../lib/unreachable.js';
import {
  cleaned,
  cleanedPainted,
  toolLine,
  duration,
  fit,
  painter,
  progress,
  type Output,
} from './format.js';
import { RunModel, type TaskRow } from './progress-model.js';
import type { Reporter } from './reporter.js';
import { mark } from './summary.js';

/** Milliseconds before rows are drawn: a short run needs none. */
const OPEN_AFTER = 150;
/** Milliseconds between two redraws. */
const REDRAW_EVERY = 100;
const SPINNER = ['|', '/', '-', '\\'];

export function createTerminalReporter(output: Output, colour: boolean): Reporter {
  const paint = painter(colour);
  const model = new RunModel();
  const frame = new Frame(output);
  /** Of the present plan. */
  let stale: readonly string[] = [];
  let fresh = 0;
  let timer: NodeJS.Timeout | undefined;
  let turn = 0;

  const draw = (): void => {
    const { columns = 80, rows: height = 24 } = output;
    const rows = stale.flatMap((name) => model.rows.get(name) ?? []);
    const linesOf = (some: readonly TaskRow[]): string[] =>
      some.flatMap((row) => {
        const sign = row.state === 'running' ? paint('yellow', SPINNER[turn % 4] ?? '') : mark(row, paint);
        const last = row.state === 'running' && row.lastLine !== '' ? [row.lastLine] : [];
        return [
          `${sign} ${fit(textOf(row), columns - 2)}`,
          ...last.map((line) => paint('dim', `  › ${fit(line, columns - 4)}`)),
        ];
      });
    turn++;
    const all = [...(fresh > 0 ? [paint('dim', `  ${fresh} up to date`)] : []), ...linesOf(rows)];
    const few = (): string[] => linesOf(rows.filter(({ state }) => state === 'running'));
    frame.draw(all.length < height ? all : few().slice(0, height - 1));
  };
  const open = (): void => {
    timer = setTimeout(() => {
      draw();
      timer = setInterval(draw, REDRAW_EVERY);
    }, OPEN_AFTER);
  };
  const close = (): void => {
    clearInterval(timer);
    timer = undefined;
    frame.clear();
  };
  /** Above the rows. */
  const say = (text: string): void => {
    frame.clear();
    output.write(`${text}\n`);
  };

  function show(event: Event): void {
    switch (event.type) {
      case 'plan':
        close();
        stale = event.tasks.flatMap((task) => (task.fresh ? [] : task.name));
        fresh = event.tasks.length - stale.length;
        if (stale.length > 0) open();
        break;
      case 'task-line':
        // Without a plan there are no rows (installing packages): show each line.
        if (timer === undefined) output.write(`${paint('dim', toolLine(event.line))}\n`);
        break;
      case 'notice':
        say(cleanedPainted(event.text, colour));
        break;
      case 'waiting':
        say(`Waiting for the work directory: ${cleaned(event.holder)} has it`);
        break;
      case 'done':
        close();
        break;
      case 'task-start':
      case 'task-progress':
      case 'task-done':
      case 'task-fresh':
      case 'task-failed':
      case 'task-skipped':
      case 'compile-cache':
        // The next redraw, or the summary, shows it.
        break;
      default:
        unreachable(event);
    }
  }

  return {
    model,
    emit: (event) => {
      model.apply(event, performance.now());
      show(event);
    },
    finish: async () => close(),
  };
}

/** Title, how far it is, and how long it has taken. */
function textOf(row: TaskRow): string {
  const now = performance.now();
  const words = [row.title];
  if (row.state === 'running') {
    if (row.progress !== undefined) words.push(progress(row.progress, now));
    // Tenths of a second would flicker.
    const since = Math.floor((now - (row.startedAt ?? now)) / 1000);
    if (since >= 2) words.push(duration(since * 1000).replace(/\.0+ s$/, ' s'));
  } else {
    if (row.durationMs !== undefined) words.push(duration(row.durationMs));
    if (row.state === 'fresh') words.push('up to date');
    if (row.state === 'failed') words.push(row.error?.code === 'interrupted' ? 'stopped' : 'failed');
    if (row.state === 'skipped') words.push(cleaned(row.because ?? ''));
  }
  return words.join('  ');
}

/** Lines at the bottom of the terminal that are written over. */
class Frame {
  readonly #output: Output;
  #height = 0;
  readonly #onExit = (): void => this.clear();

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: readonly string[]): void {
    if (this.#height === 0) process.once('exit', this.#onExit);
    const gone = Math.max(0, this.#height - lines.length);
    // Without the cursor, and without wrapping a line that is wider than it looks.
    this.#output.write(
      [
        '\u001B[?25l\u001B[?7l',
        up(this.#height),
        ...lines.map((line) => `\u001B[2K${line}\n`),
        '\u001B[2K\n'.repeat(gone),
        up(gone),
        '\u001B[?7h',
      ].join(''),
    );
    this.#height = lines.length;
  }

  clear(): void {
    if (this.#height === 0) return;
    process.off('exit', this.#onExit);
    this.#output.write(`${'\u001B[1A\u001B[2K'.repeat(this.#height)}\u001B[?25h`);
    this.#height = 0;
  }
}

const up = (lines: number): string => (lines === 0 ? '' : `\u001B[${lines}A`);
