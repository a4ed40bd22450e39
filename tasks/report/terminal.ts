// SPDX-License-Identifier: MIT
/** Rows on a terminal, one per stale task. listr2 only draws them. */
import type { ListrTask, ListrTaskWrapper } from 'listr2';
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
  type Paint,
} from './format.js';
import { RunModel, type TaskRow } from './progress-model.js';
import type { Reporter } from './reporter.js';

/** Milliseconds before rows are drawn. A short run needs none, and does not wait for listr2 to load. */
const OPEN_AFTER = 150;
/** Milliseconds between two redraws. */
const REDRAW_EVERY = 100;

export function createTerminalReporter(output: Output, colour: boolean): Reporter {
  const paint = painter(colour);
  const model = new RunModel();
  let rows: Rows | undefined;
  let closed: Promise<void> = Promise.resolve();

  function close(): void {
    const closing = rows;
    rows = undefined;
    if (closing === undefined) return;
    closed = closed.then(async () => {
      await closing.close();
      for (const text of closing.notices) output.write(`${text}\n`);
    });
  }

  function say(text: string): void {
    // While rows are drawn, a notice would be overwritten.
    if (rows === undefined) output.write(`${text}\n`);
    else rows.notices.push(text);
  }

  function show(event: Event): void {
    switch (event.type) {
      case 'plan':
        close();
        rows = new Rows(
          event.tasks.flatMap(({ name }) => model.rows.get(name) ?? []),
          paint,
          closed,
          colour,
        );
        break;
      case 'task-done':
      case 'task-fresh':
      case 'task-failed':
      case 'task-skipped':
        rows?.end(event.task);
        break;
      case 'task-start':
      case 'task-progress':
        break;
      case 'task-line':
        // Without a plan there are no rows (installing packages): show each line.
        if (rows === undefined) output.write(`${paint('dim', toolLine(event.line))}\n`);
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
      case 'compile-cache':
        // The summary shows it.
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
    finish: async () => {
      close();
      await closed;
    },
  };
}

type Wrapper = Parameters<ListrTask['task']>[1];

/** The rows of one plan. */
class Rows {
  readonly notices: string[] = [];
  private readonly paint: Paint;
  private readonly order: TaskRow[];
  private readonly fresh: number;
  private readonly ended = new Map<string, { promise: Promise<void>; resolve: () => void }>();
  private readonly drawn = new Map<string, Wrapper>();
  private readonly opening: NodeJS.Timeout;
  private redraw: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isClosed = false;

  /** `before`: when the terminal is free. */
  constructor(all: readonly TaskRow[], paint: Paint, before: Promise<void>, colour: boolean) {
    this.paint = paint;
    this.order = all.filter(({ state }) => state === 'waiting');
    this.fresh = all.filter(({ state }) => state === 'fresh').length;
    for (const { name } of this.order) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.ended.set(name, { promise, resolve });
    }
    this.opening = setTimeout(() => {
      this.running = before.then(async () => this.open(colour));
    }, OPEN_AFTER);
  }

  end(task: string): void {
    this.ended.get(task)?.resolve();
  }

  /** Ends all rows and clears them; the summary shows the result. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.opening);
    for (const { resolve } of this.ended.values()) resolve();
    await this.running;
  }

  private async open(colour: boolean): Promise<void> {
    // listr2 reads this when it is loaded.
    if (!colour) process.env['NO_COLOR'] = '1';
    const { Listr, ListrTaskState } = await import('listr2');
    if (this.isClosed || this.order.length === 0) return;
    const tasks: ListrTask[] = this.order.map((row) => ({
      title: row.title,
      task: async (_, wrapper) => {
        this.drawn.set(row.name, wrapper);
        if (row.state === 'waiting') wrapper.task.state$ = ListrTaskState.WAITING;
        this.draw(row, ListrTaskState.STARTED);
        await this.ended.get(row.name)?.promise;
        this.drawn.delete(row.name);
        wrapper.task.state$ = ListrTaskState.STARTED;
        wrapper.title = finalTitle(row, this.paint);
        if (row.state === 'skipped' || row.state === 'waiting') wrapper.skip(wrapper.title);
        if (row.state === 'failed') throw new Error(wrapper.title);
      },
    }));
    if (this.fresh > 0)
      tasks.unshift({ title: this.paint('dim', `${this.fresh} up to date`), task: () => {} });
    const listr = new Listr(tasks, {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      renderer: 'default',
      rendererOptions: { clearOutput: true, formatOutput: 'truncate', collapseErrors: true },
    });
    this.redraw = setInterval(() => {
      for (const row of this.order) this.draw(row, ListrTaskState.STARTED);
    }, REDRAW_EVERY);
    try {
      await listr.run();
    } finally {
      clearInterval(this.redraw);
    }
  }

  /** Brings one row up to date, if it is running. */
  private draw(row: TaskRow, started: ListrTaskWrapper<unknown, never, never>['task']['state']): void {
    const wrapper = this.drawn.get(row.name);
    if (wrapper === undefined || row.state !== 'running') return;
    if (wrapper.task.state !== started) wrapper.task.state$ = started;
    const now = performance.now();
    // Tenths of a second would flicker.
    const since = Math.floor((now - (row.startedAt ?? now)) / 1000);
    const words = [
      row.title,
      ...(row.progress === undefined ? [] : [progress(row.progress, now)]),
      ...(since >= 2 ? [this.paint('dim', duration(since * 1000).replace(/\.0+ s$/, ' s'))] : []),
    ];
    const title = words.join('  ');
    if (wrapper.title !== title) wrapper.title = title;
    if (row.lastLine !== '' && wrapper.output !== row.lastLine) wrapper.output = fit(row.lastLine, 500);
  }
}

function finalTitle(row: TaskRow, paint: Paint): string {
  const time = row.durationMs === undefined ? '' : `  ${paint('dim', duration(row.durationMs))}`;
  switch (row.state) {
    case 'done':
      return `${row.title}${time}`;
    case 'fresh':
      return `${row.title}  ${paint('dim', 'up to date')}`;
    case 'failed':
      return `${row.title}${time}  ${row.error?.code === 'interrupted' ? 'stopped' : 'failed'}`;
    case 'skipped':
      return `${row.title}  ${paint('dim', cleaned(row.because ?? ''))}`;
    case 'waiting':
    case 'running':
      return row.title;
    default:
      return unreachable(row.state);
  }
}
