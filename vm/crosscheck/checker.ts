// SPDX-License-Identifier: MIT
/**
 * The checker of one device instance: steps the model in lock-step with the instance's trace, and returns the verdict at
 * the end. `machine.ts` routes lines to instances.
 */
import { divergenceOf, fieldsOf, firstDifference, type PendingDivergence } from './divergence.js';
import { CoverageCount } from './coverage-count.js';
import { Tail } from '../../lib/tail.js';
import { Guest } from './guest.js';
import { Sequence } from './sequence.js';
import { EventHistory } from './event-history.js';
import type {
  Check,
  Circumstances,
  DeviceChecker,
  DivergenceKind,
  InvalidReason,
  Observed,
  Step,
  StreamEvent,
  Verdict,
} from './types.js';
import { type Disagreement, Monitor, type MonitorOptions } from './monitor.js';

export interface CheckOptions {
  /** QEMU's own trace is in the stream, and must agree with the device's. */
  readonly monitor?: MonitorOptions;
  /** The guest's test prints the values it reads (`consoleLine`), and they must agree with the model. */
  readonly guest?: boolean;
  /** A test without a `# caused` line leaves its accesses unchecked instead of making the evidence invalid. */
  readonly guestMayBeSilent?: boolean;
  /** Minimum for each name in `Verdict.counts`; fewer make the evidence invalid. */
  readonly atLeast?: Readonly<Record<string, number>>;
  /** Measure which registers and decisions the run covers. */
  readonly coverage?: boolean;
  /** The command that repeats this check, for the report of a divergence. */
  readonly replay?: string;
  /** Called with every event of the device after it was checked. */
  readonly observe?: ((observed: Observed) => void) | undefined;
}

/** Number of events that a divergence shows. */
const LAST_EVENTS = 32;
const UNCHECKED = "whether the test's accesses reached the device: it printed no `# caused` line";

export class Checker<S, E extends StreamEvent> {
  private readonly sequence: Sequence<E>;
  private readonly monitor: Monitor | undefined;
  private readonly guest: Guest | undefined;
  private readonly last = new Tail(LAST_EVENTS);
  private readonly history: EventHistory<E>;
  private readonly coverage: CoverageCount | undefined;
  /** Sequence number of the event that raised the interrupt; undefined while the line is low. */
  private raised: bigint | undefined;
  /** A console line in the stream reported a kernel crash. */
  private crashed = false;
  private readonly kinds: Record<string, number> = {};
  private readonly counts: Record<string, number> = {};
  private readonly invalid: InvalidReason[] = [];
  private found: PendingDivergence<S, E> | undefined;
  /** The current stimulus, the model's state before it, and the model's step. */
  private stimulus: E | undefined;
  private before: S;
  private step: Step<S, E>;
  /** The last step passed to `observe`. */
  private observedStep: Step<S, E> | undefined;
  private expected = 0;
  private at = { seq: 0n, now: 0n };
  private events = 0;
  private checked = 0;
  private supplied = 0;
  private ownLines = 0;

  constructor(
    private readonly device: DeviceChecker<S, E>,
    private readonly options: CheckOptions = {},
  ) {
    this.sequence = new Sequence(device);
    this.monitor = options.monitor && new Monitor(options.monitor);
    this.guest = options.guest ? new Guest(device.channels, options.guestMayBeSilent) : undefined;
    this.history = new EventHistory(device);
    this.coverage = options.coverage === true ? new CoverageCount(device) : undefined;
    this.before = device.initial;
    this.step = { state: device.initial, checks: [], supplied: 0, expect: [], tally: [], observables: [] };
  }

  /** Prefix of the lines for `own`. */
  get prefix(): string {
    return this.device.prefix;
  }

  /** Whether the verdict can no longer be `agree`, so that a live run may be stopped early. */
  get failed(): boolean {
    return this.found !== undefined || this.invalid.length > 0;
  }

  /** Takes a line of the guest's console. Does nothing unless the `guest` option is set. */
  consoleLine(text: string): void {
    this.guest?.line(text);
  }

  /** Takes a console line found in the stream, between the device's events. */
  printed(text: string): void {
    this.history.console(text);
  }

  /** The guest's kernel crashed. */
  crash(): void {
    this.crashed = true;
  }

