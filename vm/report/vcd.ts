// SPDX-License-Identifier: MIT
/** Formats a recording as a value change dump (IEEE 1364-2005, clause 18), for GTKWave and Surfer. Pure. */
import type { Lane, Recording } from './page/recording.js';
import { CONSOLE_SOURCE } from './page/page-data.js';

interface Variable {
  readonly scope: string;
  readonly name: string;
  readonly type: 'wire' | 'real' | 'string';
  readonly changes: readonly (readonly [time: number, value: string])[];
}

/** Time is in nanoseconds. A state is a string variable, which both programs support; an access is a change of `access`. */
export function vcd(recording: Recording): string {
  const variables = variablesOf(recording);
  const ids = variables.map((_, index) => idOf(index));
  const changes = variables
    .flatMap(({ changes: list, type }, index) =>
      list.map(([time, value]) => ({
        time: Math.round(time),
        text: changeOf(type, value, ids[index] ?? ''),
      })),
    )
    // The sort is stable: changes at the same time keep their order.
    .sort((one, other) => one.time - other.time);
  const lines = ['$timescale 1 ns $end'];
  for (const scope of new Set(variables.map((variable) => variable.scope))) {
    lines.push(`$scope module ${scope} $end`);
    for (const [index, { scope: of, name, type }] of variables.entries())
      if (of === scope) lines.push(`$var ${type} ${type === 'real' ? 64 : 1} ${ids[index]} ${name} $end`);
    lines.push('$upscope $end');
  }
  lines.push('$enddefinitions $end');
  let now = -1;
  for (const { time, text } of changes) {
    if (time !== now) lines.push(`#${time}`);
    now = time;
    lines.push(text);
  }
  return `${lines.join('\n')}\n`;
}

function variablesOf({ devices, rows }: Recording): readonly Variable[] {
  const rowsOf = (wanted: number): Variable['changes'] =>
    rows
      .filter(({ source, mark }) => source === wanted && mark !== 'effect')
      .map(({ time, text }) => [time, text]);
  return [
    ...devices.flatMap(({ id, lanes, tests }, index): Variable[] => {
      const scope = word(id);
      return [
        {
          scope,
          name: 'test',
          type: 'string',
          changes: tests.flatMap(({ name, status, from, to }) => [
            [from, name],
            [to, status],
          ]),
        },
        { scope, name: 'access', type: 'string', changes: rowsOf(index) },
        ...lanes.map((lane) => ({ scope, name: word(lane.name), ...changesOf(lane) })),
      ];
    }),
    { scope: 'machine', name: 'console', type: 'string', changes: rowsOf(CONSOLE_SOURCE) },
  ];
}

function changesOf({ kind, times, values }: Lane): Pick<Variable, 'type' | 'changes'> {
  const type = kind === 'level' ? 'wire' : kind === 'number' ? 'real' : 'string';
  return { type, changes: times.map((time, index) => [time, String(values[index] ?? 'nan')]) };
}

function changeOf(type: Variable['type'], value: string, id: string): string {
  if (type === 'wire') return `${value}${id}`;
  if (type === 'real') return `r${value} ${id}`;
  return `s${word(value) || '-'} ${id}`;
}

/** Replaces blanks, which would end a value. */
function word(text: string): string {
  return text.trim().replace(/\s+/g, '_');
}

/** '!', '"', … '~', '!!', … */
function idOf(index: number): string {
  const rest = Math.floor(index / 94);
  return (rest === 0 ? '' : idOf(rest - 1)) + String.fromCharCode(33 + (index % 94));
}
