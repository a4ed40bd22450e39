// SPDX-License-Identifier: MIT
/** The CI systems whose logs have a language of their own, and that language. Pure. */

export type CiSystem = 'github' | 'gitlab';

/** What `--ci` says, or else the variables that the runners set. */
export function ciSystem(
  asked: CiSystem | 'none' | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): CiSystem | undefined {
  if (asked !== undefined) return asked === 'none' ? undefined : asked;
  if (environment['GITHUB_ACTIONS'] === 'true') return 'github';
  if (environment['GITLAB_CI'] === 'true') return 'gitlab';
  return undefined;
}

/** A remark at a place in a file; without a file it stands by itself. */
export interface Annotation {
  readonly severity: 'error' | 'warning';
  readonly title: string;
  readonly message: string;
  /** Relative to the top of the repository. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
}

/**
 * A workflow command of GitHub, without a newline.
 * Source: docs.github.com, "Workflow commands for GitHub Actions"; the escapes are those of actions/toolkit.
 */
export function githubAnnotation({ severity, title, message, file, line, column }: Annotation): string {
  const properties = [
    ['file', file],
    ['line', line],
    ['col', column],
    ['title', title],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${escapedProperty(String(value))}`]));
  return `::${severity} ${properties.join(',')}::${escaped(message)}`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * Lines that can be folded away. What a tool prints is never a command: GitHub is told to take none until `token`
 * comes, which no tool can know. GitLab's sections are named by `name` and begin and end at `seconds` of the Unix clock.
 */
export function folded(system: CiSystem, { title, name, lines, token, seconds }: Fold): readonly string[] {
  if (system === 'github')
    return [
      `::group::${escaped(title)}`,
      `::stop-commands::${token}`,
      ...lines,
      `::${token}::`,
      '::endgroup::',
    ];
  const section = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
  return [
    `\x1b[0Ksection_start:${seconds}:${section}[collapsed=true]\r\x1b[0K${title}`,
    ...lines,
    `\x1b[0Ksection_end:${seconds}:${section}\r\x1b[0K`,
  ];
}

export interface Fold {
  readonly title: string;
  readonly name: string;
  readonly lines: readonly string[];
  readonly token: string;
  readonly seconds: number;
}
