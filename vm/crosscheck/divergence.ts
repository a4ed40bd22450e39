// SPDX-License-Identifier: MIT
/** Collects the data of the first divergence. `format.ts` turns it into text. */
import type {
  Check,
  DeviceChecker,
  Divergence,
  DivergenceKind,
  Expected,
  StreamEvent,
  Words,
} from './types.js';

/** A property of any event by name, or undefined. */
function property(event: object, name: string): unknown {
  const value: unknown = Reflect.get(event, name);
  return value;
}

/** Number of compared fields: all but the event's name. */
export function fieldsOf(expected: object): number {
  return Object.keys(expected).length - 1;
}

/** The first field in which an event of the expected kind differs, or undefined. */
export function firstDifference<E extends StreamEvent>(expected: Expected<E>, actual: E): Check | undefined {
  for (const name of Object.keys(expected)) {
    const should = property(expected, name);
    const is = property(actual, name);
    if (should !== is)
      return { field: `${actual.event}.${name}`, expected: String(should), actual: String(is) };
  }
  return undefined;
}

/** A divergence whose access is still in progress. */
export interface PendingDivergence<S, E extends StreamEvent> {
  readonly kind: DivergenceKind;
  readonly difference: Check;
  readonly at: { readonly seq: bigint; readonly now: bigint };
  /** The stimulus to which it belongs. */
  readonly stimulus: E | undefined;
  readonly before: S;
  readonly after: S;
  readonly last: readonly string[];
  readonly context: {
    readonly story: readonly string[];
    readonly during: string | undefined;
    readonly afterCrash: boolean;
  };
  /** The state that the device reports, if it does before the next stimulus. */
  device: Words | undefined;
}

export function divergenceOf<S, E extends StreamEvent>(
  found: PendingDivergence<S, E>,
  device: Pick<DeviceChecker<S, E>, 'words' | 'describe'>,
  replay: string | undefined,
): Divergence {
  const { kind, difference, at, stimulus, before, after, last, context } = found;
  const { access, register } = stimulus ? device.words(stimulus) : { access: 'nothing', register: undefined };
  return {
    kind,
    seq: String(at.seq),
    now: String(at.now),
    access,
    ...(register === undefined ? {} : { register }),
    ...difference,
    last,
    story: context.story,
    ...(context.during === undefined ? {} : { during: context.during }),
    ...(context.afterCrash ? { afterCrash: true } : {}),
    states: {
      before: device.describe(before, at.now),
      model: device.describe(after, at.now),
      ...(found.device === undefined ? {} : { device: found.device }),
    },
    ...(replay === undefined ? {} : { replay }),
  };
}
