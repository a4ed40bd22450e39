// SPDX-License-Identifier: MIT
/**
 * Parses the lines that a device's benchmark prints (docs/own-device.md):
 *
 *   # bench begin ROW
 *   # bench end ROW ops=N ns=TOTAL [bytes=BYTES] [exits=EXPECTED]
 *   # bench skip ROW REASON
 *
 * ROW is QUESTION/VARIANT or QUESTION/VARIANT/SIZE. BYTES and EXPECTED are per operation; EXPECTED is N or N/M.
 */

/** The work between the two marks of a row. */
export interface Work {
  readonly operations: number;
  /** Total time of all operations. */
  readonly ns: number;
  readonly bytes: number | undefined;
  /** Expected device exits per operation. */
  readonly expected: number | undefined;
}

export type BenchMark =
  | { readonly kind: 'begin'; readonly row: string }
  | { readonly kind: 'end'; readonly row: string; readonly work: Work }
  | { readonly kind: 'skip'; readonly row: string; readonly reason: string };

const MARK = /^# bench (begin|end|skip) ([\w./-]+)(?: (.*))?$/;

/** The mark on a console line; undefined if there is none or it is malformed. */
export function benchMark(line: string): BenchMark | undefined {
  const [, kind, row = '', rest = ''] = MARK.exec(line.trimEnd()) ?? [];
  if (kind === 'begin') return { kind, row };
  if (kind === 'skip') return { kind, row, reason: rest };
  if (kind !== 'end') return undefined;
  const words = new Map(rest.split(' ').map((word) => [word.split('=')[0] ?? '', word.split('=')[1] ?? '']));
  const count = (name: string): number | undefined => {
    const text = words.get(name) ?? '';
    return /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const [operations, ns] = [count('ops'), count('ns')];
  if (operations === undefined || operations === 0 || ns === undefined) return undefined;
  const [, over, under = '1'] = /^(\d+)(?:\/([1-9]\d*))?$/.exec(words.get('exits') ?? '') ?? [];
  const expected = over === undefined ? undefined : Number(over) / Number(under);
  return { kind, row, work: { operations, ns, bytes: count('bytes'), expected } };
}

/** Splits a row's name into its parts. */
export function partsOf(row: string): {
  readonly question: string;
  readonly variant: string;
  readonly size: number | undefined;
} {
  const [question = '', variant = '', size = ''] = row.split('/');
  return { question, variant, size: /^\d+$/.test(size) ? Number(size) : undefined };
}
