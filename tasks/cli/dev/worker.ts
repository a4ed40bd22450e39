// SPDX-License-Identifier: MIT
/** The loop of `dev`: waits for saves and keys, runs what `all` runs, tells the verdict. */
import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT, StopwatchError, type ExitCode } from '../../core/errors.js';
import { isCheckout } from '../../config/paths.js';
import { writeFileAtomic } from '../../host/atomic.js';
import { watchFiles } from '../../host/watch.js';
import { describeFailure } from '../../reporters/failure.js';
import { painter } from '../../reporters/format.js';
import type { Result, Services, Steps } from '../../steps/services.js';
import { type Key, Keys, KEYS } from './keys.js';
import { recompile } from './recompile.js';
import { askedBy, watchedPaths } from './rooms.js';
import { savedText, type Verdict, verdictLines, verdictSchema } from './verdict.js';
import { type Wish, Wishes } from './wishes.js';

/** Exit code by which the worker asks to be started anew; none of the documented ones. */
export const RESTART = 75;
/** Editors write a file in several steps, and formatters write it again. */
export const QUIET_MS = 80;

type RunWish = Extract<Wish, { kind: 'run' }>;

export async function work(services: Services, steps: Steps): Promise<Result> {
  return new Worker(services, steps).loop();
}

class Worker {
  private readonly wishes = new Wishes();
  private readonly keys: Keys | undefined;
  private readonly stateFile: string;
  private before: Verdict | undefined;
  /** The last run in which the device and the model differed. */
  private divergence: StopwatchError | undefined;
  /** Saved files that have no verdict yet, because their run was stopped. */
  private unjudged: readonly string[] = [];
  private unjudgedAt: number | undefined;
  /** What must be compiled before anything is judged. */
  private uncompiled = { compile: false, generate: false, restart: false };

  constructor(
    private readonly services: Services,
    private readonly steps: Steps,
  ) {
    this.stateFile = join(services.loaded.paths.work, 'run', 'dev.json');
    if (services.interactive) this.keys = new Keys(process.stdin, (key) => this.onKey(key));
  }

