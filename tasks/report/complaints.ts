// SPDX-License-Identifier: MIT
/** What a compiler complains about, found in its output. Pure. */

export interface Complaint {
  readonly severity: 'error' | 'warning';
  /** As the compiler says it: absolute, or relative to where it ran. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number | undefined;
  readonly message: string;
}

/** `file:line[:column]: error: …`, as gcc, clang, as, dtc and sparse write it; and ld's `file:line: undefined reference`. */
const COMPLAINT =
  /^(?:\S*ld: )?(?<file>(?:\/|\.{1,2}\/)?[^\s:]+):(?<line>\d+)(?::(?<column>\d+))?: (?:(?<kind>fatal error|error|warning|Error|Warning): )?(?<message>.+)$/;

/** Each complaint once, in order. */
export function complaints(lines: readonly string[]): readonly Complaint[] {
  const found = new Map<string, Complaint>();
  for (const text of lines) {
    const groups = COMPLAINT.exec(text)?.groups;
    if (groups === undefined) continue;
    const { file = '', line = '', column, kind, message = '' } = groups;
    if (kind === undefined && !message.startsWith('undefined reference to ')) continue;
    const severity = kind?.toLowerCase() === 'warning' ? 'warning' : 'error';
    const complaint = {
      severity,
      file,
      line: Number(line),
      column: column === undefined ? undefined : Number(column),
      message,
    } as const;
    found.set(JSON.stringify(complaint), complaint);
  }
  return [...found.values()];
}
