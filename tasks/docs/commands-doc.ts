// SPDX-License-Identifier: MIT
/** The generated parts of docs/commands.md: commands and options from the program itself, settings from the schema. */
import type { Command, Option } from 'commander';
import defaults from '../../config.js';
import { markdownTable } from '../../lib/markdown.js';
import { App } from '../cli/app.js';
import { Interrupt } from '../cli/interrupt.js';
import { createProgram, EXIT_MEANINGS } from '../cli/program.js';
import { expected, leaves, schemaAt } from '../config/leaves.js';
import { EXIT } from '../../lib/errors.js';
import { codesOf } from '../report/failure.js';
import { SETTINGS } from './meanings.js';

/** The command line, to be described; nothing is run. */
export function program(): Command {
  const { stdin, stdout, stderr } = process;
  const interrupt = new Interrupt(() => {});
  return createProgram(new App({ cwd: '.', environment: {}, stdin, stdout, stderr, interrupt }));
}

const code = (text: string): string => `\`${text}\``;

function optionRows(options: readonly Option[]): string[][] {
  return options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description, argChoices, defaultValue }: Option) => {
      const choices = argChoices === undefined ? '' : `: ${argChoices.map(code).join(', ')}`;
      const without = typeof defaultValue === 'string' ? ` (default: ${code(defaultValue)})` : '';
      return [code(flags), `${description}${choices}${without}`];
    });
}

function commandSections(top: Command): string {
  return top
    .createHelp()
    .visibleCommands(top)
    .filter((command) => command.name() !== 'help')
    .map((command) => {
      const usage = command.usage().replace('[options]', '').trim();
      const options = optionRows(command.options);
      return [
        `### \`${command.name()}\``,
        code(`npx stopwatch ${command.name()}${usage === '' ? '' : ` ${usage}`}`),
        command.description(),
        ...(options.length === 0 ? [] : [markdownTable(['option', 'meaning'], options)]),
      ].join('\n\n');
    })
    .join('\n\n');
}

const isName = (name: string): name is keyof typeof EXIT => Object.hasOwn(EXIT, name);

function exitCodes(): string {
  return markdownTable(
    ['code', 'meaning', 'error codes that lead there'],
    Object.keys(EXIT)
      .filter(isName)
      .map((name) => [String(EXIT[name]), EXIT_MEANINGS[name], codesOf(EXIT[name]).map(code).join(', ')]),
  );
}

/** `sources.linux.tree` → `sources.NAME.tree` */
export function general(path: string): string {
  return path.replace(/^sources\.\w+/, 'sources.NAME');
}

function valueAt(path: string): unknown {
  let value: unknown = defaults;
  for (const key of path.split('.')) value = Object(value)[key];
  return value;
}

function defaultOf(path: string): string {
  const text = JSON.stringify(valueAt(path));
  const isList = Array.isArray(valueAt(path)) && text !== '[]';
  return isList || text.length > 40 ? 'see `config.ts`' : code(text);
}

/** Rows of one group of settings, such as `vm`. */
function settingRows(group: string): string[][] {
  const rows = new Map<string, string[]>();
  for (const { path, variable } of leaves()) {
    if (path.split('.')[0] !== group) continue;
    const key = general(path);
    const row = rows.get(key);
    const value = defaultOf(path);
    if (row === undefined) {
      // Every integer has limits; these are the language's, and no limit of ours.
      const takes = expected(schemaAt(path.split('.'))).replace(`, ${Number.MIN_SAFE_INTEGER} or more`, '');
      rows.set(key, [
        // `devices` is no group.
        code(key === group ? key : key.slice(group.length + 1)),
        takes,
        value,
        code(general(path) === path ? variable : variable.replace(/SOURCES_[A-Z]+_/, 'SOURCES_NAME_')),
        SETTINGS[key] ?? '',
      ]);
    } else if (row[2] !== value && row[2] !== 'see `config.ts`') {
      row[2] = `${row[2]}, ${value}`;
    }
  }
  return [...rows.values()];
}

function settings(): string {
  const head = ['key', 'takes', 'default', 'variable', 'meaning'];
  return Object.keys(defaults)
    .map((group) => `### Settings: \`${group}\`\n\n${markdownTable(head, settingRows(group))}`)
    .join('\n\n');
}

/** Sections of docs/commands.md by the names of their markers. */
export function commandsDoc(): Readonly<Record<string, string>> {
  const top = program();
  return {
    'global-options': markdownTable(['option', 'meaning'], optionRows(top.options)),
    commands: commandSections(top),
    'exit-codes': exitCodes(),
    settings: settings(),
  };
}
