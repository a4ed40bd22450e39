// SPDX-License-Identifier: MIT
/**
 * One job budget for everything that runs, as a GNU make jobserver (make's manual, "POSIX
 * Jobserver Interaction"): a FIFO that holds one byte per free job.
 *
 * Every running task holds at least one token, for the job that make may always run; make takes
 * further ones out of the FIFO and puts them back.
 */
import { closeSync, constants, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../lib/errno.js';
import { StopwatchError } from '../../lib/errors.js';
import { baseEnvironment } from '../../lib/environment.js';
import type { Processes } from '../../lib/process/process.js';

/** make understands 'descriptor' since 4.2 and 'fifo' since 4.4; ninja understands 'fifo' since 1.13. */
export type JobserverStyle = 'descriptor' | 'fifo';

/** What a child needs to use the jobserver. */
interface Share {
  readonly env: Readonly<Record<string, string>>;
  /** For `extra` of the child: becomes its descriptor 3. */
  readonly extra: readonly number[];
  /** Call it when the child has ended. */
  close(): void;
}

export interface JobBudget {
  /** Jobs at once, over everything. */
  readonly total: number;
  /** Whether MAKEFLAGS can hold the FIFO's path. */
  readonly fifoUsable: boolean;
  /** Waits for `count` tokens, in order of requests. Returns the function that puts them back. Throws 'interrupted'. */
  acquire(count: number): Promise<() => void>;
  /** Call it before a task's makes may take tokens, and the function it returns afterwards. */
  open(): () => void;
  share(style: JobserverStyle): Share;
  close(): void;
}

interface JobserverOptions {
  readonly total: number;
  /** Path of the FIFO, new for each run, so that tokens lost in an earlier one do not count. */
  readonly path: string;
  readonly processes: Processes;
  readonly signal: AbortSignal;
}

export async function createJobserver({
  total,
  path,
  processes,
  signal,
}: JobserverOptions): Promise<JobBudget> {
  await mkdir(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  const made = await processes.run(
    { file: 'mkfifo', args: ['-m', '600', path], env: baseEnvironment() },
    { signal },
  );
  if (signal.aborted) throw interrupted();
  if (made.exitCode !== 0) {
    throw new StopwatchError('command-failed', `Cannot make the FIFO ${path} for the job budget.`, {
      hint: 'Choose a work directory on a local disk.',
    });
  }
  // Read and write, so that neither we nor a child sees end of file. Non-blocking applies to this description only.
  const fifo = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const put = (count: number) => {
    if (count > 0) writeSync(fifo, '+'.repeat(count));
  };
  const take = (count: number): number => {
    try {
      return count > 0 ? readSync(fifo, Buffer.alloc(count), 0, count, null) : 0;
    } catch (error) {
      if (errnoOf(error).code === 'EAGAIN') return 0;
      throw error;
    }
  };
  put(total);

  let held = 0;
  let takers = 0;
  let mustRecover = false;
  let waiter: AbortController | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  /** A killed make keeps its tokens. When no make runs, we know how many must be in the FIFO. */
  const recover = () => {
    mustRecover = false;
    take(total + 1024);
    put(total - held);
  };

  /**
   * Waits for one token. The kernel wakes a blocked reader as soon as a token comes back; polling
   * would lose every race against waiting makes. It is a process because a blocked read in a thread
   * cannot be cancelled.
   */
  const waitForOne = async (): Promise<number> => {
    waiter = new AbortController();
    const either = AbortSignal.any([signal, waiter.signal]);
    try {
      const result = await processes.run(
        { file: 'dd', args: [`if=${path}`, 'bs=1', 'count=1'], env: baseEnvironment() },
        { signal: either, capture: true },
      );
      return result.stdout.length;
    } catch (error) {
      if (either.aborted) return 0;
      throw error;
    } finally {
      waiter = undefined;
    }
  };

  const acquireNow = async (count: number): Promise<() => void> => {
    let got = 0;
    const add = (more: number) => {
      got += more;
      held += more;
    };
    try {
      for (;;) {
        if (signal.aborted) throw interrupted();
        add(take(count - got));
        if (got >= count) break;
        add(await waitForOne());
        if (mustRecover && takers === 0) recover();
      }
    } catch (error) {
      held -= got;
      put(got);
      throw error;
    }
    let returned = false;
    return () => {
      if (returned) return;
      returned = true;
      held -= count;
      put(count);
    };
  };

  return {
    total,
    fifoUsable: !/[\s$\\"'#]/.test(path),
    acquire(count) {
      // One at a time: two that each hold half of what they need would deadlock.
      const mine = queue.then(() => acquireNow(Math.min(Math.max(count, 1), total)));
      queue = mine.catch(() => {});
      return mine;
    },
    open() {
      takers++;
      return () => {
        takers--;
        if (takers > 0) return;
        mustRecover = true;
        // Stop a waiting reader first: it may hold a token that is not counted yet.
        if (waiter === undefined) recover();
        else waiter.abort();
      };
    },
    share(style) {
      if (total === 1) return { env: { MAKEFLAGS: '-j1' }, extra: [], close: () => {} };
      if (style === 'fifo') {
        return { env: { MAKEFLAGS: `-j${total} --jobserver-auth=fifo:${path}` }, extra: [], close: () => {} };
      }
      // A separate description for each child: some makes want it blocking, others make it non-blocking.
      const fd = openSync(path, constants.O_RDWR);
      let open = true;
      return {
        env: { MAKEFLAGS: `-j${total} --jobserver-auth=3,3` },
        extra: [fd],
        close() {
          if (open) closeSync(fd);
          open = false;
        },
      };
    },
    close() {
      closeSync(fifo);
      rmSync(path, { force: true });
    },
  };
}

function interrupted(): StopwatchError {
  return new StopwatchError('interrupted', 'Interrupted while waiting for a free job.');
}
