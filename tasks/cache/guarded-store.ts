// SPDX-License-Identifier: MIT
/**
 * A store that may cost a build some seconds, and never more. Reading waits for
 * the server, on an account: what the server's answers cost is drawn from it,
 * and what a hit saves is paid in. Writing waits for nobody: it goes on behind
 * the build, and what the server cannot take in time is left out.
 */
import { type RemoteStore, StoreError } from './store.js';

/** Waiting that is granted in advance for each job at once, milliseconds. */
const GRANT_MS = 5000;
/** What a hit saves at least: an object of QEMU or Linux is two entries, and takes 150 ms and more to compile. */
const HIT_SAVES_MS = 75;
/** A miss this fast is free: thousands of them cost seconds. */
const FREE_MISS_MS = 5;
/** Failures in a row after which the server is left alone for a while. */
const FAILURES = 3;
/** The first such while; the next one is twice as long. */
const PAUSE_MS = 30_000;
/** A large entry may take this many times as long on its way out as one may take on its way in. */
const WRITE_PATIENCE = 5;
const WRITES_AT_ONCE = 4;
/** Bytes that wait to be written at most. */
const LARGEST_BACKLOG = 48 * 2 ** 20;

/** What became of it so far. */
export interface RemoteUse {
  readonly hits: number;
  readonly misses: number;
  /** Operations that failed, of either kind. */
  readonly errors: number;
  readonly written: number;
  /** Left out: the server could not take them, or not in time. */
  readonly notWritten: number;
}

export interface GuardOptions {
  /** As it is shown. */
  readonly place: string;
  /** Jobs at once of the build. */
  readonly jobs: number;
  readonly timeoutMs: number;
  readonly readOnly: boolean;
  /** Something the user should know: why the cache is left out. */
  readonly warn: (text: string) => void;
  readonly clock?: { now(): number };
  /** Time in which nothing was left to do but to wait. */
  readonly waiting?: { now(): number };
}

/** While this process itself is busy (it hashes whole trees), no server can be blamed. */
const IDLE = { now: () => performance.eventLoopUtilization().idle };

type Reading =
  | { readonly state: 'closed' | 'open' }
  /** Until `until`; then the server is asked again. Infinity: not in this run. */
  | { readonly state: 'out'; readonly until: number };

export class GuardedStore {
  private reading: Reading = { state: 'closed' };
  private opening: Promise<void> | undefined;
  private pauseMs = PAUSE_MS;
  private balanceMs: number;
  private readFailures = 0;
  private writeFailures = 0;
  private writesStopped = false;
  private readonly backlog: { readonly key: string; readonly value: Buffer }[] = [];
  private backlogBytes = 0;
  private writing = 0;
  private drained: (() => void) | undefined;
  private readonly clock: { now(): number };
  private readonly waiting: { now(): number };
  private readonly ended = new AbortController();
  private readonly counts = { hits: 0, misses: 0, errors: 0, written: 0, notWritten: 0 };

  constructor(
    private readonly store: RemoteStore,
    private readonly options: GuardOptions,
  ) {
    this.balanceMs = GRANT_MS * options.jobs;
    this.clock = options.clock ?? performance;
    this.waiting = options.waiting ?? IDLE;
  }

  get use(): RemoteUse {
    return { ...this.counts };
  }

  /** The entry, or undefined when the server has none or is left out. Never rejects. */
  async get(key: string): Promise<Buffer | undefined> {
    if (!(await this.isOpen())) return undefined;
    const started = this.waiting.now();
    try {
      const value = await this.store.get(key, this.within(this.options.timeoutMs));
      const tookMs = this.waiting.now() - started;
      this.readFailures = 0;
      if (value === undefined) this.counts.misses++;
      else this.counts.hits++;
      this.draw(tookMs - (value === undefined ? FREE_MISS_MS : HIT_SAVES_MS));
      return value;
    } catch (error) {
      this.counts.errors++;
      this.readFailures++;
      this.draw(this.waiting.now() - started);
      if (isDenied(error) || this.readFailures >= FAILURES) this.leaveOut(error);
      return undefined;
    }
  }

  /** Takes an entry to be written when there is time. */
  put(key: string, value: Buffer): void {
    if (this.options.readOnly) return;
    if (this.writesStopped || this.isLost() || this.backlogBytes + value.length > LARGEST_BACKLOG) {
      this.counts.notWritten++;
      return;
    }
    this.backlog.push({ key, value });
    this.backlogBytes += value.length;
    this.writeOn();
  }

