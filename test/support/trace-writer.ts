// SPDX-License-Identifier: MIT
/** Writes the trace of a device that keeps the contract: the model, driven by stimuli, in the words of the stream. */
import { eventOf } from '../../device/stopwatch/checker/checker.js';
import { TRACE, type TraceEvent, type Unnumbered } from '../../device/stopwatch/checker/trace.js';
import {
  consumesMem,
  initialState,
  type ModelState,
  type Requests,
  ringsDoorbell,
  step,
  type Stimulus,
} from '../../device/stopwatch/model/index.js';
import { REGION } from '../../device/stopwatch/checker/words.js';

/** Of the counter of QEMU's Cortex-A53 and of the processor that `virt` has by itself. */
export const FREQUENCY = 62_500_000n;

/** QEMU's own trace, written along: where the region is in guest memory, and the interrupt's id. */
export interface MonitorLines {
  readonly base: bigint;
  readonly interrupt: number;
}

/**
 * Collects the lines of one run. The caller decides when a pending timeout
 * expires (`expire`); an access at or after the deadline fires it first, as the
 * device does. Times never go back.
 */
export class TraceWriter {
  /** Events of the device, and as text the lines of the monitors. */
  readonly entries: (TraceEvent | string)[] = [];
  state: ModelState = initialState;
  private seq = 0n;

  /** `id`: of the device in the machine. */
  constructor(
    private readonly monitor?: MonitorLines,
    private readonly id = 'stopwatch',
  ) {}

  reset(now: bigint, startAtBoot = true): void {
    const reset = { now, startAtBoot, writes: true, frequency: FREQUENCY };
    this.emit({ event: 'reset', ...reset });
    this.run({ stimulus: 'reset', ...reset });
  }

  /** `dataLen`, `requests`: what stands in `mem`, should the device look. */
  write(
    now: bigint,
    offset: number,
    value: bigint,
    options: { size?: number; dataLen?: bigint; requests?: Requests } = {},
  ): void {
    const { size = 8, dataLen = 0n, requests = { head: this.state.taken, counters: [] } } = options;
    const access = { offset: BigInt(offset), value, size };
    this.operation('write', access);
    this.expire(now);
    this.emit({ event: 'write', now, ...access });
    const consumed = consumesMem(this.state, access)
      ? { dataLen }
      : ringsDoorbell(access)
        ? { requests }
        : {};
    this.run({ stimulus: 'write', now, ...access, ...consumed });
  }

  /** Gives the value read. */
  read(now: bigint, offset: number, size = 8): bigint {
    this.expire(now);
    const access = { offset: BigInt(offset), size };
    const value = this.run({ stimulus: 'read', now, ...access });
    this.operation('read', { ...access, value });
    return value;
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

  /** The stream, line by line, as QEMU writes it. */
  lines(): string[] {
    return this.entries.map((entry) => (typeof entry === 'string' ? entry : TRACE.format(entry)));
  }

  private emit(event: Unnumbered): void {
    this.entries.push({ ...event, id: this.id, seq: this.seq });
    this.seq += 1n;
    if (event.event === 'irq' && this.monitor) {
      const { interrupt } = this.monitor;
      this.entries.push(`gic_set_irq irq ${interrupt} level ${event.level ? 1 : 0} cpumask 0xff target 0x1`);
    }
  }

  private operation(
    direction: 'read' | 'write',
    access: { offset: bigint; value: bigint; size: number },
  ): void {
    if (!this.monitor) return;
    const address = (this.monitor.base + access.offset).toString(16);
    const value = access.value.toString(16);
    this.entries.push(
      `memory_region_ops_${direction} cpu 0 mr 0x55d0c0ffee00 addr 0x${address} value 0x${value} size ${access.size} name '${this.id}-${REGION}'`,
    );
  }

  /** Gives the value of a read, 0 otherwise. */
  private run(stimulus: Stimulus): bigint {
    const result = step(this.state, stimulus);
    if (!result.ok)
      throw new Error(`The model refuses: ${result.failure}, ${result.expected}, got ${result.actual}`);
    this.state = result.state;
    const { now } = stimulus;
    let value = 0n;
    for (const effect of result.effects) {
      const event = eventOf(effect, now);
      if (event !== undefined) this.emit(event);
      else if (effect.effect === 'value' && stimulus.stimulus === 'read') {
        const { offset, size } = stimulus;
        ({ value } = effect);
        this.emit({ event: 'read', now, offset, value, size });
      }
    }
    return value;
  }
}