  /** Takes a line of the device's own trace and its line number in the stream. */
  own(text: string, lineNumber: number): void {
    const event = this.device.parse(text);
    if (event === undefined) {
      this.unparsable(text, lineNumber);
      return;
    }
    this.ownLines += 1;
    this.events += 1;
    this.kinds[event.event] = (this.kinds[event.event] ?? 0) + 1;
    const role = this.device.role(event);
    this.history.event(event, role);
    this.trackInterrupt(event);
    const asked = !this.failed;
    if (asked) this.check(event, role, text);
    else if (this.found) this.afterDivergence(this.found, event, role, text);
    if (role === 'end') this.sequence.ended = true;
    if (this.options.observe) this.options.observe(this.observed(event, role, text, asked));
  }

  private observed(event: E, role: Observed['role'], text: string, asked: boolean): Observed {
    if (!asked) return { event, role, text, judged: 'unchecked' };
    const judged = this.found ? 'differs' : this.failed ? 'invalid' : 'agrees';
    // An effect belongs to the step already observed, unless it resumed a new one.
    if (this.step === this.observedStep) return { event, role, text, judged };
    this.observedStep = this.step;
    const before = this.device.describe(this.before, event.now);
    const after = this.device.describe(this.step.state, event.now);
    return { event, role, text, judged, states: { before, after }, decision: this.step.decision };
  }

  /** Follows the interrupt's level. A reset lowers it without an event. */
  private trackInterrupt(event: E): void {
    const level = this.device.interrupt(event);
    if (level === true) this.raised = event.seq;
    else if (level === false || this.device.resets(event)) this.raised = undefined;
  }

  /** Takes a line that has the device's prefix but does not parse. */
  unparsable(line: string, lineNumber: number): void {
    this.ownLines += 1;
    if (this.invalid.length === 0) this.invalid.push({ reason: 'unparsable', line, lineNumber });
  }

  /** Takes a line of QEMU's own trace about an access to the device's region. */
  accessSeen(text: string): void {
    if (!this.failed) this.disagree(this.monitor?.accessLine(text));
  }

  /** Takes an edge of the device's interrupt line from the interrupt controller's trace. */
  edgeSeen(level: boolean): void {
    if (!this.failed) this.disagree(this.monitor?.edge(level));
  }

  private check(event: E, role: 'stimulus' | 'effect' | 'end', text: string): void {
    this.last.push(text);
    const reason = this.sequence.accept(event, text);
    if (reason) {
      this.invalid.push(reason);
      return;
    }
    this.at = event;
    if (role === 'effect') this.effect(event);
    else this.begin(event, role);
  }

  private begin(event: E, role: 'stimulus' | 'end'): void {
    const next = this.nextEvent();
    if (next !== undefined) this.diverge('event', { field: 'event', expected: next, actual: event.event });
    else this.disagree(role === 'end' ? this.monitor?.end() : this.monitor?.boundary());
    if (this.found) {
      // The divergence belongs to the previous access; later events are about other accesses.
      this.stimulus = undefined;
      return;
    }
    this.before = this.step.state;
    this.stimulus = event;
    const access = this.device.access(event);
    if (access) {
      this.coverage?.access(access);
      this.disagree(this.monitor?.access(access, event.seq));
    }
    if (this.device.jumps(event)) this.monitor?.stateLoaded();
    if (!this.found) this.enter(this.device.step(this.before, event), event, ['id', 'seq']);
  }

  /** `known`: fields of the event that have been compared before the step. */
  private enter(step: Step<S, E>, event: E, known: readonly string[]): void {
    const { checks = [] } = step;
    this.step = step;
    this.expected = 0;
    this.supplied += step.supplied ?? fieldsOf(event) - known.length - checks.length;
    if (step.failure) {
      const { kind, ...difference } = step.failure;
      this.diverge(kind, difference);
      return;
    }
    for (const check of checks) {
      this.checked += 1;
      if (check.expected !== check.actual) {
        this.diverge('field', check);
        return;
      }
    }
    this.settle();
  }

  private effect(event: E): void {
    const { expect = [], consumes } = this.step;
    const expected = expect[this.expected];
    const next = this.nextEvent();
    if (next !== event.event) {
      this.diverge('event', { field: 'event', expected: next ?? 'no further effect', actual: event.event });
      return;
    }
    if (expected === undefined) {
      const late = consumes && event.now !== this.stimulus?.now;
      if (late)
        this.diverge('field', {
          field: `${event.event}.now`,
          expected: `${this.stimulus?.now}`,
          actual: `${event.now}`,
        });
      else if (consumes) this.enter(consumes.resume(event), event, ['id', 'seq', 'now']);
      return;
    }
    const difference = firstDifference<E>(expected, event);
    this.checked += fieldsOf(expected);
    if (difference) {
      this.diverge('field', difference);
      if (this.found) this.found.device = this.device.reported(event);
      return;
    }
    const level = this.device.interrupt(event);
    if (level !== undefined) {
      const optional = !level && this.stimulus !== undefined && this.device.resets(this.stimulus);
      this.disagree(this.monitor?.interrupt(level, event.seq, optional));
    }
    this.expected += 1;
    this.settle();
  }