  /** Waits for what is still to be written, so long at most; then ends everything. */
  async close(waitMs: number): Promise<void> {
    if (this.writing > 0 && waitMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.drained = resolve;
        }),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, waitMs);
        }),
      ]);
      clearTimeout(timer);
    }
    this.counts.notWritten += this.backlog.length + this.writing;
    this.backlog.length = 0;
    this.writesStopped = true;
    this.ended.abort(new StoreError('the run has ended'));
    this.store.close();
  }

  private async isOpen(): Promise<boolean> {
    if (this.reading.state === 'open') return true;
    if (this.reading.state === 'closed') {
      this.opening ??= this.open();
      await this.opening;
      return this.hasOpened();
    }
    if (this.reading.state === 'out' && this.clock.now() >= this.reading.until) {
      // Nobody waits for this: until it has answered, it has nothing.
      this.reading = { state: 'out', until: Number.POSITIVE_INFINITY };
      void this.open();
    }
    return false;
  }

  private hasOpened(): boolean {
    return this.reading.state === 'open';
  }

  /** Nothing is to be had of it, and nothing to be written to it. */
  private isLost(): boolean {
    return this.reading.state === 'out' && !this.tooSlow;
  }
  private tooSlow = false;

  private async open(): Promise<void> {
    try {
      await this.store.probe(this.within(this.options.timeoutMs));
      this.reading = { state: 'open' };
      this.readFailures = 0;
    } catch (error) {
      this.counts.errors++;
      this.leaveOut(error);
    }
  }

  private leaveOut(error: unknown): void {
    if (this.ended.signal.aborted) return;
    const isFirst = this.pauseMs === PAUSE_MS && this.reading.state !== 'out';
    const denied = isDenied(error);
    this.reading = {
      state: 'out',
      until: denied ? Number.POSITIVE_INFINITY : this.clock.now() + this.pauseMs,
    };
    this.pauseMs *= 2;
    const credentials = denied ? '; look to STOPWATCH_CACHE_USER and STOPWATCH_CACHE_PASSWORD' : '';
    if (isFirst || denied) {
      this.options.warn(
        `The shared compile cache ${this.options.place} is left out: ${messageOf(error)}${credentials}`,
      );
    }
  }

  private draw(ms: number): void {
    this.balanceMs = Math.min(GRANT_MS * this.options.jobs, this.balanceMs - ms);
    if (this.balanceMs > 0 || this.reading.state !== 'open') return;
    this.tooSlow = true;
    this.reading = { state: 'out', until: Number.POSITIVE_INFINITY };
    const { hits, misses, errors } = this.counts;
    this.options.warn(
      `The shared compile cache ${this.options.place} is asked no more: it costs more time than it saves (${hits} hits, ${misses} misses, ${errors} errors)`,
    );
  }

  private writeOn(): void {
    while (this.writing < WRITES_AT_ONCE) {
      const next = this.backlog.shift();
      if (next === undefined) break;
      this.writing++;
      void this.write(next.key, next.value).finally(() => {
        this.writing--;
        this.backlogBytes -= next.value.length;
        this.writeOn();
      });
    }
    if (this.writing === 0) this.drained?.();
  }

  private async write(key: string, value: Buffer): Promise<void> {
    if (this.writesStopped) {
      if (!this.ended.signal.aborted) this.counts.notWritten++;
      return;
    }
    try {
      await this.store.put(key, value, this.within(this.options.timeoutMs * WRITE_PATIENCE));
      this.counts.written++;
      this.writeFailures = 0;
    } catch (error) {
      // What was under way at the end is counted there.
      if (this.ended.signal.aborted) return;
      this.counts.errors++;
      this.counts.notWritten++;
      this.writeFailures++;
      if (this.writesStopped || (!isDenied(error) && this.writeFailures < FAILURES)) return;
      this.writesStopped = true;
      this.options.warn(
        `The shared compile cache ${this.options.place} is not written to any more: ${messageOf(error)}`,
      );
    }
  }

  private within(ms: number): AbortSignal {
    return AbortSignal.any([this.ended.signal, timeout(ms)]);
  }
}

/** Aborts with the words of the message. */
function timeout(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new StoreError(`no answer within ${ms / 1000} s`)), ms).unref();
  return controller.signal;
}

function isDenied(error: unknown): boolean {
  return error instanceof StoreError && error.denied;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
