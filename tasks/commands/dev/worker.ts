// SPDX-License-Identifier: MIT
/** The loop of `dev`: waits for saves and keys, runs what `all` runs, and prints the verdict. */
import { setMaxListeners } from 'node:events';
import { basename, dirname, join } from 'node:path';
import { EXIT, messageOf, StopwatchError } from '../../../lib/errors.js';
import { isCheckout } from '../../config/paths.js';
import { watchFiles, type Watch } from '../../../lib/files/watch.js';
import { failureText } from '../../report/failure.js';
import { cleaned, painter } from '../../report/format.js';
import { layoutOf } from '../../build/layout.js';
import type { Result, Services } from '../../config/services.js';
import { type Key, Keys, KEYS } from './keys.js';
import { recompile } from './recompile.js';
import { judgeable, rejudge } from './rejudge.js';
import { askedBy, watchedPaths } from './watched.js';
import { readState, writeState } from './state.js';
import { savedText, type SaveVerdict, verdictLines } from './verdict.js';
import { Trees, watchText } from './trees.js';
import { type Request, RequestQueue } from './request-queue.js';

/** Exit code with which the worker asks for a restart; not a documented one. */
export const RESTART = 75;
/** Editors write a file in several steps, and formatters write it again. */
export const QUIET_MS = 80;

type RunRequest = Extract<Request, { kind: 'run' }>;

export async function work(services: Services): Promise<Result> {
  return new Worker(services).loop();
}

class Worker {
  private readonly requests = new RequestQueue();
  private readonly keys: Keys | undefined;
  private readonly trees: Trees;
  private readonly services: Services;
  private readonly stateFile: string;
  private before: SaveVerdict | undefined;
  /** The last run in which the device and the model differed. */
  private divergence: StopwatchError | undefined;
  /** No run has come after it. */
  private isDivergenceLast = false;
  /** Saved files without a verdict, because their run was cancelled. */
  private unjudged: readonly string[] = [];
  private unjudgedAt: number | undefined;
  /** What must be done before the next run. */
  private readonly due = { compile: false, restart: false };
  /** Directory of the last run, while only the model has changed since. */
  private judged: string | undefined;
  private watch: Watch | undefined;
  /** The previous worker left saved files to run. */
  private resumed = false;
  /** The terminal is the guest's. */
  private inShell = false;

  constructor(services: Services) {
    const { config, paths } = services.loaded;
    const layout = layoutOf(config, paths);
    this.trees = new Trees({
      roots: layout.watchedTrees,
      quietMs: QUIET_MS,
      onSave: (saved) => {
        this.judged = undefined;
        this.request(saved);
      },
    });
    this.services = { ...services, emit: this.trees.heeding(services.emit), treeWatch: this.trees.watch };
    this.stateFile = join(paths.work, 'run', 'dev.json');
    if (services.interactive) this.keys = new Keys(process.stdin, (key) => this.onKey(key));
  }

