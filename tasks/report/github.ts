// SPDX-License-Identifier: MIT
/** Text on GitHub's runner, which looks for commands in everything that is printed. */
import { randomUUID } from 'node:crypto';

/**
 * The same text, so that nothing in it is obeyed. A command begins a line, after blanks (`::name::`), or is anywhere in it
 * (`##[name]`). Nobody can guess the token that ends the section.
 * Source: docs.github.com, "Workflow commands for GitHub Actions"; actions/runner, ActionCommand.cs.
 */
export function shielded(text: string): string {
  if (!/::|##\[/.test(text)) return text;
  const token = randomUUID();
  return `::stop-commands::${token}\n${text.endsWith('\n') ? text : `${text}\n`}::${token}::\n`;
}
