// SPDX-License-Identifier: MIT
/** What one boot of the machine is given and what it comes to. */
import type { Splat } from './console/splat.js';
import type { Dropped } from './qemu/trace-filter.js';
import type { TestStatus } from './crosscheck/sections.js';
import type { VmSettings } from './settings.js';

/** Files the machine is made of: absolute paths. */
export interface MachineFiles {
  readonly qemu: string;
  readonly kernel: string;
  /** Undefined when the root is the ext4 image. */
  readonly initramfs: string | undefined;
  readonly ext4: string | undefined;
}

/** How this boot differs from another one of the same configuration. */
export interface BootOptions {
  /** Without the devices. */
  readonly nodev: boolean;
  /** The root file system keeps changes (ext4 only; without it, changes go to a snapshot). */
  readonly rw: boolean;
  /** `stopwatch=` on the kernel's command line: run the tests, the stress tests or the benches, and power off, run them and stay, only the shell, or a command. */
  readonly guest: 'test_and_quit' | 'stress_and_quit' | 'bench_and_quit' | 'test' | 'shell' | 'exec';
  readonly trace: boolean;
  /** Ids of the devices whose tests run; absent: of all that have one. */
  readonly tested?: readonly string[] | undefined;
  /** Only the tests that one of these patterns names, see guest-tests.ts; absent: all. */
  readonly only?: readonly string[] | undefined;
  /** Of QEMU's random numbers, and for the tests: 1 if absent. */
  readonly seed?: number | undefined;
  readonly vm: VmSettings;
}

/** The guest runs its tests and powers off. */
export function powersOffWhenDone({ guest }: Pick<BootOptions, 'guest'>): boolean {
  return guest.endsWith('_and_quit');
}

/** What became of the guest. `passed` and `failed` are the tests'; the others mean that they never got to say. */
export type GuestOutcome =
  | 'passed'
  | 'failed'
  | 'panicked'
  | 'hung'
  /** It printed, or its devices reported, more than a run may. */
  | 'flooded'
  | 'silent'
  | 'exited-early'
  | 'qemu-died'
  | 'interrupted'
  /** The caller had seen enough, e.g. a divergence. */
  | 'stopped'
  /** An interactive run, powered off or quit by its user. */
  | 'ended';

/** One KTAP result line, in order; nested tests are flattened with their parents' names before theirs. */
export interface KtapTest {
  readonly name: string;
  readonly status: 'ok' | 'not ok' | 'skip';
  /** The reason of a skip, or the text after `#`. */
  readonly comment: string;
  /** Diagnostic lines since the test before. */
  readonly diagnostics: readonly string[];
}
export interface KtapResult {
  readonly planned: number | undefined;
  readonly tests: readonly KtapTest[];
  /** What is wrong with the document itself: no version line, plan not met, numbers out of order. */
  readonly problems: readonly string[];
}

/** One test of one device, as the console has it between init's two lines. */
export interface TestSuite {
  /** The id of the device's instance; of a further test of the device, and `/NAME`. */
  readonly id: string;
  /** What init says of the test's exit status; undefined: the guest ended before. */
  readonly result: TestStatus | undefined;
  /** Of a test that prints no KTAP: one result, its exit status. */
  readonly ktap: KtapResult;
  /** Host milliseconds since QEMU's start. */
  readonly timing: { readonly startMs: number; readonly endMs: number | undefined };
}

/** What the machine's runner found; the report is made of it. */
export interface BootResult {
  readonly outcome: GuestOutcome;
  /** One sentence: why the outcome is this, e.g. 'Kernel panic - not syncing: …'. */
  readonly reason: string;
  readonly accelerator: 'tcg' | 'kvm';
  readonly clock: 'icount' | 'realtime';
  /** The tests that began, in their order. */
  readonly suites: readonly TestSuite[];
  /** Lines of the console, oldest first, at most the last 40. */
  readonly lastLines: readonly string[];
  /** Splats of a kernel that went on: Oops, BUG, WARNING, out of memory. At most 20. */
  readonly warnings: readonly string[];
  /** What the kernel printed with its complaints, in order. At most 20. */
  readonly splats: readonly Splat[];
  /** QEMU did not listen any more when it was told to end. */
  readonly unresponsive: boolean;
  /** Lines of QEMU's trace about other things than the devices, which are not kept. */
  readonly dropped: Dropped;
  /** QEMU's own messages (standard error), at most the last 40 lines. */
  readonly qemuMessages: readonly string[];
  readonly qemuExit: { readonly code: number | undefined; readonly signal: string | undefined };
  /** Host milliseconds from QEMU's start to: the first console output, the start of the first test, the end of the last one, QEMU's end. */
  readonly timing: {
    readonly firstOutputMs: number | undefined;
    readonly testStartMs: number | undefined;
    readonly testEndMs: number | undefined;
    readonly endMs: number;
  };
}
