// SPDX-License-Identifier: MIT
/** The plain lines, and for a CI system: each task's output to fold away, and remarks at the lines of the sources. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { messageOf } from '../config/wording.js';
import type { StopwatchError } from '../../lib/errors.js';
import { type Event, unreachable } from '../engine/events.js';
import { type Annotation, type CiSystem, folded, githubAnnotation } from './ci-system.js';
import { type FailedCheck, failedChecks } from './check-places.js';
import { codeQuality } from './code-quality.js';
import { type Complaint, complaints } from './complaints.js';
import { clean, duration, type Output } from './format.js';
import { createPlainReporter } from './plain.js';
import type { Reporter } from './types.js';

/** Of a task's output, the last lines are shown; the rest is in its log. */
const LINES = 2000;
/** GitHub shows ten remarks of each kind for a step. */
const REMARKS = 10;

export interface CiOptions {
  readonly system: CiSystem;
  /** Top of the repository; remarks are about files below it. */
  readonly workspace: string;
  /** Directories that compilers run in. */
  readonly directories: readonly string[];
  /** The script that runs in the guest: failed checks are lines of it. */
  readonly guestTest?: string;
  /** Where GitLab is told of the remarks. */
  readonly codeQuality?: string;
}

export function createCiReporter(output: Output, options: CiOptions): Reporter {
  const plain = createPlainReporter(output, { colour: false, verbose: false });
  const outputs = new Map<string, { readonly lines: string[]; readonly log: string; cut: number }>();
  const remarks: Annotation[] = [];
  let planned = false;
  const say = (lines: readonly string[]): void => output.write(lines.map((line) => `${line}\n`).join(''));

  function fold(task: string, durationMs: number): void {
    const printed = outputs.get(task);
    if (printed === undefined || printed.lines.length === 0) return;
    const { lines, log, cut } = printed;
    const before = cut === 0 ? [] : [`(${cut} lines more are in ${log})`];
    say(
      folded(options.system, {
        title: `${plain.model.title(task)}: output (${duration(durationMs)})`,
        name: task,
        lines: [...before, ...lines],
        token: randomUUID(),
        seconds: Math.floor(Date.now() / 1000),
      }),
    );
  }

  function remark(annotations: readonly Annotation[]): void {
    remarks.push(...annotations);
    if (options.system === 'github') say(annotations.slice(0, REMARKS).map(githubAnnotation));
  }

  function keep(report: string): void {
    const file = options.codeQuality;
    if (file === undefined) return;
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, report);
    } catch (error) {
      say([`Warning: the Code Quality report (${file}) cannot be written: ${messageOf(error)}`]);
    }
  }

  function complaintsOf(task: string): readonly Annotation[] {
    const title = plain.model.title(task);
    return complaints(outputs.get(task)?.lines ?? []).map((complaint) =>
      annotated(complaint, title, options),
    );
  }

  function show(event: Event): void {
    switch (event.type) {
      case 'task-start':
        outputs.set(event.task, { lines: [], log: event.logFile, cut: 0 });
        break;
      case 'task-line': {
        const printed = outputs.get(event.task);
        if (printed === undefined) break;
        printed.lines.push(clean(event.line));
        if (printed.lines.length > LINES) {
          printed.lines.shift();
          printed.cut++;
        }
        break;
      }
      case 'task-done':
        fold(event.task, event.durationMs);
        // What is not ours to repair is not remarked upon.
        remark(complaintsOf(event.task).filter(({ severity, file }) => severity === 'warning' && file));
        outputs.delete(event.task);
        break;
      case 'task-failed': {
        fold(event.task, event.durationMs);
        const errors = complaintsOf(event.task).filter(({ severity }) => severity === 'error');
        const others = () => ofFailure(plain.model.title(event.task), event.error, options);
        if (event.error.code !== 'interrupted') remark(errors.length > 0 ? errors : others());
        outputs.delete(event.task);
        break;
      }
      case 'plan':
        planned = true;
        break;
      case 'task-progress':
      case 'task-fresh':
      case 'task-skipped':
      case 'notice':
      case 'waiting':
      case 'compile-cache':
      case 'done':
        // The plain lines are enough.
        break;
      default:
        unreachable(event);
    }
  }

  return {
    model: plain.model,
    emit: (event) => {
      plain.emit(event);
      show(event);
    },
    finish: async () => {
      await plain.finish();
      // A run without remarks has a report too: that those before it are settled.
      if (options.system === 'gitlab' && planned) keep(codeQuality(remarks));
    },
  };
}

/** A failure that is no compiler's: failed checks, each where it stands; a divergence, a download, as a whole. */
function ofFailure(title: string, error: StopwatchError, options: CiOptions): readonly Annotation[] {
  const { message, lastLines, code } = error;
  const checks = code === 'test-failed' ? failedChecks(lastLines.map(clean), guestTest(options)) : [];
  if (checks.length > 0) return checks.map((check) => atCheck(check, title, options));
  const differs = code === 'model-differs' || code === 'invalid-evidence';
  const lines = differs ? lastLines.slice(0, 8) : [];
  return [{ severity: 'error', title, message: [message, ...lines.map(clean)].join('\n') }];
}

function atCheck({ test, message, line }: FailedCheck, title: string, options: CiOptions): Annotation {
  const file = options.guestTest === undefined ? undefined : located(options.guestTest, options);
  const remark = { severity: 'error', title: `${title}: ${test}`, message } as const;
  return file === undefined || line === undefined ? remark : { ...remark, file, line };
}

function guestTest({ guestTest: file }: CiOptions): string {
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function annotated(complaint: Complaint, title: string, options: CiOptions): Annotation {
  const { severity, line, column, message } = complaint;
  const file = located(complaint.file, options);
  return file === undefined
    ? { severity, title, message: `${complaint.file}:${line}: ${message}` }
    : { severity, title, message, file, line, ...(column === undefined ? {} : { column }) };
}

/** The file in the repository: our sources are linked into the trees that are compiled. */
function located(file: string, { workspace, directories }: CiOptions): string | undefined {
  const places = isAbsolute(file) ? [file] : directories.map((directory) => join(directory, file));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) return undefined;
  const path = relative(realpathSync(workspace), realpathSync(found));
  return path.startsWith('..') || isAbsolute(path) || path.includes('.stopwatch/') ? undefined : path;
}
