// SPDX-License-Identifier: MIT
/** A verdict in words: pure, no colours. */
import type { Divergence, InvalidReason, Verdict, Words } from './types.js';

/** What a divergence of this kind is. */
export const KIND: Readonly<Record<Divergence['kind'], string>> = {
  field: 'The device and the model differ',
  event: 'The device did something else than the model',
  early: 'An expiry came before its deadline',
  late: 'An expiry came too late',
  missing: 'An expiry is missing',
  unexpected: 'An expiry came with no timeout pending',
  impossible: 'A state was loaded that the device cannot be in',
  monitor: "QEMU's own trace contradicts the device's",
  guest: 'The guest saw something else than the model says',
};

/** One line: the result and what it rests on. */
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

/** Everything there is to say, one line per entry. */
export function formatVerdict(verdict: Verdict): readonly string[] {
  const lines = [summary(verdict)];
  if (verdict.divergence) lines.push('', ...divergenceLines(verdict.divergence));
  if (verdict.invalid.length > 0) {
    lines.push(
      '',
      verdict.divergence ? 'What came after it is no valid evidence:' : 'Why this cannot be judged:',
    );
    lines.push(...verdict.invalid.map((reason) => `  ${reasonWords(reason)}`));
  }
  return lines;
}

function divergenceLines(divergence: Divergence): string[] {
  const { kind, seq, now, access, replay } = divergence;
  return [
    `${KIND[kind]} at seq ${seq}, virtual time ${now} ns`,
    `  access    ${access}`,
    ...divergenceTable(divergence),
    ...(replay === undefined ? [] : ['', `Judge this stream again, without a VM: ${replay}`]),
  ];
}

/** What was compared, the states, and what happened before. */
export function divergenceTable(divergence: Divergence): readonly string[] {
  const { kind, register, field, expected, actual, story, states, during } = divergence;
  return [
    ...(register === undefined ? [] : [`  register  ${register}`]),
    ...(during === undefined ? [] : [`  guest     test ${during}`]),
    `  compared  ${field}`,
    `  expected  ${expected}`,
    `  actual    ${actual}`,
    ...(kind === 'guest' ? [] : ['', ...table(states)]),
    '',
    ...story.map((line, index) => `${index === story.length - 1 ? '> ' : '  '}${line}`),
  ];
}

/** The states side by side; a `!` where the device's is not the model's. */
function table({ before, model, device }: Divergence['states']): string[] {
  const rows = Object.keys(model).map((name) => [
    name,
    before[name] ?? '',
    model[name] ?? '',
    device ? (device[name] ?? '') : 'not reported',
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
  return [`  ${line(head)}`, ...rows.map((row) => `${differs(device, row) ? '! ' : '  '}${line(row)}`)];
}

function differs(device: Words | undefined, [, , model, reported]: readonly string[]): boolean {
  return device !== undefined && model !== reported;
}

/** One reason, in one line. */
export function reasonWords(reason: InvalidReason): string {
  switch (reason.reason) {
    case 'gap':
      return `a gap in the sequence: expected seq ${reason.expected}, got ${reason.got}`;
    case 'no-start':
      return `the stream does not begin with a machine reset at seq 0 or a loaded state: ${reason.got}`;
    case 'no-end':
      return `the stream has no end marker (last seq ${reason.lastSeq}): QEMU did not end in good order, or the rest is lost`;
    case 'after-end':
      return `an event after the end marker: ${reason.line}`;
    case 'truncated':
      return `the last line is cut off: ${reason.line}`;
    case 'unparsable':
      return `line ${reason.lineNumber} is no event of the device: ${reason.line}`;
    case 'clock-went-back':
      return `virtual time went back at seq ${reason.seq}: from ${reason.before} to ${reason.now}`;
    case 'too-few':
      return `too few ${reason.what} were checked: expected at least ${reason.needed}, got ${reason.got}`;
    case 'monitor-silent':
      return `QEMU's own trace has no ${reason.monitor} of the device, which reports ${reason.unseen}`;
    case 'guest-silent':
      return "the guest's test did not say what it caused (no '# caused' line on the console)";
    case 'guest-unreadable':
    default:
      return `a line of the guest's test cannot be read: ${reason.line}`;
  }
}

/** What a run touched of a device and what not, in two lines at most; empty where the device does not say. */
export function coveredLines({ covered }: Pick<Verdict, 'covered'>): readonly string[] {
  const groups = covered?.groups ?? [];
  if (groups.length === 0) return [];
  const missing = groups.filter((one) => one.missing.length > 0);
  const said = groups.map(({ group, touched, all }) => `${touched} of ${all} ${group}`).join(', ');
  const names = missing.map(({ group, missing: which }) =>
    which.length > 4 ? `${which.length} ${group} (${which.slice(0, 2).join('; ')}; …)` : which.join(', '),
  );
  return [said, ...(names.length === 0 ? [] : [names.join(', ')])];
}
