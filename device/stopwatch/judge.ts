// SPDX-License-Identifier: MIT
/** The stopwatch's half of the cross-check: its trace events as stimuli to the reference model, the model's effects as events to come. */
import type { Access, Check, DeviceChecker, Expected, Step, StepFailure } from '../../vm/device-kit.js';
import { STATUS } from './contract.js';
import { eventOf } from './effects.js';
import {
  consumesMem,
  decode,
  describe,
  describeSnapshot,
  initialState,
  type ModelState,
  snapshotAt,
  step,
  type Stimulus,
} from './model/index.js';
import { parseTraceLine, TRACE_PREFIX } from './parse.js';
import type { TraceEvent, WriteEvent } from './trace.js';
import { CHANNELS, REGS_REGION, words } from './words.js';

export interface StopwatchJudgeOptions {
  /** How late an expiry may be, virtual nanoseconds. 0 under a driven clock. */
  readonly slackNs: bigint;
  /** The device's property, if the caller knows it: then it is checked and not supplied. */
  readonly startAtBoot?: boolean;
}

type StopwatchStep = Step<ModelState, TraceEvent>;

export function stopwatchJudge(options: StopwatchJudgeOptions): DeviceChecker<ModelState, TraceEvent> {
  return {
    name: 'stopwatch',
    prefix: TRACE_PREFIX,
    region: REGS_REGION,
    initial: initialState,
    parse: parseTraceLine,
    role,
    begins: ({ event }) => event === 'reset' || event === 'load',
    jumps: ({ event }) => event === 'load',
    step: (state, event, continues) => judge(state, event, continues, options),
    words,
    describe,
    reported: (event) => (event.event === 'state' ? describeSnapshot(event) : undefined),
    access,
    interrupt: (event) => (event.event === 'irq' ? event.level : undefined),
    resets: ({ event }) => event === 'reset',
    channels: CHANNELS,
  };
}

const EFFECTS: ReadonlySet<TraceEvent['event']> = new Set(['mem', 'text', 'irq', 'error', 'state']);

function role({ event }: TraceEvent): 'stimulus' | 'effect' | 'end' {
  if (event === 'end') return 'end';
  return EFFECTS.has(event) ? 'effect' : 'stimulus';
}

function access(event: TraceEvent): Access | undefined {
  if (event.event !== 'read' && event.event !== 'write') return undefined;
  return { direction: event.event, offset: event.offset, value: event.value, size: event.size };
}

function judge(
  state: ModelState,
  event: TraceEvent,
  continues: boolean,
  { slackNs, startAtBoot }: StopwatchJudgeOptions,
): StopwatchStep {
  const { now } = event;
  switch (event.event) {
    case 'reset':
      return (
        late(state, now, slackNs, 'missing') ??
        run(
          state,
          { stimulus: 'reset', now, startAtBoot: startAtBoot ?? event.startAtBoot },
          {
            checks:
              startAtBoot === undefined ? [] : [check('reset.start_at_boot', startAtBoot, event.startAtBoot)],
            supplied: startAtBoot === undefined ? 2 : 1,
            tally: ['resets'],
          },
        )
      );
    case 'timer':
      return (
        late(state, now, slackNs, 'late') ??
        run(
          state,
          { stimulus: 'timer', now },
          {
            checks: [check('timer.deadline', state.deadline, event.deadline)],
            supplied: 1,
            tally: ['interrupts'],
          },
        )
      );
    case 'read':
      return run(
        state,
        { stimulus: 'read', now, offset: event.offset, size: event.size },
        {
          returned: event.value,
          supplied: 3,
          tally: ['reads'],
          status: decode('read', event.offset, event.size)?.name === 'STATUS',
        },
      );
    case 'write':
      return write(state, event);
    case 'load':
      return load(state, event, continues);
    case 'end':
      return late(state, now, slackNs, 'missing') ?? { ...NOTHING, state, supplied: 1 };
    case 'mem':
    case 'text':
    case 'irq':
    case 'error':
    case 'state':
    default:
      throw new Error(`A ${event.event} event is an effect, not a stimulus`);
  }
}

