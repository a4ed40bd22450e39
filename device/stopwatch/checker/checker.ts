// SPDX-License-Identifier: MIT
/** The stopwatch's half of the cross-check: turns its trace events into stimuli for the model, and the model's effects into expected events. */
import {
  type Check,
  type DeviceChecker,
  deviceChecker,
  type Expected,
  type Step,
  type StepFailure,
} from '../../../vm/device-kit.js';
import { announced, REGISTERS, type RegisterName } from '../contract/contract.js';
import {
  commandOperation,
  decisionIndex,
  DECISIONS,
  decisionWords,
  doorbellOperation,
  timeoutOperation,
} from '../contract/decisions.js';
import {
  consumesMem,
  decode,
  describe,
  describeSnapshot,
  type Effect,
  errorNames,
  initialState,
  type ModelState,
  type Requests,
  step,
  type Stimulus,
} from '../model/index.js';
import { type LoadEvent, TRACE, type TraceEvent, type Unnumbered, type WriteEvent } from './trace.js';
import { CHANNELS, READ_CHANNELS, REGION, words } from './words.js';

export interface StopwatchCheckerOptions {
  /** How late an expiry may be, virtual nanoseconds. 0 under a driven clock. */
  readonly slackNs: bigint;
  /** The device's property. If given, it is checked instead of taken from the trace. */
  readonly startAtBoot?: boolean | undefined;
  /** Frequency of the guest's counter. If given, it is checked instead of taken from the trace. */
  readonly frequency?: bigint | undefined;
}

type StopwatchStep = Step<ModelState, TraceEvent>;

export function stopwatchChecker(options: StopwatchCheckerOptions): DeviceChecker<ModelState, TraceEvent> {
  return deviceChecker({
    name: 'stopwatch',
    trace: TRACE,
    effects: [
      'mem',
      'text',
      'lap',
      'ring',
      'requests',
      'request',
      'answer',
      'tail',
      'page',
      'irq',
      'error',
      'state',
    ],
    region: REGION,
    initial: initialState,
    begins: ({ event }) => event === 'reset' || event === 'load',
    step: (state, event) => check(state, event, options),
    words,
    describe,
    reported: (event) => (event.event === 'state' ? describeSnapshot(event) : undefined),
    interrupt: (event) => (event.event === 'irq' ? event.level : undefined),
    channels: CHANNELS,
    registers: REGISTERS.map(({ name, offset }) => ({
      name,
      offset,
      read: allowed('read', offset),
      write: allowed('write', offset),
    })),
    decisions: DECISIONS.map(decisionWords),
    refused: (event) => (event.event === 'error' ? errorNames(event.raised) : undefined),
  });
}

function allowed(direction: 'read' | 'write', offset: number): readonly number[] {
  return [1, 2, 4, 8].filter((size) => decode(direction, BigInt(offset), size) !== undefined);
}

