// SPDX-License-Identifier: MIT
/** The host's clock as a port, so that tests can pass in a clock that they control. */
export interface Clock {
  /** Milliseconds since an arbitrary start. */
  now(): number;
  /** Calls back once after `ms`. The returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const hostClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A timer later than this means that this process was stopped (Ctrl-Z, a frozen container, a suspended host). */
const LATE_MS = 1000;
/** Long waits are split into steps of this length, so that a stop can be noticed. */
const STEP_MS = 500;

/** Counts only time in which this process ran: while it is stopped it cannot judge whether a guest hangs. */
export class AwakeClock implements Clock {
  readonly #clock: Clock;
  #stoppedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now() - this.#stoppedMs;
  }

  after(ms: number, callback: () => void): () => void {
    let cancel: (() => void) | undefined;
    const wait = (left: number): void => {
      const part = Math.min(left, STEP_MS);
      const from = this.now();
      cancel = this.#clock.after(part, () => {
        const late = this.now() - from - part;
        if (late > LATE_MS) this.#stoppedMs += late;
        if (left > part) wait(left - part);
        else callback();
      });
    };
    wait(ms);
    return () => cancel?.();
  }
}
