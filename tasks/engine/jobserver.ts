// SPDX-License-Identifier: MIT
/**
 * One job budget for everything that runs, as a GNU make jobserver (make's manual, "POSIX
 * Jobserver Interaction"): a FIFO that holds one byte per free job.
 *
 * Every running task holds at least one token, which is also the slot that make has without
 * asking; make takes further ones out of the FIFO by itself and puts them back.
 */
import { closeSync, constants, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../lib/errno.js';
import { StopwatchError } from '../../lib/errors.js';
import { baseEnvironment } from '../../lib/environment.js';
import type { Processes } from '../../lib/process/process.js';

/** 'descriptor' is understood by every make since 4.2; 'fifo' by make from 4.4 and ninja from 1.13 on. */
export type JobserverStyle = 'descriptor' | 'fifo';

/** What a child needs to take part. */
interface Share {
  readonly env: Readonly<Record<string, string>>;
  /** For `extra` of the child: becomes its descriptor 3. */
  readonly extra: readonly number[];
  /** To be called when the child has been started and has ended. */
  close(): void;
}

export interface JobBudget {
  /** Jobs at once, over everything. */
  readonly total: number;
  /** Whether the FIFO's path can be written into MAKEFLAGS. */
  readonly fifoUsable: boolean;
  /** Waits for `count` tokens, first come first served, and gives the function that returns them. Throws 'interrupted'. */
  acquire(count: number): Promise<() => void>;
  /** To be called around the time in which a task's makes may take tokens; gives the function that says it is over. */
  open(): () => void;
  share(style: JobserverStyle): Share;
  close(): void;
}

interface JobserverOptions {
  readonly total: number;
  /** Path of the FIFO; a new one is made for each run, so that tokens lost in an earlier one do not count. */
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
  // Open at both ends, so that neither we nor a child ever sees its end. Non-blocking holds for this description only.
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

  /** A make that was killed keeps its tokens. When none runs, what must be in the FIFO is known. */
  const recover = () => {
    mustRecover = false;
    take(total + 1024);
    put(total - held);
  };

  /**
   * Waits for one token. A blocked reader is woken by the kernel as soon as a token comes back;
   * polling would lose every race against makes that wait for it too. It is a process because a
   * blocked read cannot be taken back from a thread.
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
      // One at a time: two who each hold half of what they need would wait for each other for ever.
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
        // A reader in flight may hold a token that is not counted yet: it is stopped first.
        if (waiter === undefined) recover();
        else waiter.abort();
      };
    },
    share(style) {
      if (total === 1) return { env: { MAKEFLAGS: '-j1' }, extra: [], close: () => {} };
      if (style === 'fifo') {
        return { env: { MAKEFLAGS: `-j${total} --jobserver-auth=fifo:${path}` }, extra: [], close: () => {} };
      }
      // A description of its own for each child: some makes want it blocking, others set it non-blocking themselves.
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
