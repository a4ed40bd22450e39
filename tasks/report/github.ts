// SPDX-License-Identifier: MIT
/** Protects output from GitHub's runner, which obeys commands in everything that is printed. */
import { randomUUID } from 'node:crypto';

/**
 * Returns the text with commands switched off around it. A command is `::name::` at the beginning of a line, after blanks,
 * or `##[name]` anywhere. The token that switches them on again cannot be guessed.
 * Source: docs.github.com, "Workflow commands for GitHub Actions"; actions/runner, ActionCommand.cs.
 */
export function shielded(text: string): string {
  if (!/::|##\[/.test(text)) return text;
  const token = randomUUID();
  return `::stop-commands::${token}\n${text.endsWith('\n') ? text : `${text}\n`}::${token}::\n`;
}
