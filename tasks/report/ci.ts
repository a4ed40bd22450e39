// SPDX-License-Identifier: MIT
/** The reporter for CI logs: plain lines, each task's output in a folded group, and on GitHub an annotation for each error. */
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { compilerError } from '../../lib/compiler-errors.js';
import type { StopwatchError } from '../../lib/errors.js';
import type { Event } from '../engine/events.js';
import { cleaned, duration, toolLine, type Output } from './format.js';
import { shielded } from './github.js';
import { createPlainReporter } from './plain.js';
import type { CiSystem, Reporter } from './reporter.js';
import { WORK_DIRECTORY } from '../../lib/product.js';

/** Maximum number of lines to show of a task's output; its log has all of them. */
const LINES = 2000;
/** GitHub shows at most ten annotations for a step. */
const ANNOTATIONS = 10;

export interface CiOptions {
  readonly system: CiSystem;
  /** The repository's directory; annotations name files below it. */
  readonly workspace: string;
  /** Working directories of compilers. */
  readonly directories: readonly string[];
}

export function createCiReporter(output: Output, options: CiOptions): Reporter {
  const { system } = options;
  // Many of its lines contain output of tools and guests.
  const shield: Output = { write: (text) => output.write(shielded(text)), columns: output.columns };
  const plain = createPlainReporter(system === 'github' ? shield : output, { colour: false, verbose: false });
  const outputs = new Map<string, { readonly lines: string[]; readonly log: string; cut: number }>();
  const write = (lines: readonly string[]): void => output.write(lines.map((line) => `${line}\n`).join(''));

  function fold(task: string, durationMs: number): void {
    const printed = outputs.get(task);
    if (printed === undefined || printed.lines.length === 0) return;
    const { lines, log, cut } = printed;
    const title = `${plain.model.title(task)}: output (${duration(durationMs)})`;
    write(
      folded(system, task, title, [...(cut === 0 ? [] : [`(${cut} more lines are in ${log})`]), ...lines]),
    );
  }

  function annotate(task: string, error: StopwatchError): void {
    if (system !== 'github' || error.code === 'interrupted') return;
    const title = plain.model.title(task);
    const errors = compilerErrors(outputs.get(task)?.lines ?? []).map(
      ({ file, line, column, message }): Annotation => {
        const path = located(file, options);
        if (path === undefined) return { title, message: `${file}:${line}: ${message}` };
        return { title, message, file: path, line, column };
      },
    );
    const all = errors.length > 0 ? errors : [{ title, message: wholeMessage(error) }];
    write(all.slice(0, ANNOTATIONS).map(githubAnnotation));
  }

  function show(event: Event): void {
    if (event.type === 'task-start') {
      outputs.set(event.task, { lines: [], log: event.logFile, cut: 0 });
    } else if (event.type === 'task-line') {
      const printed = outputs.get(event.task);
      printed?.lines.push(toolLine(event.line));
      if (printed !== undefined && printed.lines.length > LINES) {
        printed.lines.shift();
        printed.cut++;
      }
    } else if (event.type === 'task-done' || event.type === 'task-failed') {
      fold(event.task, event.durationMs);
      if (event.type === 'task-failed') annotate(event.task, event.error);
      outputs.delete(event.task);
    }
  }

  return {
    model: plain.model,
    emit: (event) => {
      plain.emit(event);
      show(event);
    },
    finish: async () => plain.finish(),
  };
}

interface Annotation {
  readonly title: string;
  readonly message: string;
  /** Relative to the repository's directory; absent: about no file. */
  readonly file?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/**
 * A workflow command of GitHub, without a newline.
 * Source: docs.github.com, "Workflow commands for GitHub Actions"; the escapes are those of actions/toolkit.
 */
export function githubAnnotation({ title, message, file, line, column }: Annotation): string {
  const properties = Object.entries({ file, line, col: column, title })
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => `${name}=${escaped(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`,
    );
  return `::error ${properties.join(',')}::${escaped(message)}`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Formats lines as a folded group. */
function folded(system: CiSystem, task: string, title: string, lines: readonly string[]): readonly string[] {
  if (system === 'github') {
    const text = shielded(lines.join('\n')).trimEnd();
    return [`::group::${escaped(title)}`, ...text.split('\n'), '::endgroup::'];
  }
  const section = `${Math.floor(Date.now() / 1000)}:${task.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`;
  return [
    `\x1b[0Ksection_start:${section}[collapsed=true]\r\x1b[0K${title}`,
    ...lines,
    `\x1b[0Ksection_end:${section}\r\x1b[0K`,
  ];
}

/** Each error once, in order. */
export function compilerErrors(lines: readonly string[]) {
  return [...new Set(lines)].flatMap((text) => compilerError(text) ?? []);
}

/** The message of a failure without compiler errors. The first lines of a verdict have the expected and the actual value. */
function wholeMessage({ message, lastLines, code }: StopwatchError): string {
  const verdicts: readonly string[] = ['test-failed', 'model-differs', 'invalid-evidence'];
  const lines = verdicts.includes(code) ? lastLines.slice(0, 8) : [];
  return cleaned([message, ...lines].join('\n'));
}

/** The path in the repository of a compiled file: our sources are linked into the source trees. */
function located(file: string, { workspace, directories }: CiOptions): string | undefined {
  const candidates = isAbsolute(file) ? [file] : directories.map((directory) => join(directory, file));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) return undefined;
  const path = relative(realpathSync(workspace), realpathSync(found));
  return path.startsWith('..') || isAbsolute(path) || path.includes(`${WORK_DIRECTORY}/`) ? undefined : path;
}
