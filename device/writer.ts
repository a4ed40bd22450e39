// SPDX-License-Identifier: MIT
/** Writes the trace of a device that keeps the contract: the model, driven by stimuli, in the words of the stream. */
import { eventOf, type Unnumbered } from './effects.js';
import { consumesMem, initialState, type ModelState, step, type Stimulus } from './model/index.js';
import { formatTraceLine } from './parse.js';
import type { TraceEvent } from './trace.js';

/**
 * Collects the events of one run. The caller decides when a pending timeout
 * expires (`timer`); an access at or after the deadline fires it first, as the
 * device does.
 */
export class TraceWriter {
  readonly events: TraceEvent[] = [];
  state: ModelState = initialState;

  reset(now: bigint, startAtBoot = true): void {
    this.emit({ event: 'reset', now, startAtBoot });
    this.run({ stimulus: 'reset', now, startAtBoot });
  }

  write(now: bigint, offset: number, value: bigint, options: { size?: number; dataLen?: bigint } = {}): void {
    this.expire(now);
    const { size = 8, dataLen = 0n } = options;
    const access = { offset: BigInt(offset), value, size };
    this.emit({ event: 'write', now, ...access });
    const consumed = consumesMem(this.state, access) ? { dataLen } : {};
    this.run({ stimulus: 'write', now, ...access, ...consumed });
  }

  read(now: bigint, offset: number, size = 8): void {
    this.expire(now);
    this.run({ stimulus: 'read', now, offset: BigInt(offset), size });
  }

  /** The expiry, if it is due at `now`. */
  expire(now: bigint): void {
    if (this.state.timeout !== 'PENDING' || now < this.state.deadline) return;
    this.emit({ event: 'timer', now, deadline: this.state.deadline });
    this.run({ stimulus: 'timer', now });
  }

  end(now: bigint): void {
    this.emit({ event: 'end', now });
  }

  /** The stream, as QEMU writes it. */
  text(): string {
    return this.events.map((event) => `${formatTraceLine(event)}\n`).join('');
  }

  private emit(event: Unnumbered): void {
    this.events.push({ ...event, seq: BigInt(this.events.length) });
  }

  private run(stimulus: Stimulus): void {
    const result = step(this.state, stimulus);
    if (!result.ok)
      throw new Error(`The model refuses: ${result.failure}, ${result.expected}, got ${result.actual}`);
    this.state = result.state;
    const { now } = stimulus;
    for (const effect of result.effects) {
      const event = eventOf(effect, now);
      if (event !== undefined) this.emit(event);
      else if (effect.effect === 'value' && stimulus.stimulus === 'read') {
        const { offset, size } = stimulus;
        this.emit({ event: 'read', now, offset, value: effect.value, size });
      }
    }
  }
}
