// SPDX-License-Identifier: MIT
/**
 * Formats console lines inside a saved stream. Each stands where the guest printed it, with the number of bytes that
 * the guest had printed before:
 *
 *   console 1234: ok 5 resetting
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
