// SPDX-License-Identifier: MIT
/** The time limits of a boot. */
import type { Clock } from './clock.js';
import type { Ending } from './outcome.js';

/** Host seconds; undefined: no such limit. */
export interface Limits {
  /** Until the first byte on the console. */
  readonly firstOutputSeconds: number | undefined;
  /** Between two outputs. With `firstOutputSeconds`, it applies only after the first output. */
  readonly silenceSeconds: number | undefined;
  readonly totalSeconds: number | undefined;
}

/** Detects a silent guest, and owns all timers of a boot. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #onTimeout: (ending: Ending) => void;
  readonly #cancel = new Set<() => void>();
  #lastMs = 0;
  #outputSeen = false;
  #stopped = false;

  constructor(clock: Clock, onTimeout: (ending: Ending) => void) {
    this.#clock = clock;
    this.#onTimeout = onTimeout;
  }

  start({ firstOutputSeconds, silenceSeconds, totalSeconds }: Limits): void {
    this.#lastMs = this.#clock.now();
    if (totalSeconds !== undefined) {
      this.after(totalSeconds * 1000, () => this.#onTimeout({ by: 'total', seconds: totalSeconds }));
    }
    if (firstOutputSeconds !== undefined) {
      this.after(firstOutputSeconds * 1000, () => {
        if (!this.#outputSeen) this.#onTimeout({ by: 'first-output', seconds: firstOutputSeconds });
      });
    }
    if (silenceSeconds !== undefined) this.#watchSilence(silenceSeconds, firstOutputSeconds !== undefined);
  }

  /** Call this when the console prints something. */
  outputSeen(): void {
    this.#outputSeen = true;
    this.#lastMs = this.#clock.now();
  }

  /** Calls back once, unless `stop` comes first. */
  after(ms: number, callback: () => void): void {
    if (this.#stopped) return;
    const cancel = this.#clock.after(ms, () => {
      this.#cancel.delete(cancel);
      callback();
    });
    this.#cancel.add(cancel);
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancel) cancel();
    this.#cancel.clear();
  }

  /** Uses one timer at a time, however often the guest prints. */
  #watchSilence(seconds: number, firstIsWatched: boolean): void {
    const leftMs = seconds * 1000 - (this.#clock.now() - this.#lastMs);
    if (leftMs > 0) this.after(leftMs, () => this.#watchSilence(seconds, firstIsWatched));
    else if (this.#outputSeen || !firstIsWatched) this.#onTimeout({ by: 'silence', seconds });
    else this.after(1000, () => this.#watchSilence(seconds, firstIsWatched));
  }
}
