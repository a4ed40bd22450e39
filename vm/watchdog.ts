// SPDX-License-Identifier: MIT
import type { Clock } from './clock.js';
import type { Ending } from './outcome.js';

/** Host seconds; undefined: no such limit. */
export interface Limits {
  /** For the first byte on the console. */
  readonly firstOutputSeconds: number | undefined;
  /** Between two outputs. Where there is a limit for the first one, this holds only from then on. */
  readonly silenceSeconds: number | undefined;
  readonly totalSeconds: number | undefined;
}

/** Notices a guest that says nothing, and holds all timers of a boot. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #bark: (ending: Ending) => void;
  readonly #cancel = new Set<() => void>();
  #lastMs = 0;
  #heard = false;
  #stopped = false;

  constructor(clock: Clock, bark: (ending: Ending) => void) {
    this.#clock = clock;
    this.#bark = bark;
  }

  start({ firstOutputSeconds, silenceSeconds, totalSeconds }: Limits): void {
    this.#lastMs = this.#clock.now();
    if (totalSeconds !== undefined) {
      this.after(totalSeconds * 1000, () => this.#bark({ by: 'total', seconds: totalSeconds }));
    }
    if (firstOutputSeconds !== undefined) {
      this.after(firstOutputSeconds * 1000, () => {
        if (!this.#heard) this.#bark({ by: 'first-output', seconds: firstOutputSeconds });
      });
    }
    if (silenceSeconds !== undefined) this.#watchSilence(silenceSeconds, firstOutputSeconds !== undefined);
  }

  /** The console has printed something. */
  outputSeen(): void {
    this.#heard = true;
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

  /** One timer at a time, however much is printed. */
  #watchSilence(seconds: number, firstIsWatched: boolean): void {
    const leftMs = seconds * 1000 - (this.#clock.now() - this.#lastMs);
    if (leftMs > 0) this.after(leftMs, () => this.#watchSilence(seconds, firstIsWatched));
    else if (this.#heard || !firstIsWatched) this.#bark({ by: 'silence', seconds });
    else this.after(1000, () => this.#watchSilence(seconds, firstIsWatched));
  }
}
