// SPDX-License-Identifier: MIT
/** The host's time, as a port: tests hand in one that they drive. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  /** Calls back once; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const hostClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A timer that is late by more than this was not served: the process itself was stopped (Ctrl-Z, a frozen container, a sleeping host). */
const LATE_MS = 1000;
/** So long waits are made of steps, between which a stop can be noticed. */
const STEP_MS = 500;

/** Time in which this process ran: what passes while it is stopped says nothing about those that it watches. */
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
