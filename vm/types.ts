// SPDX-License-Identifier: MIT
/** The options and the result of one boot. */
import type { Splat } from './console/splat.js';
import type { Dropped } from './qemu/trace-filter.js';
import type { TestStatus } from './crosscheck/sections.js';
import type { VmSettings } from './settings.js';

/** Absolute paths of the machine's files. */
export interface MachineFiles {
  readonly qemu: string;
  readonly kernel: string;
  /** Undefined when the root is the ext4 image. */
  readonly initramfs: string | undefined;
  readonly ext4: string | undefined;
}

/** Options of one boot, in addition to the configuration. */
export interface BootOptions {
  /** Boot without the project's devices. */
  readonly nodev: boolean;
  /** Write changes to the root file system (ext4 only). Otherwise they go to a snapshot. */
  readonly rw: boolean;
  /** `stopwatch=` on the kernel's command line: run tests, stress tests or benchmarks and power off; run tests and stay; shell only; or one command. */
  readonly guest: 'test_and_quit' | 'stress_and_quit' | 'bench_and_quit' | 'test' | 'shell' | 'exec';
  readonly trace: boolean;
  /** Ids of the devices to test; absent: all. */
  readonly tested?: readonly string[] | undefined;
  /** Run only tests that match one of these patterns (see guest-tests.ts); absent: all. */
  readonly only?: readonly string[] | undefined;
  /** Seed for QEMU's random numbers and for the tests; 1 if absent. */
  readonly seed?: number | undefined;
  readonly vm: VmSettings;
}

/** Whether the guest powers off when its tests are done. */
export function powersOffWhenDone({ guest }: Pick<BootOptions, 'guest'>): boolean {
  return guest.endsWith('_and_quit');
}

/** How a boot ended. `passed` and `failed` are results of the tests; the others mean that the tests did not finish. */
export type GuestOutcome =
  | 'passed'
  | 'failed'
  | 'panicked'
  | 'hung'
  /** The console or the trace exceeded its size limit. */
  | 'flooded'
  | 'silent'
  | 'exited-early'
  | 'qemu-died'
  | 'interrupted'
  /** The caller stopped it, for example after a divergence. */
  | 'stopped'
  /** An interactive run, powered off or quit by its user. */
  | 'ended';

/** One KTAP result. Nested tests are flattened, prefixed with their parents' names. */
export interface KtapTest {
  readonly name: string;
  readonly status: 'ok' | 'not ok' | 'skip';
  /** The text after `#`, such as the reason for a skip. */
  readonly comment: string;
  /** Diagnostic lines since the previous test. */
  readonly diagnostics: readonly string[];
}
export interface KtapResult {
  readonly planned: number | undefined;
  readonly tests: readonly KtapTest[];
  /** Errors in the document itself: no version line, plan not met, numbers out of order. */
  readonly problems: readonly string[];
}

/** One test of one device: the console between init's two marks. */
export interface TestSuite {
  /** The device's id, plus `/NAME` for its further tests. */
  readonly id: string;
  /** The result that init printed; undefined if the guest ended before. */
  readonly result: TestStatus | undefined;
  /** For a test without KTAP: one result, from its exit status. */
  readonly ktap: KtapResult;
  /** The last lines between its marks, at most 40. */
  readonly lastLines: readonly string[];
  /** Host milliseconds since QEMU's start. */
  readonly timing: { readonly startMs: number; readonly endMs: number | undefined };
}

/** The result of a boot, from which the report is made. */
export interface BootResult {
  readonly outcome: GuestOutcome;
  /** One sentence that explains the outcome, e.g. 'Kernel panic - not syncing: …'. */
  readonly reason: string;
  readonly accelerator: 'tcg' | 'kvm';
  readonly clock: 'icount' | 'realtime';
  /** The tests that began, in order. */
  readonly suites: readonly TestSuite[];
  /** Up to 40 of the last console lines, oldest first. */
  readonly lastLines: readonly string[];
  /** First lines of up to 20 splats: Oops, BUG, WARNING, out of memory. */
  readonly warnings: readonly string[];
  /** Up to 20 splats with their call traces, in order. */
  readonly splats: readonly Splat[];
  /** Warnings and errors of drivers, in order. At most 100. */
  readonly driverMessages: readonly string[];
  /** QEMU did not react to QMP's `quit` and was killed. */
  readonly unresponsive: boolean;
  /** Lines of QEMU's trace that are not about the devices, and were dropped. */
  readonly dropped: Dropped;
  /** Up to 40 of the last lines that QEMU wrote to standard error. */
  readonly qemuMessages: readonly string[];
  readonly qemuExit: { readonly code: number | undefined; readonly signal: string | undefined };
  /** Host milliseconds since QEMU's start. */
  readonly timing: {
    readonly firstOutputMs: number | undefined;
    readonly testStartMs: number | undefined;
    readonly testEndMs: number | undefined;
    readonly endMs: number;
  };
}
