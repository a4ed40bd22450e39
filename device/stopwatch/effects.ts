// SPDX-License-Identifier: MIT
/** The model's effects, as the events of the trace that report them. */
import type { Effect } from './model/index.js';
import type { TraceEvent } from './trace.js';

/** A trace event that has no place in a sequence yet. */
export type Unnumbered<E = TraceEvent> = E extends unknown ? Omit<E, 'seq'> : never;

/** The event that reports an effect; undefined for `value` (the `read` event has it) and `log` (not part of the trace). */
export function eventOf(effect: Effect, now: bigint): Unnumbered | undefined {
  switch (effect.effect) {
    case 'mem':
      return { event: 'mem', now, dataLen: effect.dataLen };
    case 'text':
      return { event: 'text', now, dataLen: effect.dataLen, text: effect.text };
    case 'irq':
      return { event: 'irq', now, level: effect.level };
    case 'error':
      return { event: 'error', now, raised: effect.raised, error: effect.error };
    case 'state': {
      const { effect: _, ...snapshot } = effect;
      return { event: 'state', now, ...snapshot };
    }
    case 'value':
    case 'log':
    default:
      return undefined;
  }
}
