// SPDX-License-Identifier: MIT
/** Formats a verdict as plain text. */
import type { Divergence, InvalidReason, Verdict } from './types.js';

/** Headline of each kind of divergence. */
export const KIND: Readonly<Record<Divergence['kind'], string>> = {
  field: 'The device and the model differ',
  event: 'The device did something different from the model',
  early: 'An expiry came before its deadline',
  late: 'An expiry came too late',
  missing: 'An expiry is missing',
  unexpected: 'An expiry came with no timeout pending',
  impossible: 'A state was loaded that the device cannot be in',
  monitor: "QEMU's own trace contradicts the device's",
  guest: 'The guest saw something different from the model',
};

/** One line: the result and the number of checks behind it. */
export function summary(verdict: Verdict): string {
  const { events, checked, supplied, confirmed, observed } = verdict;
  const rests =
    `${events} events, ${checked} fields checked, ${supplied} supplied, ` +
    `${confirmed} confirmed by QEMU's own trace, ${observed} seen by the guest`;
  switch (verdict.result) {
    case 'agree':
      return verdict.partial === true
        ? `The device and the model agree as far as the guest came (${rests})`
        : `The device and the model agree (${rests})`;
    case 'differ': {
      const { divergence } = verdict;
      const where = divergence ? ` at seq ${divergence.seq}, ${divergence.access}` : '';
      return `The device and the model differ${where} (${rests})`;
    }
    case 'invalid':
    default:
      return `The evidence is invalid: ${verdict.invalid[0] ? reasonWords(verdict.invalid[0]) : 'no reason given'} (${rests})`;
  }
}

/** The full report, one line per entry. */
export function formatVerdict(verdict: Verdict): readonly string[] {
  const lines = [summary(verdict)];
  if (verdict.divergence) lines.push('', ...divergenceLines(verdict.divergence));
  if (verdict.invalid.length > 0) {
    lines.push('', verdict.divergence ? 'The evidence after it is invalid:' : 'Why the evidence is invalid:');
    lines.push(...verdict.invalid.map((reason) => `  ${reasonWords(reason)}`));
  }
  return lines;
}

function divergenceLines(divergence: Divergence): string[] {
  const { kind, seq, now, access, during, replay } = divergence;
  return [
    `${KIND[kind]} at seq ${seq}, virtual time ${now} ns`,
    `  access    ${access}`,
    ...(during === undefined ? [] : [`  guest     test ${during}`]),
    ...divergenceTable(divergence),
    ...(replay === undefined ? [] : ['', `Recheck this stream without a VM: ${replay}`]),
  ];
}

/** The comparison, the states, and the events before it. */
export function divergenceTable(divergence: Divergence): readonly string[] {
  const { kind, field, expected, actual, story, states } = divergence;
  return [
    `  compared  ${field}`,
    // Neither value is the model's: QEMU's own trace disagrees with the device's.
    ...(kind === 'monitor'
      ? [`  QEMU saw  ${expected}`, `  device    ${actual}`]
      : [`  expected  ${expected}`, `  actual    ${actual}`]),
    ...(kind === 'guest' ? [] : ['', ...statesTable(states)]),
    '',
    ...story.map((line, index) => `${index === story.length - 1 ? '> ' : '  '}${line}`),
  ];
}

/** The states side by side; `!` marks values where device and model differ. */
export function statesTable({ before, model, device }: Divergence['states']): readonly string[] {
  const rows = Object.keys(model).map((name) => [
    name,
    before[name] ?? '-',
    model[name] ?? '-',
    device ? (device[name] ?? '-') : 'not reported',
  ]);
  const head = ['state', 'before', 'model', 'device'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const differs = ([name = '']: readonly string[]): boolean =>
    device?.[name] !== undefined && device[name] !== model[name];
  return [`  ${line(head)}`, ...rows.map((row) => `${differs(row) ? '! ' : '  '}${line(row)}`)];
}

/** One reason, in one line. */
export function reasonWords(reason: InvalidReason): string {
  switch (reason.reason) {
    case 'gap':
      return `a gap in the sequence: expected seq ${reason.expected}, got ${reason.got}`;
    case 'no-start':
      return `the stream does not begin with a machine reset at seq 0 or a loaded state: ${reason.got}`;
    case 'no-end':
      return `the stream has no end marker (last seq ${reason.lastSeq}): QEMU did not exit cleanly, or the end of the trace is lost`;
    case 'after-end':
      return `an event after the end marker: ${reason.line}`;
    case 'truncated':
      return `the last line is cut off: ${reason.line}`;
    case 'unparsable':
      return `line ${reason.lineNumber} is not an event of the device: ${reason.line}`;
    case 'clock-went-back':
      return `virtual time went backwards at seq ${reason.seq}: from ${reason.before} to ${reason.now}`;
    case 'too-few':
      return `too few ${reason.what} were checked: expected at least ${reason.needed}, got ${reason.got}`;
    case 'monitor-silent':
      return `QEMU's own trace has no ${reason.monitor} of the device, but the device reports ${reason.unseen}`;
    case 'guest-silent':
      return "the guest's test printed no '# caused' line";
    case 'guest-unreadable':
    default:
      return `cannot parse a line of the guest's test: ${reason.line}`;
  }
}

/** Coverage in at most two lines: the totals, and what is missing. Empty for a device without coverage data. */
export function coveredLines({ covered }: Pick<Verdict, 'covered'>): readonly string[] {
  const groups = covered?.groups ?? [];
  if (groups.length === 0) return [];
  const missing = groups.filter((one) => one.missing.length > 0);
  const totals = groups.map(({ group, touched, all }) => `${touched} of ${all} ${group}`).join(', ');
  const names = missing.map(({ group, missing: which }) =>
    which.length > 4 ? `${which.length} ${group} (${which.slice(0, 2).join('; ')}; …)` : which.join(', '),
  );
  return [totals, ...(names.length === 0 ? [] : [names.join(', ')])];
}
