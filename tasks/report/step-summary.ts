// SPDX-License-Identifier: MIT
/** The outcome of a command as Markdown, for GitHub's job summary. Pure. */
import { basename, dirname } from 'node:path';
import type { StopwatchError } from '../../lib/errors.js';
import { cleaned, duration } from './format.js';
import type { RunModel } from './progress-model.js';
import { cacheLines } from './summary.js';

export interface CommandOutcome {
  readonly command: string;
  readonly exitCode: number;
  readonly verdict: readonly string[];
  /** The command's own output. */
  readonly text: string | undefined;
  /** Its last lines show the first divergence. */
  readonly error: StopwatchError | undefined;
  /** Path of the run's page, which is kept with the artifacts. */
  readonly page?: string | undefined;
  /** Address of the artifacts. */
  readonly artifacts?: string | undefined;
  /** The run as lines of characters. */
  readonly sketch?: readonly string[] | undefined;
}

/** Headline, verdict, error, and a table of durations. */
export function stepSummary(
  { command, exitCode, verdict, text, error, page, artifacts, sketch = [] }: CommandOutcome,
  model: RunModel | undefined,
): string {
  const lines = [`## ${exitCode === 0 ? '✅' : '❌'} stopwatch ${command}: exit code ${exitCode}`, ''];
  if (text !== undefined) lines.push(...fenced(text.trimEnd().split('\n')), '');
  if (verdict.length > 0) lines.push(...fenced(verdict), '');
  if (error !== undefined) {
    lines.push(`**${inline(error.message)}**`, '');
    if (error.lastLines.length > 0) lines.push(...fenced(error.lastLines), '');
    if (error.hint !== undefined) lines.push(`Next: ${inline(error.hint)}`, '');
  }
  if (sketch.length > 0) lines.push(...fenced(sketch), '');
  if (page !== undefined) {
    const where = artifacts === undefined ? 'the artifacts' : `[the artifacts](${artifacts})`;
    lines.push(
      `The picture of this run is ${inline(basename(dirname(page)))}/${basename(page)} in ${where}.`,
      '',
    );
  }
  const all = [...(model?.rows.values() ?? [])];
  const rows = all.filter(({ durationMs }) => durationMs !== undefined);
  if (rows.length > 0) {
    lines.push('| task | | time |', '|---|---|---:|');
    for (const { title, state, durationMs = 0 } of rows)
      lines.push(`| ${inline(title)} | ${state} | ${duration(durationMs)} |`);
    const fresh = all.filter(({ state }) => state === 'fresh').length;
    lines.push(
      '',
      `${fresh} up to date${model?.durationMs === undefined ? '' : `, total ${duration(model.durationMs)}`}`,
      '',
    );
    if (model?.cache !== undefined)
      lines.push(...cacheLines(model.cache).flatMap((line) => [inline(line), '']));
  }
  return `${lines.join('\n')}\n`;
}

/** Uses a fence longer than any in the text. */
function fenced(lines: readonly string[]): readonly string[] {
  const longest = Math.max(2, ...lines.map((line) => /`+/.exec(line)?.[0].length ?? 0));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...lines.map(cleaned), fence];
}

/** Escapes Markdown and HTML. */
function inline(text: string): string {
  return cleaned(text.replaceAll('\n', ' ')).replaceAll(
    /[\\`*_[\]<>|&]/g,
    (sign) => `&#${sign.charCodeAt(0)};`,
  );
}
