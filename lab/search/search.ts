// SPDX-License-Identifier: MIT
/** What `fuzz` and `mutants` ask of a device. */
import type { Verdict } from '../../vm/crosscheck/index.js';
import type { Device } from '../../vm/device.js';
import type { CampaignResult, Failed, FuzzRequest, FuzzTarget } from './campaign.js';
import type { MachinePorts } from './machine.js';
import type { Mutant } from './mutate.js';
import type { Observed } from './rig.js';

/** A difference in words. */
export interface Told {
  /** What differs, in a word or two: a register, the text, the answer. */
  readonly compared: string;
  readonly expected: string;
  readonly actual: string;
  readonly states: {
    readonly before: Readonly<Record<string, string>>;
    readonly model: Readonly<Record<string, string>>;
    /** As its registers say; empty when QEMU was gone. */
    readonly device: Readonly<Record<string, string>>;
  };
}

/** Scripts with QEMU's trace switched on, judged by the cross-check of a boot. */
export interface TraceCheck<S> {
  /** What the search itself found meanwhile. */
  readonly search: CampaignResult<S>;
  /** Events of the device that were judged. */
  readonly events: number;
  readonly confirmed: number;
  /** Guest errors in QEMU's log that had to be there. */
  readonly logged: number;
  /** What is wrong, in a line; undefined when nothing is. */
  readonly wrong: string | undefined;
  /** The verdict that says so. */
  readonly verdict: Verdict | undefined;
  /** The shortest script found of which the trace is wrong in that way or another. */
  readonly script?: S;
}

/** What happened where time passed by itself. */
export interface HostClockCheck {
  readonly tries: number;
  /** Of these, how often it came to what the check is about: that is chance. */
  readonly met: number;
  /** What is wrong, in a line; undefined when nothing is. */
  readonly wrong: string | undefined;
}

/** What making a script short may cost. */
export interface ShrinkBudget {
  readonly tries: number;
  readonly seconds: number;
}

/** Which check saw the fault: what a guest sees, QEMU's end or its start, what the device says of itself, or the host's clock. */
export type Killer = 'search' | 'crash' | 'hang' | 'start' | 'trace' | 'clock';

export interface MutantVerdict {
  /** Undefined: it survived all of them. */
  readonly killer: Killer | undefined;
  /** Operations until then, all checks together. */
  readonly operations: number;
  /** Seconds of searching until then, without the making short. */
  readonly seconds: number;
  /** Operations of the shortest script; undefined where there is none. */
  readonly shortest: number | undefined;
  readonly script: string | undefined;
  /** In a line: what differed. */
  readonly what: string;
}

export interface MutantBudget {
  readonly seed: number;
  /** Of the search; a twentieth of it goes to the check of the trace. */
  readonly operations: number;
  readonly seconds: number;
}

/**
 * `S`: a script, `O`: one of its operations. Methods, not properties: the tool
 * hands a device's own scripts back to it without knowing what is in them.
 */
export interface DeviceSearch<O, S extends { readonly operations: readonly O[] }> {
  readonly target: FuzzTarget<O, S>;
  /** Throws SyntaxError that names the file. */
  readScript(file: string): Promise<S>;
  /** As `readScript` reads it; `about`: lines of comment. */
  formatScript(script: S, about?: readonly string[]): string;
  /** `observed`: what QEMU answered to the failing operation, done once more. */
  tell(script: S, outcome: Failed, observed: readonly Observed[]): Told;
  /** The script, one line per operation, the failing one marked. */
  scriptLines(script: S, failing: number): readonly string[];
  toldLines(told: Told): readonly string[];
  operationWords(operation: O): string;
  traceCheck(
    request: FuzzRequest,
    about: { readonly seed: number; readonly operations: number; readonly shrink: ShrinkBudget },
    ports: MachinePorts,
  ): Promise<TraceCheck<S>>;
  /** What is wrong with the trace of this one script, if anything. */
  traceOf(
    script: S,
    request: FuzzRequest,
    ports: MachinePorts,
  ): Promise<Pick<TraceCheck<S>, 'wrong' | 'verdict'>>;
  /** What a clock that is moved by hand cannot show; for a device of which there is any. */
  hostClockCheck?(request: FuzzRequest, ports: MachinePorts): Promise<HostClockCheck>;
  /** Faults that are put into the device's C source, one at a time. */
  mutants(source: string): readonly Mutant[];
  /** Faults that are put into the model, which the device then has to judge. */
  readonly model?: {
    /** Relative to the device's root; the whole of the device's TypeScript is loaded again with each. */
    readonly sources: readonly string[];
    mutants(file: string, source: string): readonly Mutant[];
  };
  /** Would the tool know? One faulty QEMU, judged as a right one is. */
  judgeMutant(request: FuzzRequest, budget: MutantBudget, ports: MachinePorts): Promise<MutantVerdict>;
}

/** A script of a device that is not known here. */
export interface AnyScript {
  readonly operations: readonly unknown[];
}

/** A device that `fuzz` and `mutants` can search. */
export interface SearchableDevice extends Device {
  search(): Promise<AnySearch>;
}

export function isSearchable(device: Device): device is SearchableDevice {
  return 'search' in device;
}

/** Any device's. */
export type AnySearch = DeviceSearch<unknown, AnyScript>;
