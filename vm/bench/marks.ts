// SPDX-License-Identifier: MIT
/**
 * What a device's bench prints (docs/own-device.md):
 *
 *   # bench begin ROW
 *   # bench end ROW ops=N ns=TOTAL [bytes=BYTES] [exits=EXPECTED]
 *   # bench skip ROW REASON
 *
 * ROW is QUESTION/VARIANT or QUESTION/VARIANT/SIZE. BYTES and EXPECTED are per operation; EXPECTED is N or N/M.
 */

/** The end of a row: the work between the two lines. */
export interface Work {
  readonly operations: number;
  /** Of all operations together. */
  readonly ns: number;
  readonly bytes: number | undefined;
  /** Device exits per operation that the device's bench expects. */
  readonly expected: number | undefined;
}

export type BenchMark =
  | { readonly kind: 'begin'; readonly row: string }
  | { readonly kind: 'end'; readonly row: string; readonly work: Work }
  | { readonly kind: 'skip'; readonly row: string; readonly reason: string };

const MARK = /^# bench (begin|end|skip) ([\w./-]+)(?: (.*))?$/;

/** The mark on a line of the console. Undefined: it has none, or one that makes no sense. */
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

/** The parts of a row's name. */
export function partsOf(row: string): {
  readonly question: string;
  readonly variant: string;
  readonly size: number | undefined;
} {
  const [question = '', variant = '', size = ''] = row.split('/');
  return { question, variant, size: /^\d+$/.test(size) ? Number(size) : undefined };
}