/** The event that reports an effect. Undefined for `value`, which is part of the `read` event, and for `log`, which is not traced. */
export function eventOf(effect: Effect, now: bigint): Unnumbered | undefined {
  switch (effect.effect) {
    case 'mem':
      return { event: 'mem', now, dataLen: effect.dataLen };
    case 'text':
      return { event: 'text', now, dataLen: effect.dataLen, text: effect.text };
    case 'lap': {
      const { index, split, laps } = effect;
      return { event: 'lap', now, index, split, laps };
    }
    case 'ring': {
      const { laps, capacity, taken } = effect;
      return { event: 'ring', now, laps, capacity, taken };
    }
    case 'requests':
      return { event: 'requests', now, head: effect.head };
    case 'request':
      return { event: 'request', now, counter: effect.counter };
    case 'answer':
      return { event: 'answer', now, number: effect.number, split: effect.split };
    case 'tail':
      return { event: 'tail', now, taken: effect.taken };
    case 'page': {
      const { effect: _, error: __, ...fields } = effect;
      return { event: 'page', now, ...fields };
    }
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

function check(state: ModelState, event: TraceEvent, options: StopwatchCheckerOptions): StopwatchStep {
  const { now } = event;
  const { slackNs, startAtBoot } = options;
  switch (event.event) {
    case 'reset': {
      const { writes } = event;
      const boots = startAtBoot ?? event.startAtBoot;
      const frequency = options.frequency ?? event.frequency;
      const stimulus = { stimulus: 'reset', now, startAtBoot: boots, writes, frequency } as const;
      const checks: Check[] = [];
      if (startAtBoot !== undefined)
        checks.push(compare('reset.start_at_boot', startAtBoot, event.startAtBoot));
      if (options.frequency !== undefined)
        checks.push(compare('reset.frequency', frequency, event.frequency));
      return (
        late(state, now, slackNs, 'missing') ??
        run(state, stimulus, { checks, supplied: 4 - checks.length, tally: ['resets'] })
      );
    }
    case 'resume':
      return run(state, { stimulus: 'resume', now }, { supplied: 1, tally: ['resumes'] });
    case 'timer': {
      const checks = [compare('timer.deadline', state.deadline, event.deadline)];
      return (
        late(state, now, slackNs, 'late') ??
        run(state, { stimulus: 'timer', now }, { checks, supplied: 1, tally: ['interrupts'] })
      );
    }
    case 'read': {
      const { offset, size, value } = event;
      const target = decode('read', offset, size);
      const register = target?.shift === 0n ? target.name : undefined;
      return run(
        state,
        { stimulus: 'read', now, offset, size },
        { returned: value, supplied: 3, tally: ['reads'], register },
      );
    }
    case 'write':
      return write(state, event);
    case 'doorbell':
      return doorbell(state, (requests) => ({ stimulus: 'doorbell', now, requests }), []);
    case 'load':
      return load(state, event, options);
    case 'end':
      return late(state, now, slackNs, 'missing') ?? { state };
    case 'mem':
    case 'text':
    case 'lap':
    case 'ring':
    case 'requests':
    case 'request':
    case 'answer':
    case 'tail':
    case 'page':
    case 'irq':
    case 'error':
    case 'state':
    default:
      throw new Error(`A ${event.event} event is an effect, not a stimulus`);
  }
}

function write(state: ModelState, event: WriteEvent): StopwatchStep {
  const { now, offset, value, size } = event;
  const register = decode('write', offset, size)?.name;
  const tally = register === 'COMMAND' ? ['writes', 'commands'] : ['writes'];
  const decision = (dataLen: bigint): number | undefined => {
    if (register !== 'COMMAND' && register !== 'TIMEOUT_NS') return undefined;
    const operation = register === 'COMMAND' ? commandOperation(value, dataLen) : timeoutOperation(value);
    return decisionIndex(operation, state.status, state.timeout);
  };
  const stimulus = { stimulus: 'write', now, offset, value, size } as const;
  if (register === 'DOORBELL') return doorbell(state, (requests) => ({ ...stimulus, requests }), tally);
  // Where the length is not looked at, it does not matter.
  if (!consumesMem(state, stimulus))
    return { ...run(state, stimulus, { supplied: 4, tally }), decision: decision(1n) };
  const resume = (mem: TraceEvent): StopwatchStep => {
    if (mem.event !== 'mem') throw new Error(`Resumed with a ${mem.event} event`);
    const resumed = run(state, { ...stimulus, dataLen: mem.dataLen }, { supplied: 1, tally });
    return { ...resumed, decision: decision(mem.dataLen) };
  };
  return { state, consumes: { event: 'mem', resume } };
}

/** What the device reads from the request ring is supplied: HEAD, then the requests that it announces. */
function doorbell(
  state: ModelState,
  stimulus: (requests: Requests) => Stimulus,
  tally: readonly string[],
): StopwatchStep {
  const counters: bigint[] = [];
  const next = (head: bigint): StopwatchStep => {
    if (counters.length === (announced(state.taken, head) ?? 0)) {
      const decision = decisionIndex(doorbellOperation(state.taken, head), state.status, state.timeout);
      return {
        ...run(state, stimulus({ head, counters }), { supplied: 1, tally: [...tally, 'doorbells'] }),
        decision,
      };
    }
    const resume = (taken: TraceEvent): StopwatchStep => {
      if (taken.event !== 'request') throw new Error(`Resumed with a ${taken.event} event`);
      counters.push(taken.counter);
      return next(head);
    };
    return { state, consumes: { event: 'request', resume } };
  };
  const resume = (read: TraceEvent): StopwatchStep => {
    if (read.event !== 'requests') throw new Error(`Resumed with a ${read.event} event`);
    return next(read.head);
  };
  return { state, consumes: { event: 'requests', resume } };
}

/** A loaded state is supplied: it was saved by another process, or at another time. */
function load(state: ModelState, event: LoadEvent, options: StopwatchCheckerOptions): StopwatchStep {
  const { now, writes, pageSeq, disruption, laps, taken } = event;
  const frequency = options.frequency ?? event.frequency;
  const resume = (reported: TraceEvent): StopwatchStep => {
    if (reported.event !== 'state') throw new Error(`Resumed with a ${reported.event} event`);
    const { status, elapsed, timeout, deadline, count, error } = reported;
    const loaded = { status, elapsed, timeout, deadline, count, error, pageSeq, disruption, laps, taken };
    const stimulus = { stimulus: 'load', now, loaded, writes, frequency } as const;
    const after = run(state, stimulus, { supplied: 6, tally: ['loads'] });
    // The state event has been consumed, so do not expect it again.
    return { ...after, expect: after.expect?.filter((one) => one.event !== 'state') };
  };
  const checks =
    options.frequency === undefined ? [] : [compare('load.frequency', frequency, event.frequency)];
  return { state, checks, consumes: { event: 'state', resume } };
}

/** Effects whose events have been consumed already. */
const CONSUMED: ReadonlySet<Effect['effect']> = new Set(['mem', 'requests', 'request']);

interface RunOptions {
  readonly checks?: readonly Check[] | undefined;
  readonly supplied: number;
  readonly tally: readonly string[];
  /** The value that a read returned. */
  readonly returned?: bigint | undefined;
  /** The one that was read: the guest may print its value. */
  readonly register?: RegisterName | undefined;
}

function run(state: ModelState, stimulus: Stimulus, options: RunOptions): StopwatchStep {
  const { checks = [], supplied, tally } = options;
  const result = step(state, stimulus);
  if (!result.ok) {
    const { failure: kind, expected, actual } = result;
    const failure = { kind, field: `${stimulus.stimulus}.now`, expected, actual };
    return { state, supplied, failure };
  }
  const all = {
    checks: [...checks],
    expect: [] as Expected<TraceEvent>[],
    tally: [...tally],
    observables: [] as { channel: string; value: string }[],
  };
  const channel = READ_CHANNELS[options.register ?? 'ID'];
  for (const effect of result.effects) {
    if (effect.effect === 'value') {
      all.checks.push(compare('read.value', effect.value, options.returned ?? 0n));
      if (channel !== undefined) all.observables.push({ channel, value: String(effect.value) });
    }
    if (effect.effect === 'text') {
      all.tally.push('texts');
      all.observables.push({ channel: 'text', value: effect.text });
    }
    if (effect.effect === 'lap') {
      all.tally.push('laps');
      all.observables.push({ channel: 'lap', value: String(effect.split) });
    }
    if (effect.effect === 'answer') all.tally.push('requests');
    if (effect.effect === 'page') {
      const { pageSeq, state: status, accumulated } = effect;
      all.tally.push('pages');
      all.observables.push({ channel: 'page', value: `${pageSeq} ${status} ${accumulated}` });
    }
    if (effect.effect === 'error') all.tally.push('rejected');
    if (effect.effect === 'irq') all.tally.push('irqs');
    const expected = CONSUMED.has(effect.effect) ? undefined : eventOf(effect, stimulus.now);
    if (expected !== undefined) all.expect.push(expected);
  }
  if (stimulus.stimulus === 'timer' || stimulus.stimulus === 'reset' || stimulus.stimulus === 'load')
    all.observables.push({ channel: 'interrupts', value: String(result.state.count) });
  return { state: result.state, supplied, ...all };
}

/** A failure if an expiry is overdue by more than the slack. Reset and end are not accesses: the device does not fire first. */
function late(
  state: ModelState,
  now: bigint,
  slackNs: bigint,
  kind: 'late' | 'missing',
): StopwatchStep | undefined {
  if (state.timeout !== 'PENDING' || now <= state.deadline + slackNs) return undefined;
  const slack = slackNs === 0n ? '' : ` and ${slackNs} ns of slack`;
  const failure: StepFailure = {
    kind,
    field: 'timer.now',
    expected: `the expiry at ${state.deadline}${slack}`,
    actual: kind === 'late' ? `${now}` : `none up to ${now}`,
  };
  return { state, supplied: 0, failure };
}

function compare(field: string, expected: bigint | boolean, actual: bigint | boolean): Check {
  return { field, expected: String(expected), actual: String(actual) };
}