  /** The event that must come before the next stimulus, or undefined. */
  private nextEvent(): string | undefined {
    return this.step.expect?.[this.expected]?.event ?? this.step.consumes?.event;
  }

  /** Counts a step once it has been checked completely. */
  private settle(): void {
    if (this.found || this.nextEvent() !== undefined) return;
    if (this.step.decision !== undefined) this.coverage?.decision(this.step.decision);
    for (const name of this.step.tally ?? []) this.counts[name] = (this.counts[name] ?? 0) + 1;
    for (const observable of this.step.observables ?? []) this.guest?.sees(observable);
  }

  private disagree(disagreement: Disagreement | undefined): void {
    if (disagreement) this.diverge('monitor', disagreement);
  }

  private diverge(kind: DivergenceKind, difference: Check): void {
    const { at, stimulus, before } = this;
    const last = this.last.lines;
    const context = { story: this.history.lines(), during: this.history.during, afterCrash: this.crashed };
    const after = this.step.state;
    this.found = { kind, difference, at, stimulus, before, after, last, context, device: undefined };
  }

  /** After a divergence only the state that the device reports for the same access is of interest. */
  private afterDivergence(found: PendingDivergence<S, E>, event: E, role: string, text: string): void {
    if (role !== 'effect' || this.sequence.accept(event, text)) this.stimulus = undefined;
    if (this.stimulus !== undefined) found.device ??= this.device.reported(event);
  }

  /**
   * Returns the verdict; call it once. `truncated`: text after the stream's last newline. `lines`: number of lines in the
   * stream. `whole`: the guest finished the device's test, or there is none.
   */
  end(truncated: string, lines: number, whole = true): Verdict {
    const circumstances = this.circumstances();
    if (truncated !== '') this.invalid.push({ reason: 'truncated', line: truncated });
    if (!this.sequence.ended)
      this.invalid.push({ reason: 'no-end', lastSeq: String(this.sequence.lastSeq ?? 'none') });
    if (!this.failed) this.checkAtEnd(whole);
    return {
      result: this.found ? 'differ' : this.invalid.length > 0 ? 'invalid' : 'agree',
      events: this.events,
      checked: this.checked,
      supplied: this.supplied,
      confirmed: this.monitor?.confirmed ?? 0,
      observed: this.guest?.observed ?? 0,
      otherLines: lines - this.ownLines,
      kinds: this.kinds,
      counts: this.counts,
      ...(this.found ? { divergence: divergenceOf(this.found, this.device, this.options.replay) } : {}),
      ...(this.guest && !whole ? { partial: true } : {}),
      circumstances,
      ...(this.coverage ? { covered: this.coverage.result } : {}),
      invalid: this.invalid,
      ...(this.guest?.unchecked && { unchecked: [UNCHECKED] }),
    };
  }

  private circumstances(): Circumstances {
    const { stimulus, raised, history } = this;
    const pending = this.monitor?.pendingWrite;
    const unfinished =
      pending !== undefined
        ? { seq: String((this.sequence.lastSeq ?? -1n) + 1n), access: pending }
        : stimulus !== undefined && this.nextEvent() !== undefined
          ? { seq: String(stimulus.seq), access: this.device.words(stimulus).access }
          : undefined;
    return {
      story: history.lines(),
      ...(unfinished === undefined || this.sequence.ended ? {} : { unfinished }),
      ...(raised === undefined ? {} : { unacknowledged: { seq: String(raised) } }),
      failedTests: history.failedTests,
    };
  }

  /** Checks that need the complete stream; `whole` adds those that need the complete test output. */
  private checkAtEnd(whole: boolean): void {
    this.invalid.push(...(this.monitor?.silent() ?? []));
    if (whole) this.invalid.push(...(this.guest?.invalid() ?? []));
    const needed = [...Object.entries(this.options.atLeast ?? {}), ...(this.guest?.caused ?? [])];
    for (const [what, count] of whole ? needed : []) {
      const got = this.counts[what] ?? 0;
      if (got < count) this.invalid.push({ reason: 'too-few', what, needed: count, got });
    }
    const mismatch = this.guest?.mismatch(this.counts, whole);
    if (mismatch) this.diverge('guest', mismatch);
  }
}
