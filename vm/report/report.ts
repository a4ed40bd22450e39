// SPDX-License-Identifier: MIT
/** The one value that a run comes to. Terminal, JSON and JUnit are functions of it. */
import type { ExitCode } from '../../lib/errors.js';
import type { Verdict } from '../crosscheck/types.js';
import { exitCodeOf } from './exit-code.js';
import type { BootResult, KtapResult } from '../types.js';

/** Raised when a reader of older reports would misread a new one. */
export const REPORT_SCHEMA = 2;

/** One part of the work, in order: `build`, `boot`, `test`, `cross-check`, … */
export interface Stage {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
}

/** What the same inputs give again under a deterministic clock. */
export interface RunResult {
  readonly exitCode: ExitCode;
  readonly guest: Pick<
    BootResult,
    'outcome' | 'reason' | 'accelerator' | 'clock' | 'warnings' | 'lastLines' | 'qemuExit'
  > & { readonly ktap: KtapResult };
  /** Null: this run was not judged. */
  readonly verdict: Verdict | null;
}

/** What belongs to this host and this moment. */
export interface RunCircumstances {
  readonly runId: string;
  /** The command as it was typed. */
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly stages: readonly Stage[];
  /** Of the builds before the boot; null: nothing was compiled, or not through ccache. */
  readonly compileCache: { readonly hits: number; readonly misses: number; readonly errors: number } | null;
  readonly timing: BootResult['timing'];
  /** Why this accelerator runs. */
  readonly acceleratorReason: string;
  readonly qemuMessages: readonly string[];
  /** By name: `console`, `events`, `qemu`, … Absolute paths. */
  readonly files: Readonly<Record<string, string>>;
  /** The command to type next. */
  readonly next: string;
}

export interface RunReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly result: RunResult;
  readonly host: RunCircumstances;
}

export function makeReport(
  boot: BootResult,
  verdict: Verdict | undefined,
  circumstances: Omit<RunCircumstances, 'timing' | 'qemuMessages'>,
): RunReport {
  const { outcome, reason, accelerator, clock, ktap, warnings, lastLines, qemuExit } = boot;
  return {
    schema: REPORT_SCHEMA,
    result: {
      exitCode: exitCodeOf(outcome, verdict),
      guest: { outcome, reason, accelerator, clock, ktap, warnings, lastLines, qemuExit },
      verdict: verdict ?? null,
    },
    host: { ...circumstances, timing: boot.timing, qemuMessages: boot.qemuMessages },
  };
}

/**
 * The report as text without anything that belongs to the host: equal for two
 * deterministic runs of the same machine. Paths in a replay command are the host's.
 */
export function comparable({ schema, result }: RunReport): string {
  return JSON.stringify(
    { schema, result },
    (key, value: unknown) => (key === 'replay' ? undefined : value),
    2,
  );
}

/** As it stands in report.json. */
export function reportJson(report: RunReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
