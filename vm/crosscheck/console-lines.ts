// SPDX-License-Identifier: MIT
/**
 * Lines of a saved stream that are no trace but the guest's console, put where the guest printed them:
 *
 *   console 1234: ok 5 resetting
 *
 * with the number of bytes that it had printed then.
 */
const CONSOLE = /^console (\d+): (.*)$/;

export function consoleLine(text: string, bytes: number): string {
  return `console ${bytes}: ${text}`;
}

/** Undefined for any other line. */
export function parseConsoleLine(
  line: string,
): { readonly text: string; readonly bytes: number } | undefined {
  const [, bytes, text = ''] = CONSOLE.exec(line) ?? [];
  return bytes === undefined ? undefined : { text, bytes: Number(bytes) };
}
