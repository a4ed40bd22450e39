// SPDX-License-Identifier: MIT
/** The interface between a device and `fuzz` and `mutants`. */
import type { Verdict } from '../../vm/crosscheck/index.js';
import type { Device } from '../../vm/device.js';
import type { MachinePorts, SearchRequest } from './machine.js';
import type { Plan } from './plan.js';
import type { Failed, ObservedAnswer } from './runner.js';

/** A sequence of operations on a device, as plain data. `O`: one operation. */
export interface AnyScript<O = unknown> {
  readonly operations: readonly O[];
}

/** A failing operation, described for a report. */
export interface FailureReport {
  /** The value that differs, in one or two words: a register, the text, the answer. */
  readonly compared: string;
  readonly expected: string;
  readonly actual: string;
  readonly states: {
    readonly before: Readonly<Record<string, string>>;
    readonly model: Readonly<Record<string, string>>;
    /** From the device's registers; empty if QEMU had ended. */
    readonly device: Readonly<Record<string, string>>;
  };
}

/** The result of checking the traces of one or more QEMU processes. */
export interface TraceVerdict {
  /** Events of the device that were checked. */
  readonly events: number;
  /** Accesses and interrupts that QEMU's own trace confirmed. */
  readonly confirmed: number;
  /** Guest errors that QEMU logged, as expected. */
  readonly logged: number;
  /** The fault, in one line. */
  readonly wrong?: string | undefined;
  /** The cross-check's verdict that says so. */
  readonly verdict?: Verdict | undefined;
}

/** A check of something that no script can show. It runs its own QEMU. */
export interface ExtraCheck {
  /** Key of its result in the JSON report, and the name by which `mutants` reports it. */
  readonly name: string;
  readonly title: string;
  run(request: SearchRequest, ports: MachinePorts): Promise<ExtraCheckResult>;
}

export interface ExtraCheckResult {
  /** The fault, in one line. */
  readonly wrong?: string | undefined;
  /** The work done, in one line. */
  readonly summary: string;
  /** For the JSON report. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** Names in the device's sources from which `mutants` makes faults: each name is replaced by the next one of its group. */
export interface MutationNames {
  readonly c: {
    /** Mutate the source from the first occurrence of this text on. */
    readonly from: string;
    /** By the name of the mutation operator, such as `register`. */
    readonly names: Readonly<Record<string, readonly string[]>>;
    /** Members of the device's state `s`. */
    readonly fields: readonly string[];
  };
}

/** Gaps in the checks, by their names in the report, each with its justification. */
export interface Waivers {
  /** Lines and branches that no guest can reach. */
  readonly unreached: Readonly<Record<string, string>>;
  /** Mutants of the C source that behave like the original. */
  readonly mutants: Readonly<Record<string, string>>;
}

/** These are methods, not properties, so that any device's search is an AnySearch: it only gets back its own scripts. */
export interface DeviceSearch<O, S extends AnyScript<O>> {
  /** Script number `index` of the campaign with this seed; always the same. `eventful`: with operations that start a new process. */
  sample(seed: number, index: number, eventful: boolean): S;
  /** QEMU's type and properties of the device that the script is for. */
  qemuDevice(script: S): string;
  /** Yields now and then, so that answers can be read meanwhile. `base`: virtual time at which the script starts. */
  plan(script: S, base: bigint): Generator<undefined, Plan>;
  /** Simpler forms of one operation, the simplest first. */
  simpler(operation: O, before: O | undefined): readonly O[];
  /** The device's decision table, as names. A campaign reports which ones it exercised. */
  readonly decisions?: readonly string[];
  /** Throws Error with the place and what was expected. */
  parseScript(text: string): S;
  /** A file that `parseScript` reads. `about`: lines of comment. */
  formatScript(script: S, about?: readonly string[]): string;
  describeOperation(operation: O): string;
  /** `observed`: QEMU's answers to the failing operation when it was run again. */
  describeFailure(script: S, failed: Failed, observed: readonly ObservedAnswer[]): FailureReport;
  /** QEMU trace events to record, as glob patterns, and the check of one process's trace. */
  readonly trace: { readonly patterns: readonly string[]; check(text: string): TraceVerdict };
  readonly extraChecks: readonly ExtraCheck[];
  readonly mutationNames: MutationNames;
  readonly waivers: Waivers;
}

/** Any device's. */
export type AnySearch = DeviceSearch<unknown, AnyScript>;

/** A device that `fuzz` and `mutants` can search. */
export interface SearchableDevice extends Device {
  search(): Promise<AnySearch>;
}

export function isSearchable(device: Device): device is SearchableDevice {
  return 'search' in device;
}
