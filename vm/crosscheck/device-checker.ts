// SPDX-License-Identifier: MIT
/** The parts that the checkers of most devices share. */
import { registerAt } from './register-at.js';
import type { TraceFormat } from './trace-format.js';
import type { Access, CheckedRegister, DeviceChecker, Step, StreamEvent, Words } from './types.js';

/** A 32-bit register of a model. */
export interface Register<S> {
  readonly name: string;
  readonly offset: number;
  /** The value of a read; absent: 0. A read changes nothing. */
  readonly value?: ((state: S) => bigint) | undefined;
  /** The state after a write; absent: a write changes nothing. */
  readonly after?: ((state: S, value: bigint) => S) | undefined;
}

type Registers<S> = readonly Register<S>[];

/** A read is checked, and the guest may print its value: the channel has the register's name. */
export function readRegister<S>(registers: Registers<S>, state: S, { offset, value }: Accessed) {
  const register = registerAt(registers, offset);
  const expected = String(register?.value?.(state) ?? 0n);
  return {
    state,
    checks: [{ field: 'read.value', expected, actual: String(value) }],
    tally: ['reads'],
    observables: register ? [{ channel: register.name.toLowerCase(), value: expected }] : [],
  } satisfies Step<S, StreamEvent>;
}

export function writeRegister<S>(registers: Registers<S>, state: S, { offset, value }: Accessed) {
  return {
    state: registerAt(registers, offset)?.after?.(state, value) ?? state,
    tally: ['writes'],
  } satisfies Step<S, StreamEvent>;
}

type Required = 'name' | 'region' | 'initial' | 'step' | 'channels';

/** The parts of a checker that differ from device to device; the others have defaults. */
export interface CheckerParts<S extends object, E extends StreamEvent>
  extends Pick<DeviceChecker<S, E>, Required>,
    Partial<Omit<DeviceChecker<S, E>, Required | 'registers'>> {
  readonly trace: TraceFormat<E>;
  readonly registers?: readonly (CheckedRegister | Register<S>)[] | undefined;
  /** Names of the events that are effects. */
  readonly effects?: readonly E['event'][] | undefined;
}

/**
 * A checker for a device whose stream begins with `reset` and ends with `end`, whose accesses are the events `read` and
 * `write` with the fields of `ACCESS`, and whose saved state is loaded with `load`. All other events are stimuli, unless
 * `effects` names them.
 */
export function deviceChecker<S extends object, E extends StreamEvent>({
  trace,
  effects = [],
  registers,
  ...own
}: CheckerParts<S, E>): DeviceChecker<S, E> {
  const isEffect = new Set<E['event']>(effects);
  return {
    prefix: trace.prefix,
    parse: (line) => trace.parse(line),
    role: ({ event }) => (event === 'end' ? 'end' : isEffect.has(event) ? 'effect' : 'stimulus'),
    begins: ({ event }) => event === 'reset',
    jumps: ({ event }) => event === 'load',
    resets: ({ event }) => event === 'reset',
    words: (event) => words(event, registers ?? []),
    describe: (state) =>
      Object.fromEntries(Object.entries(state).map(([name, value]) => [name, String(value)])),
    reported: () => undefined,
    access: accessOf,
    interrupt: () => undefined,
    registers: registers?.map((register) => ('read' in register ? register : checked(register))),
    ...own,
  };
}

const checked = <S>({ name, offset, value, after }: Register<S>): CheckedRegister => ({
  name,
  offset,
  read: value ? [4] : [],
  write: after ? [4] : [],
});

type Accessed = Omit<Access, 'direction'>;

function accessOf(event: StreamEvent): Access | undefined {
  const direction = event.event;
  return (direction === 'read' || direction === 'write') && hasAccess(event)
    ? { direction, offset: event.offset, value: event.value, size: event.size }
    : undefined;
}

const hasAccess = (event: StreamEvent): event is StreamEvent & Accessed => 'offset' in event;

const WORDS: Words = { reset: 'machine reset', load: 'load of a saved state', end: 'end of the stream' };

function words(
  event: StreamEvent,
  registers: readonly Pick<CheckedRegister, 'name' | 'offset'>[],
): { readonly access: string; readonly register?: string } {
  const access = accessOf(event);
  if (access === undefined) return { access: WORDS[event.event] ?? event.event };
  const { direction, offset, value, size } = access;
  const register = registerAt(registers, offset)?.name;
  const target = register ?? `offset 0x${offset.toString(16)}`;
  const written = direction === 'write' ? ` = 0x${value.toString(16)}` : '';
  return {
    access: `${direction} ${target}${written}, ${size} bytes`,
    ...(register !== undefined && { register }),
  };
}