const NOTHING = { checks: [], supplied: 0, expect: [], tally: [], observables: [] } as const;

function write(state: ModelState, event: WriteEvent): StopwatchStep {
  const { now, offset, value, size } = event;
  const command = decode('write', offset, size)?.name === 'COMMAND';
  const tally = command ? ['writes', 'commands'] : ['writes'];
  const stimulus = { stimulus: 'write', now, offset, value, size } as const;
  if (!consumesMem(state, stimulus)) return run(state, stimulus, { supplied: 4, tally });
  return {
    ...NOTHING,
    state,
    supplied: 4,
    consumes: {
      event: 'mem',
      resume: (mem) => {
        if (mem.event !== 'mem') throw new Error(`Resumed with a ${mem.event} event`);
        return run(state, { ...stimulus, dataLen: mem.dataLen }, { supplied: 1, tally });
      },
    },
  };
}

/** A loaded state is supplied, unless the stream goes on from a state that the model knows: then nothing may have changed. */
function load(state: ModelState, event: TraceEvent, continues: boolean): StopwatchStep {
  const { now } = event;
  if (continues) {
    return {
      ...NOTHING,
      state,
      supplied: 1,
      expect: [{ event: 'state', now, ...snapshotAt(state, now) }],
      tally: ['loads'],
    };
  }
  const resume = (loaded: TraceEvent): StopwatchStep => {
    if (loaded.event !== 'state') throw new Error(`Resumed with a ${loaded.event} event`);
    const { status, elapsed, timeout, deadline, count, error } = loaded;
    const stimulus = {
      stimulus: 'load',
      now,
      loaded: { status, elapsed, timeout, deadline, count, error },
    } as const;
    // The state event has been consumed: it is not to come again.
    return { ...run(state, stimulus, { supplied: 6, tally: ['loads'] }), expect: [] };
  };
  return { ...NOTHING, state, supplied: 1, consumes: { event: 'state', resume } };
}

interface About {
  readonly checks?: readonly Check[];
  readonly supplied: number;
  readonly tally: readonly string[];
  /** The value that a read returned. */
  readonly returned?: bigint;
  /** A read of STATUS: the guest may print it. */
  readonly status?: boolean;
}

function run(state: ModelState, stimulus: Stimulus, about: About): StopwatchStep {
  const { checks = [], supplied, tally } = about;
  const result = step(state, stimulus);
  if (!result.ok) {
    const { failure, expected, actual } = result;
    return {
      ...NOTHING,
      state,
      supplied,
      failure: { kind: failure, field: `${stimulus.stimulus}.now`, expected, actual },
    };
  }
  const { now } = stimulus;
  const all = {
    checks: [...checks],
    expect: [] as Expected<TraceEvent>[],
    tally: [...tally],
    observables: [] as { channel: string; value: string }[],
  };
  // A rejected read of STATUS does not get here: decode() has refused it.
  if (about.status === true && about.returned !== undefined) {
    all.observables.push({ channel: 'status', value: String(STATUS[result.state.status]) });
  }
  for (const effect of result.effects) {
    if (effect.effect === 'value') all.checks.push(check('read.value', effect.value, about.returned ?? 0n));
    if (effect.effect === 'text') {
      all.tally.push('texts');
      all.observables.push({ channel: 'text', value: effect.text });
    }
    if (effect.effect === 'error') all.tally.push('rejected');
    if (effect.effect === 'irq') all.tally.push('irqs');
    // What was consumed has been in the stream already.
    const expected = effect.effect === 'mem' ? undefined : eventOf(effect, now);
    if (expected !== undefined) all.expect.push(expected);
  }
  if (stimulus.stimulus === 'timer' || stimulus.stimulus === 'reset' || stimulus.stimulus === 'load') {
    all.observables.push({ channel: 'interrupts', value: String(result.state.count) });
  }
  return { state: result.state, supplied, ...all };
}

/** Beyond the slack. Reset and end are no accesses: the device need not fire first, but it must have been in time. */
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
  return { ...NOTHING, state, failure };
}

function check(field: string, expected: bigint | boolean, actual: bigint | boolean): Check {
  return { field, expected: String(expected), actual: String(actual) };
}
