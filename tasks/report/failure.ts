// SPDX-License-Identifier: MIT
/** A failure as text: what failed, the command, its last lines, the log, what to do next. */
import { ERROR_CODES, EXIT, type ExitCode, type StopwatchError } from '../../lib/errors.js';
import { cleaned, toolLine, type Paint } from './format.js';

/** Several lines, with a newline at the end. */
export function failureText(error: StopwatchError, paint: Paint): string {
  const lines = [
    `${paint('red', error.code === 'interrupted' ? 'Stopped:' : 'Error:')} ${cleaned(error.message)}`,
  ];
  if (error.command !== undefined) lines.push(`  Command: ${cleaned(error.command)}`);
  if (isVerdict(error)) {
    lines.push(...error.lastLines.map((line) => (line === '' ? '' : `  ${toolLine(line)}`)));
  } else if (error.lastLines.length > 0) {
    lines.push('  Last lines:', ...error.lastLines.map((line) => paint('dim', `    ${toolLine(line)}`)));
  }
  if (error.log !== undefined) lines.push(`  Log: ${cleaned(error.log)}`);
  if (error.hint !== undefined) lines.push(`  ${paint('bold', 'Next:')} ${cleaned(error.hint)}`);
  return `${lines.join('\n')}\n`;
}

/** Its lines are an explanation, not the end of some output. */
function isVerdict({ exitCode }: StopwatchError): boolean {
  return exitCode === EXIT.testFailed || exitCode === EXIT.differs || exitCode === EXIT.guest;
}

/** The error codes that lead to an exit code, for the documentation. */
export function codesOf(exit: ExitCode): string[] {
  return Object.entries(ERROR_CODES)
    .filter(([, code]) => code === exit)
    .map(([name]) => name);
}
