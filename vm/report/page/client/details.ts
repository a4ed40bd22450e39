// SPDX-License-Identifier: MIT
/** Shows the details of one row: the access, the device's effects, the model's verdict, and the rows around it. */
import { CONSOLE_SOURCE } from '../page-data.js';
import type { Row } from '../recording.js';
import { element } from './dom.js';
import { type Model, secondsOf, valueAt } from './model.js';

const MODEL: Readonly<Record<Row['judged'], string>> = {
  agrees: 'The model agrees.',
  differs: 'The model differs.',
  invalid: 'The evidence is invalid from here on.',
  unchecked: 'Not checked: the check had ended before.',
};
const AROUND = 5;

export function details(model: Model, row: number, onPick: (row: number) => void): readonly HTMLElement[] {
  const isConsole = model.source(row) === CONSOLE_SOURCE;
  const group = model.group(row);
  const [first = row] = group;
  return [
    element('h3', {}, isConsole ? 'Console line' : model.text(first)),
    facts(model, row, isConsole),
    ...(isConsole ? [pre([row], model)] : [...verdict(model, group), ...states(model, group)]),
    ...neighbours(model, row, !isConsole, onPick),
  ];
}

function facts(model: Model, row: number, isConsole: boolean): HTMLElement {
  const seq = model.seq(row);
  return element(
    'p',
    { className: 'note' },
    `${model.sourceName(row)} · ${isConsole ? 'at about ' : ''}${secondsOf(model.time(row))}${seq === '' ? '' : ` · seq ${seq}`}`,
  );
}

/** The difference, if it belongs to these rows, and the rows of the access. */
function verdict(model: Model, group: readonly number[]): readonly HTMLElement[] {
  const effects = group
    .slice(1)
    .map((row) => element('li', { className: model.isWrong(row) ? 'bad' : '' }, model.text(row)));
  const worst = group.find((row) => model.isWrong(row)) ?? group[0] ?? 0;
  const differences = group.flatMap((row) => model.difference(row) ?? []);
  return [
    ...(effects.length === 0
      ? []
      : [element('h4', {}, 'Effects reported by the device'), element('ul', {}, ...effects)]),
    element('h4', {}, 'The model'),
    element(
      'p',
      { className: differences.length > 0 || model.isWrong(worst) ? 'bad' : 'good' },
      differences.length > 0 ? 'The model differs.' : MODEL[model.judged(worst)],
    ),
    ...differences.map(({ what, field, expected, actual }) =>
      list({ what, compared: field, expected, actual }),
    ),
    rawLines(model, group),
  ];
}

function rawLines(model: Model, rows: readonly number[]): HTMLElement {
  return element('details', {}, element('summary', {}, 'Lines in events.log'), pre(rows, model));
}

function states(model: Model, group: readonly number[]): readonly HTMLElement[] {
  const last = group.at(-1) ?? 0;
  const lanes = model.devices[model.source(last)]?.lanes ?? [];
  if (lanes.length === 0) return [];
  const time = model.time(last);
  return [
    element('h4', {}, 'State after it'),
    list(Object.fromEntries(lanes.map((lane) => [lane.name, valueAt(lane, time)]))),
  ];
}

/** Console lines around an event, or events around a console line. */
function neighbours(
  model: Model,
  row: number,
  isConsole: boolean,
  onPick: (row: number) => void,
): readonly HTMLElement[] {
  const rows = model.around(row, isConsole, AROUND);
  if (rows.length === 0) return [];
  const items = rows.map((other) => {
    const button = element(
      'button',
      { type: 'button', className: other < row ? 'before' : 'after' },
      model.text(other) || ' ',
    );
    button.addEventListener('click', () => onPick(other));
    return element('li', {}, button);
  });
  const here = element('li', { className: 'here' }, '▸ here');
  items.splice(rows.filter((other) => other < row).length, 0, here);
  return [
    element('h4', {}, isConsole ? 'The console around it' : 'The events around it'),
    element('ul', { className: 'around' }, ...items),
  ];
}

function list(words: Readonly<Record<string, string>>): HTMLElement {
  const pairs = Object.entries(words).flatMap(([name, value]) => [
    element('dt', {}, name),
    element('dd', {}, value),
  ]);
  return element('dl', {}, ...pairs);
}

function pre(rows: readonly number[], model: Model): HTMLElement {
  return element('pre', { tabindex: '0' }, rows.map((row) => model.raw(row)).join('\n'));
}
