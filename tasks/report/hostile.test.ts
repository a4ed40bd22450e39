// SPDX-License-Identifier: MIT
/** Whatever a tool or a guest says, in whatever place: the terminal does not obey it, CI does not, and no password is shown. */
import { describe, expect, test } from 'vitest';
import { StopwatchError } from '../../lib/errors.js';
import type { Event, TaskStatus } from '../engine/events.js';
import { createCiReporter } from './ci.js';
import { failureText } from './failure.js';
import { cleanedPainted, jsonText, painter } from './format.js';
import { shielded } from './github.js';
import { createJsonReporter } from './json.js';
import { createPlainReporter } from './plain.js';
import { RunModel } from './progress-model.js';
import { statusText } from './reasons.js';
import { stepSummary } from './step-summary.js';
import { summariseClosing, summariseStages } from './summary.js';
import { createTerminalReporter } from './terminal.js';

const HOSTILE =
  'a\u001B]0;title\u0007b\u001B[2J\u009B2J\u001B]52;c;cm0=\u001B\\\u202Ec\b\u0000 http://ann:s3cret@p:1 d';
/** What GitHub would obey, at its places. */
const COMMANDS = ['::add-mask::x', '  ::set-env name=A::b', 'x ##[add-path]/tmp', '\u2003::warning::t'];
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const obeyed = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/;

// oxlint-disable-next-line no-control-regex -- GitLab's sections are made of them
const SECTION = /\u001B\[0Ksection_\w+:[\w:]+(?:\[collapsed=true\])?\r\u001B\[0K/g;

const errorOf = (text: string) =>
  new StopwatchError('command-failed', text, { command: text, hint: text, log: text, lastLines: [text] });

/** An event of every kind that has text of others. */
function eventsWith(text: string): readonly Event[] {
  const tasks = ['one', 'two', 'three'].map((name) => ({
    name,
    title: `${name} ${text}`,
    deps: [],
    fresh: false,
    reasons: [],
    lastDurationMs: undefined,
  }));
  return [
    { type: 'task-line', task: 'host:packages', line: text },
    { type: 'notice', task: undefined, text },
    { type: 'waiting', holder: text },
    { type: 'plan', tasks },
    { type: 'task-start', task: 'one', logFile: '/log' },
    { type: 'task-line', task: 'one', line: text },
    { type: 'task-done', task: 'one', durationMs: 1 },
    { type: 'task-start', task: 'two', logFile: '/log' },
    { type: 'task-line', task: 'two', line: `x.c:1:1: error: ${text}` },
    { type: 'task-failed', task: 'two', durationMs: 1, error: errorOf(text) },
    { type: 'task-skipped', task: 'three', because: text },
    { type: 'done', ok: false, durationMs: 3 },
  ];
}

type Create = (write: (text: string) => void) => { emit: (event: Event) => void; finish(): Promise<void> };
const REPORTERS: readonly (readonly [string, Create])[] = [
  ['plain', (write) => createPlainReporter({ write, columns: undefined }, { colour: false, verbose: true })],
  ['terminal', (write) => createTerminalReporter({ write, columns: 80 }, false)],
  ['json', (write) => createJsonReporter({ write, columns: undefined })],
  ...(['github', 'gitlab'] as const).map(
    (system) =>
      [
        system,
        (write: (text: string) => void) =>
          createCiReporter({ write, columns: undefined }, { system, workspace: '/', directories: [] }),
      ] as const,
  ),
];

async function shown(create: Create, events: readonly Event[]): Promise<string> {
  let text = '';
  const reporter = create((more) => {
    text += more;
  });
  for (const event of events) reporter.emit(event);
  await reporter.finish();
  return text;
}

test.each(REPORTERS)('reporter %s', async (name, create) => {
  const text = await shown(create, eventsWith(HOSTILE));
  // Its sections are made of escape sequences, by us.
  const others = name === 'gitlab' ? text.replaceAll(SECTION, '') : text;
  expect(others).not.toMatch(obeyed);
  expect(others).not.toContain('s3cret');
  expect(others).toContain('http://…@p:1');
});

test('what is printed after a run', () => {
  const model = new RunModel();
  for (const event of eventsWith(HOSTILE)) model.apply(event, 0);
  const paint = painter(false);
  const options = { paint, columns: 400, elapsedMs: 1 };
  const status: TaskStatus = {
    name: 'one',
    title: 'one',
    deps: [],
    fresh: false,
    lastDurationMs: undefined,
    reasons: [{ kind: 'value', key: 'a', was: HOSTILE, is: HOSTILE }],
  };
  const closing = { verdict: [HOSTILE], next: HOSTILE };
  const texts = {
    failure: failureText(errorOf(HOSTILE), paint),
    stages: summariseStages(model, options),
    closing: summariseClosing(closing, options),
    status: statusText([status], '/', paint),
    step: stepSummary(
      { command: 'all', exitCode: 1, verdict: [HOSTILE], text: HOSTILE, error: errorOf(HOSTILE) },
      model,
    ),
    json: jsonText({ type: 'result', text: HOSTILE }),
  };
  for (const [name, text] of Object.entries(texts)) {
    expect(text, name).not.toMatch(obeyed);
    expect(text, name).not.toContain('s3cret');
  }
});

test('colours of ours stay where there are colours, and nothing else does', () => {
  const paint = painter(true);
  const painted = `${paint('red', 'bad')} ${paint('bold', 'x')}`;
  expect(cleanedPainted(painted, true)).toBe(painted);
  expect(cleanedPainted(painted, false)).toBe('bad x');
  expect(cleanedPainted(`${HOSTILE}\u001B[8mhidden\u001B[31;8m`, true)).not.toMatch(obeyed);
});

/** The commands that GitHub's runner obeys in this text; as its ActionCommand.cs finds them. */
function obeyedByGithub(text: string): readonly string[] {
  const commands: string[] = [];
  let token: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const [, name = '', rest = ''] =
      /^\s*::(\S+?)(?: [^]*?)?::([^]*)$/.exec(line) ?? /##\[([^\] ]+)[^\]]*\]([^]*)$/.exec(line) ?? [];
    if (token !== undefined) {
      if (name === token) token = undefined;
    } else if (name === 'stop-commands') token = rest;
    else if (name !== '') commands.push(name);
  }
  expect(token).toBeUndefined();
  return commands;
}

describe('on GitHub', () => {
  const create = new Map(REPORTERS).get('github');

  test.each(COMMANDS)('%j is a command, and none where a tool says it', async (command) => {
    expect(obeyedByGithub(command)).toHaveLength(1);
    if (create === undefined) throw new Error('no such reporter');
    const text = await shown(create, eventsWith(command));
    expect(new Set(obeyedByGithub(text))).toEqual(new Set(['group', 'endgroup', 'error']));
    const failure = failureText(errorOf(command), painter(false));
    expect(obeyedByGithub(shielded(failure))).toEqual([]);
    expect(
      obeyedByGithub(
        shielded(
          summariseClosing({ verdict: [command] }, { paint: painter(false), columns: 80, elapsedMs: 1 }),
        ),
      ),
    ).toEqual([]);
    expect(obeyedByGithub(jsonText({ text: command }))).toEqual([]);
  });

  test('text without a command stays as it is', () => {
    expect(shielded('QEMU: build ...\n')).toBe('QEMU: build ...\n');
  });
});