  async loop(): Promise<Result> {
    const { loaded, signal } = this.services;
    const resumed = await readState(this.stateFile);
    this.before = resumed?.before;
    this.judged = resumed?.judged;
    this.divergence = resumed?.divergence;
    this.resumed = resumed !== undefined;
    this.watch = watchFiles({
      since: resumed?.files,
      paths: watchedPaths(loaded.paths),
      quietMs: QUIET_MS,
      onSave: (paths) => this.onSave(paths),
      onError: (error) => this.tell(this.failureText(error)),
    });
    const onAbort = () => this.requests.add({ kind: 'quit', interrupted: true });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    if (resumed === undefined) this.greet();
    this.keys?.take();
    const at = performance.now() - (resumed === undefined ? 0 : Date.now() - resumed.savedAt);
    this.requests.add({ kind: 'run', saved: resumed?.saved ?? [], at });
    try {
      for (;;) {
        const request = await this.requests.take();
        if (request.kind === 'quit') return this.ended(request.interrupted);
        if (request.kind === 'shell') await this.shell();
        else if (await this.run(request)) return { exitCode: EXIT.passed, passedThrough: RESTART };
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.watch.close();
      this.trees.close();
      this.keys?.release();
    }
  }

  private greet(): void {
    this.tell('Watching device/, driver/, guest_fs/, patches/, the configurations in vm/, and the settings.');
    void this.trees.watch.ready.then((state) => this.tell(watchText(state)));
    if (!isCheckout()) this.tell('Not the models that come with the package: they are compiled already.');
    if (this.keys !== undefined) this.tell(KEYS);
  }

  private onKey(key: Key): void {
    if (key === 'again') {
      // Not every file system reports every change, for example over a network: look at all files.
      this.trees.watch.known.clear();
      this.requests.add({ kind: 'run', saved: [], at: performance.now() });
    } else if (key === 'shell') this.requests.add({ kind: 'shell' });
    else if (key === 'divergence') this.tell(this.divergenceText());
    else this.requests.add({ kind: 'quit', interrupted: key === 'interrupt' });
  }

  private onSave(paths: readonly string[]): void {
    const { saved, compile, restart, judgement } = askedBy(paths, this.services.loaded.paths);
    if (saved.length === 0) return;
    this.due.compile ||= compile;
    this.due.restart ||= restart;
    if (!judgement) this.judged = undefined;
    if (this.inShell) void this.pushToShell(paths);
    this.request(saved);
  }

  private request(saved: readonly string[]): void {
    // The save is reported this much later.
    this.requests.add({ kind: 'run', saved, at: performance.now() - QUIET_MS });
  }

  /** True when the worker must be started again for what was saved. */
  private async run({ saved, at }: RunRequest): Promise<boolean> {
    const all = [...new Set([...this.unjudged, ...saved])].sort();
    const since = Math.min(this.unjudgedAt ?? at, at);
    const stop = new AbortController();
    const signal = AbortSignal.any([this.services.signal, stop.signal]);
    // Every process of the run adds a listener.
    setMaxListeners(0, signal);
    let over = false;
    // A newer save cancels this run; a request for a shell waits for its verdict.
    void this.requests
      .some(({ kind }) => kind !== 'shell')
      .then(() => {
        if (!over) stop.abort(new StopwatchError('interrupted', 'Stopped by something newer'));
      });
    // The previous worker has printed it.
    if (all.length > 0 && !this.resumed) this.tell(`Saved: ${savedText(all)}`);
    this.resumed = false;
    // The key r always boots.
    const judge = all.length > 0 ? this.judged : undefined;
    let result: Pick<Result, 'exitCode' | 'error' | 'verdict' | 'afterwards'> = { exitCode: EXIT.passed };
    let thrown: unknown;
    let restart = false;
    try {
      if (this.due.restart) {
        await this.compile(signal, judge !== undefined);
        restart = true;
      } else {
        const services = { ...this.services, signal };
        result = await (judge === undefined ? this.boot(services) : rejudge(services, judge));
      }
    } catch (error) {
      const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
      result = { exitCode: first instanceof StopwatchError ? first.exitCode : EXIT.host };
      thrown = error;
    }
    over = true;
    // Later saves are left to the next worker, if there is one.
    const files = this.watch?.known() ?? new Map<string, string>();
    await this.services.release();
    if (stop.signal.aborted || this.services.signal.aborted) {
      // No verdict: the run that cancelled this one includes these files.
      [this.unjudged, this.unjudgedAt] = [all, since];
      return false;
    }
    if (restart) {
      const { before, judged, divergence } = this;
      const savedAt = Date.now() - (performance.now() - since);
      await writeState(this.stateFile, { before, saved: all, savedAt, judged, divergence, files });
      return true;
    }
    const error = thrown ?? result.error;
    [this.unjudged, this.unjudgedAt] = [[], undefined];
    const verdict: SaveVerdict = {
      exitCode: result.exitCode,
      saved: all,
      durationMs: performance.now() - since,
      why: this.why(error),
    };
    if (error !== undefined) this.tell(this.shortly(error));
    for (const line of result.verdict ?? []) this.tell(line);
    const paint = painter(this.services.colour);
    for (const line of verdictLines(verdict, this.before, paint)) this.tell(line);
    this.before = verdict;
    // Only after the verdict, which the developer is waiting for.
    await result.afterwards?.().catch((failure: unknown) => this.tell(messageOf(failure)));
    return false;
  }

  private async boot(services: Services): Promise<Result> {
    this.judged = undefined;
    const { testRun } = await import('../../boot/test-run.js');
    const result = await testRun(services, {
      guest: 'test_and_quit',
      args: ['dev'],
      record: false,
      config: services.loaded.config,
      // The next save will change what the manifest would list.
      manifest: false,
    });
    this.judged = await judgeable(result);
    return result;
  }

  /** `judge`: only the model or its checker has changed. */
  private async compile(signal: AbortSignal, judge: boolean): Promise<void> {
    const { loaded, environment } = this.services;
    if (this.due.compile) {
      this.tell(`Compiling the ${judge ? 'model' : 'TypeScript'} ...`);
      const processes = await this.services.processes();
      const { package: root, work: state } = loaded.paths;
      await recompile({ root, state: join(state, 'run'), processes, environment, signal });
    }
    if (!judge) this.tell('Restarting with what was saved ...');
  }

  private async shell(): Promise<void> {
    this.keys?.release();
    this.inShell = true;
    try {
      const options = { nodev: false, rw: false, dumpDtb: undefined, gdb: undefined, serve: true };
      const { interactiveRun } = await import('../../boot/interactive-run.js');
      const result = await interactiveRun(this.services, options);
      for (const line of result.verdict ?? []) this.tell(line);
    } catch (error) {
      await this.services.release();
      if (!this.services.signal.aborted) this.tell(this.failureText(error));
    }
    this.inShell = false;
    this.keys?.take();
    if (this.keys !== undefined) this.tell(KEYS);
  }

  /** Pushes what needs no reboot at once; the verdict waits until the shell is left. */
  private async pushToShell(paths: readonly string[]): Promise<void> {
    const { pushSaved } = await import('../../boot/push.js');
    for (const line of await pushSaved(this.services, paths))
      process.stdout.write(`\r\n[dev] ${cleaned(line)}\r\n`);
  }

  private ended(interrupted: boolean): Result {
    if (!interrupted) return { exitCode: EXIT.passed };
    if (this.services.signal.aborted) throw this.services.signal.reason;
    throw new StopwatchError('interrupted', 'Ended by Ctrl-C');
  }

  private why(error: unknown): string {
    this.isDivergenceLast = false;
    if (error === undefined) return '';
    const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
    if (first instanceof StopwatchError && first.code === 'model-differs') {
      this.divergence = first;
      this.isDivergenceLast = true;
    }
    return first instanceof Error ? first.message : String(first);
  }

  /** A divergence is long, so a key shows it. */
  private shortly(error: unknown): string {
    if (this.keys === undefined || error !== this.divergence) return this.failureText(error);
    return 'The device and the model differ; d shows where, and the events before it.';
  }

  private divergenceText(): string {
    const { divergence } = this;
    if (divergence === undefined) return 'The device and the model have not differed so far.';
    const run = divergence.log === undefined ? 'an earlier run' : `run ${basename(dirname(divergence.log))}`;
    const since = this.isDivergenceLast ? 'the last run' : 'runs have come after it';
    return `The divergence of ${run} (${since}):\n${this.failureText(divergence)}`;
  }

  private failureText(thrown: unknown): string {
    const errors: readonly unknown[] = thrown instanceof AggregateError ? thrown.errors : [thrown];
    const paint = painter(this.services.colour);
    return errors
      .map((error) =>
        failureText(
          error instanceof StopwatchError ? error : new StopwatchError('internal', String(error)),
          paint,
        ).trimEnd(),
      )
      .join('\n');
  }

  /** Prints above the rows of progress, or as a line. */
  private tell(text: string): void {
    this.services.emit({ type: 'notice', task: undefined, text });
  }
}
