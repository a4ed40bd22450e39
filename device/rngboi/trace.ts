// SPDX-License-Identifier: MIT
/**
 * rngboi's own trace. Each line is a stimulus, or the one effect that an access
 * can have, `refused`, which follows it.
 */
import { ACCESS, traceFormat, type EventOf } from '../../vm/device-kit.js';

const EVENTS = {
  /** Machine reset, power-on included: the generator restarts from its seed; 0 means that it has none. */
  reset: [['seed', 'seed', 'hex']],
  /** The guest read, and this value was returned. */
  read: ACCESS,
  /** The guest writes. */
  write: ACCESS,
  /** The access did nothing: it was a write, or no aligned 4-byte read of RNG0. */
  refused: [],
  /** The device's state was loaded, the generator's with it. */
  load: [['state', 'state', 'hex']],
  /** QEMU is about to exit cleanly. */
  end: [],
} as const;

export type TraceEvent = EventOf<typeof EVENTS>;

export const TRACE = traceFormat('rngboi_', EVENTS);