  async loop(): Promise<Result> {
    const { loaded, signal } = this.services;
    const resumed = await this.readState();
    const watch = watchFiles({
      paths: watchedPaths(loaded.paths),
      quietMs: QUIET_MS,
      onSave: (paths) => this.onSave(paths),
      onError: (error) => this.tell(this.failureText(error)),
    });
    const onAbort = () => this.wishes.add({ kind: 'quit', interrupted: true });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.tell('Watching device/, driver/, guest_fs/, patches/, the configurations in vm/, and the settings.');
    if (loaded.paths.device === loaded.paths.package && !isCheckout())
      this.tell('Not the model: in an installed package it is compiled already.');
    if (this.keys !== undefined) this.tell(KEYS);
    this.keys?.take();
    this.wishes.add({ kind: 'run', saved: resumed, at: performance.now() });
    try {
      for (;;) {
        const wish = await this.wishes.take();
        if (wish.kind === 'quit') return this.ended(wish.interrupted);
        if (wish.kind === 'shell') await this.shell();
        else if (await this.run(wish)) return { exitCode: EXIT.passed, passedThrough: RESTART };
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      watch.close();
      this.keys?.release();
    }
  }

  private onKey(key: Key): void {
    if (key === 'again') this.wishes.add({ kind: 'run', saved: [], at: performance.now() });
    else if (key === 'shell') this.wishes.add({ kind: 'shell' });
    else if (key === 'divergence') this.tell(this.divergenceText());
    else this.wishes.add({ kind: 'quit', interrupted: key === 'interrupt' });
  }

  private onSave(paths: readonly string[]): void {
    const { saved, ...asked } = askedBy(paths, this.services.loaded.paths);
    if (saved.length === 0) return;
    this.uncompiled = {
      compile: this.uncompiled.compile || asked.compile,
      generate: this.uncompiled.generate || asked.generate,
      restart: this.uncompiled.restart || asked.restart,
    };
    // The save was that long before we heard of it.
    this.wishes.add({ kind: 'run', saved, at: performance.now() - QUIET_MS });
  }

  /** True when the worker must be started anew for what was saved. */
  private async run({ saved, at }: RunWish): Promise<boolean> {
    const all = [...new Set([...this.unjudged, ...saved])].sort();
    const since = Math.min(this.unjudgedAt ?? at, at);
    const stop = new AbortController();
    const signal = AbortSignal.any([this.services.signal, stop.signal]);
    // Every process of the run listens.
    setMaxListeners(0, signal);
    let over = false;
    // A shell can wait for the verdict; a newer save makes this one's pointless.
    void this.wishes
      .some(({ kind }) => kind !== 'shell')
      .then(() => {
        if (!over) stop.abort(new StopwatchError('interrupted', 'Stopped by something newer'));
      });
    if (all.length > 0) this.tell(`Saved: ${savedText(all)}`);
    let outcome: { exitCode: ExitCode; error: unknown; lines: readonly string[] };
    let restart = false;
    try {
      if (this.uncompiled.restart) {
        await this.prepareRestart(signal);
        restart = true;
      }
      if (restart) outcome = { exitCode: EXIT.passed, error: undefined, lines: [] };
      else {
        const result = await this.steps.all({ ...this.services, signal });
        outcome = { exitCode: result.exitCode, error: result.error, lines: result.verdict ?? [] };
      }
    } catch (thrown) {
      const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
      outcome = {
        exitCode: first instanceof StopwatchError ? first.exitCode : EXIT.host,
        error: thrown,
        lines: [],
      };
    }
    over = true;
    await this.services.release();
    if (stop.signal.aborted || this.services.signal.aborted) {
      // Nothing is said of it: what stopped it goes on with these files, too.
      [this.unjudged, this.unjudgedAt] = [all, since];
      return false;
    }
    if (restart) {
      await this.writeState(all);
      return true;
    }
    [this.unjudged, this.unjudgedAt] = [[], undefined];
    const verdict: Verdict = {
      exitCode: outcome.exitCode,
      saved: all,
      durationMs: performance.now() - since,
      why: this.why(outcome.error),
    };
    if (outcome.error !== undefined) this.tell(this.shortly(outcome.error));
    for (const line of outcome.lines) this.tell(line);
    const paint = painter(this.services.look.colour);
    for (const line of verdictLines(verdict, this.before, paint)) this.tell(line);
    this.before = verdict;
    return false;
  }

  private async prepareRestart(signal: AbortSignal): Promise<void> {
    const { loaded, environment } = this.services;
    if (this.uncompiled.compile) {
      this.tell(
        `Compiling the TypeScript${this.uncompiled.generate ? ', and writing the header for C' : ''} ...`,
      );
      const processes = await this.services.processes();
      const { generate } = this.uncompiled;
      const { package: root, work: state } = loaded.paths;
      await recompile({ root, state: join(state, 'run'), processes, environment, signal, generate });
    }
    this.tell('Starting anew with what was saved ...');
  }

  private async shell(): Promise<void> {
    this.keys?.release();
    try {
      const options = { nodev: false, rw: false, dumpDtb: undefined, gdb: undefined };
      const result = await this.steps.run(this.services, options);
      for (const line of result.verdict ?? []) this.tell(line);
    } catch (error) {
      await this.services.release();
      if (!this.services.signal.aborted) this.tell(this.failureText(error));
    }
    this.keys?.take();
    if (this.keys !== undefined) this.tell(KEYS);
  }

  private ended(interrupted: boolean): Result {
    if (!interrupted) return { exitCode: EXIT.passed };
    if (this.services.signal.aborted) throw this.services.signal.reason;
    throw new StopwatchError('interrupted', 'Ended by Ctrl-C');
  }

  private why(error: unknown): string {
    if (error === undefined) return '';
    const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
    if (first instanceof StopwatchError && first.code === 'model-differs') this.divergence = first;
    return first instanceof Error ? first.message : String(first);
  }

  /** A divergence is long, and a key shows it. */
  private shortly(error: unknown): string {
    if (this.keys === undefined || error !== this.divergence) return this.failureText(error);
    return 'The device and the model differ; d shows where, and the events before it.';
  }

  private divergenceText(): string {
    return this.divergence === undefined
      ? 'The device and the model have not differed so far.'
      : this.failureText(this.divergence);
  }

  private failureText(thrown: unknown): string {
    const errors: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown];
    const paint = painter(this.services.look.colour);
    return errors
      .map((error) =>
        describeFailure(
          error instanceof StopwatchError ? error : new StopwatchError('internal', String(error)),
          paint,
        ).trimEnd(),
      )
      .join('\n');
  }

  /** Above the rows that move, or as a line of its own. */
  private tell(text: string): void {
    this.services.emit({ type: 'notice', task: undefined, text });
  }

  /** What the worker before this one knew: the last verdict, and what is saved and not judged. */
  private async readState(): Promise<readonly string[]> {
    try {
      const { pid, before, saved } = stateSchema.parse(JSON.parse(await readFile(this.stateFile, 'utf8')));
      if (pid !== process.ppid) return [];
      this.before = before;
      return saved;
    } catch {
      return [];
    }
  }

  private async writeState(saved: readonly string[]): Promise<void> {
    await writeFileAtomic(this.stateFile, JSON.stringify({ pid: process.ppid, before: this.before, saved }));
  }
}

const stateSchema = z.object({
  /** Of the supervisor: another one's is of no use. */
  pid: z.number(),
  before: verdictSchema.optional(),
  saved: z.array(z.string()),
});
