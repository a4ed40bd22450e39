// SPDX-License-Identifier: MIT
/** The pages say what is so: links lead somewhere, commands and options exist, generated parts are current. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { TRACE } from '../device/stopwatch/checker/trace.js';
import { fillIn } from '../lib/markdown.js';
import { leaves } from '../tasks/config/leaves.js';
import { commandsDoc, general, program } from '../tasks/docs/commands-doc.js';
import { designDoc } from '../tasks/docs/graph-doc.js';
import { SETTINGS } from '../tasks/docs/meanings.js';

const root = join(import.meta.dirname, '..');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');
const pages = ['.', 'docs'].flatMap((directory) =>
  readdirSync(join(root, directory))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name)),
);

/** Without fenced blocks, in which nothing is a link or a heading. */
const prose = (page: string): string => page.replaceAll(/^```[^]*?^```$/gm, '');

/** GitHub's name for a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchors(file: string): string[] {
  return [...prose(text(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading));
}

describe.each(pages)('%s', (page) => {
  it('has only links that lead somewhere', () => {
    const broken = [...prose(text(page)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = '', fragment] = link.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(root, file))) return true;
        return fragment !== undefined && !anchors(file).includes(fragment);
      });
    expect(broken).toEqual([]);
  });

  it('names only files that are there', () => {
    const ours = /^(?:tasks|device|driver|guest_fs|patches|vm|docker|test|docs|templates)\/[\w./-]*$/;
    const missing = [...prose(text(page)).matchAll(/`([^`\n]+)`/g)]
      // In a project made by init the same files have the device's own name.
      .map(([, span = '']) => inTemplate(span.replaceAll('powerswitch', 'stopwatch')))
      // NAME stands for that of any device.
      .filter((span) => ours.test(span) && !span.includes('NAME') && !existsSync(join(root, span)))
      // A device may have them.
      .filter((span) => !/\/(?:kernel\.config|gadget_(?:stress|bench)\.sh)$/.test(span));
    expect(missing).toEqual([]);
  });

  it('names only commands and options that the command line has', () => {
    expect(unknownIn(text(page))).toEqual([]);
  });
});

/** A file of the project `dimmer` in docs/own-device.md, where `init` has it from. */
function inTemplate(span: string): string {
  const [, part, rest = ''] = /^(device|driver|guest_fs)\/dimmer\/(.*)$/.exec(span) ?? [];
  return part === undefined ? span : `templates/minimal/${part}/gadget/${rest.replace('dimmer', 'gadget')}`;
}

/** Options of other programs that stand alone in the text. */
const OTHERS = new Set(['--disable-download', '--strict']);

/** Invocations of stopwatch in a page with a command or an option that there is not, and lone options likewise. */
function unknownIn(page: string): string[] {
  const top = program();
  const everywhere = new Set(top.commands.flatMap((command) => [...optionsOf(command, top)]));
  const invocations = [...page.matchAll(/npx stopwatch ([^`\n#|]*)/g)].filter(([, rest = '']) => {
    // What follows `--` is for another program.
    const [own = ''] = rest.split(/ --(?= |$)/, 1);
    const words = own.trim().split(/\s+/);
    const [name = ''] = words;
    if (name === 'COMMAND' || name.startsWith('--')) return !words.every((word) => isFine(word, everywhere));
    const command = top.commands.find((one) => one.name() === name.replace(/[.,;:)]+$/, ''));
    return command === undefined || !words.every((word) => isFine(word, optionsOf(command, top)));
  });
  const lone = [...page.matchAll(/`(--[\w-]+)[^`\n]*`/g)].filter(
    ([, option = '']) => !everywhere.has(option) && !OTHERS.has(option),
  );
  return [...invocations, ...lone].map(([whole]) => whole);
}

const isFine = (word: string, known: ReadonlySet<string>): boolean =>
  !word.startsWith('--') || known.has(word.replace(/[=.,;:)].*$/, ''));

function optionsOf(command: Command, top: Command): ReadonlySet<string> {
  return new Set(['--help', ...[...top.options, ...command.options].map(({ long }) => long ?? '')]);
}

describe('the checks above', () => {
  it('find what is wrong', () => {
    expect(
      unknownIn(
        '`npx stopwatch al` `npx stopwatch all --rwx` `npx stopwatch run --rw` `--nodevs` `npx stopwatch docker -- ls --all`',
      ),
    ).toEqual(['npx stopwatch al', 'npx stopwatch all --rwx', '`--nodevs`']);
    expect(anchor('`--json` and the rest')).toBe('--json-and-the-rest');
  });
});

describe('docs/commands.md', () => {
  const page = text('docs/commands.md');
  it('has what the program and the schema say (if not: npm run build && npm run generate)', () => {
    expect(fillIn(page, commandsDoc())).toBe(page);
  });
  it('says of each setting what it means, and of nothing else', () => {
    const settings = new Set(leaves().map(({ path }) => general(path)));
    expect(Object.keys(SETTINGS).toSorted()).toEqual([...settings].toSorted());
  });
  it('has every event of --json', () => {
    const types = [...text('tasks/engine/events.ts').matchAll(/readonly type: '([\w-]+)'/g)];
    expect(types.length).toBeGreaterThan(5);
    for (const [, type] of types) expect(page).toContain(`| \`${type}\` `);
  });
  it('has every outcome of a guest', () => {
    const union = /export type GuestOutcome =([^;]*);/.exec(text('vm/types.ts'))?.[1] ?? '';
    const outcomes = [...union.matchAll(/'([\w-]+)'/g)];
    expect(outcomes.length).toBeGreaterThan(5);
    for (const [, outcome] of outcomes) expect(page).toContain(`\`${outcome}\``);
  });
});

describe('docs/design.md', () => {
  it('has the tasks that there are (if not: npm run build && npm run generate)', () => {
    const page = text('docs/design.md');
    expect(fillIn(page, designDoc())).toBe(page);
  });
});

describe('docs/crosscheck.md', () => {
  const page = text('docs/crosscheck.md');
  it('has every event of the device', () => {
    const events = [...TRACE.text.matchAll(/^stopwatch_(\w+)\(/gm)];
    expect(events.length).toBeGreaterThan(5);
    for (const [, event] of events) expect(page).toContain(`| \`${event}\` `);
  });
  it('has every kind of divergence', () => {
    const source = text('vm/crosscheck/types.ts');
    const unions = /readonly kind: ('early'[^;]*);|export type DivergenceKind =([^;]*);/g;
    const words = [...source.matchAll(unions)].map(([whole]) => whole.replaceAll(/\['\w+'\]/g, '')).join();
    const kinds = [...words.matchAll(/'(\w+)'/g)];
    expect(kinds.length).toBeGreaterThan(7);
    for (const [, kind] of kinds) expect(page).toContain(`| \`${kind}\` `);
  });
});
