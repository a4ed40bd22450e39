// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StopwatchError } from '../../lib/errors.js';
import type { Event } from '../engine/events.js';
import { compilerErrors, createCiReporter, githubAnnotation } from './ci.js';
import { RunModel } from './progress-model.js';
import { chooseLook, type CiSystem } from './reporter.js';
import { stepSummary } from './step-summary.js';

const failure = new StopwatchError('command-failed', 'ninja failed with exit code 1', {
  lastLines: ['ninja: build stopped'],
  hint: 'look into the log',
});

const look = (environment: Record<string, string>, ci?: CiSystem | 'none', json = false) =>
  chooseLook({ json, ci, verbose: false, noColour: false, isTerminal: false, columns: 0, environment });

describe('which CI system', () => {
  test('the runner’s variables, unless --ci says otherwise', () => {
    expect(look({}).system).toBeUndefined();
    expect(look({ GITHUB_ACTIONS: 'true' })).toMatchObject({ kind: 'ci', system: 'github' });
    expect(look({ GITLAB_CI: 'true' })).toMatchObject({ kind: 'ci', system: 'gitlab' });
    expect(look({ GITHUB_ACTIONS: 'true' }, 'gitlab').system).toBe('gitlab');
    expect(look({ GITHUB_ACTIONS: 'true' }, 'none').kind).toBe('plain');
  });

  test('--json comes first', () => {
    expect(look({ GITHUB_ACTIONS: 'true' }, undefined, true).kind).toBe('json');
  });
});

test('an annotation’s text cannot end the command, nor its properties', () => {
  const message = '100% bad:\r\nsecond, line';
  expect(githubAnnotation({ title: 'a,b:c', message, file: 'x,y.c', line: 3, column: 7 })).toBe(
    '::error file=x%2Cy.c,line=3,col=7,title=a%2Cb%3Ac::100%25 bad:%0D%0Asecond, line',
  );
});

test('errors of gcc and ld; warnings, notes and progress are none', () => {
  expect(
    compilerErrors([
      '[3/9] Compiling C object x.c.o',
      '../src/hw/misc/stopwatch.c: In function ‘f’:',
      '../src/hw/misc/stopwatch.c:12:5: error: expected ‘;’ before ‘}’ token',
      '../src/hw/misc/stopwatch.c:12:5: error: expected ‘;’ before ‘}’ token',
      '/p/driver/stopwatch.c:7:10: fatal error: nothing.h: No such file or directory',
      'a.c:3:1: warning: unused variable ‘x’ [-Wunused-variable]',
      'a.c:2:1: note: declared here',
      '/usr/bin/ld: b.c:44: undefined reference to `g’',
      'make[2]: *** [scripts/Makefile.build:244: a.o] Error 1',
    ]).map(({ file, line, column }) => [file, line, column]),
  ).toEqual([
    ['../src/hw/misc/stopwatch.c', 12, 5],
    ['/p/driver/stopwatch.c', 7, 10],
    ['b.c', 44, undefined],
  ]);
});

describe('a run', () => {
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'stopwatch-ci-'));
    for (const name of ['device', '.stopwatch/build/qemu', '.stopwatch/src/qemu'])
      mkdirSync(join(top, name), { recursive: true });
    writeFileSync(join(top, 'device/stopwatch.c'), '');
    writeFileSync(join(top, '.stopwatch/src/qemu/main.c'), '');
    symlinkSync(join(top, 'device/stopwatch.c'), join(top, '.stopwatch/src/qemu/stopwatch.c'));
  });
  afterEach(() => rmSync(top, { recursive: true }));

  function printed(system: CiSystem, events: readonly Event[]): readonly string[] {
    let text = '';
    const reporter = createCiReporter(
      { write: (more) => (text += more), columns: undefined },
      { system, workspace: top, directories: [join(top, '.stopwatch/build/qemu')] },
    );
    for (const event of events) reporter.emit(event);
    return text.trimEnd().split('\n');
  }

  const task = 'qemu:build';
  const started: readonly Event[] = [
    {
      type: 'plan',
      tasks: [
        { name: task, title: 'QEMU: build', deps: [], fresh: false, reasons: [], lastDurationMs: undefined },
      ],
    },
    { type: 'task-start', task, logFile: '/log' },
  ];
  const line = (text: string): Event => ({ type: 'task-line', task, line: text });
  const failed = (error: StopwatchError): Event => ({ type: 'task-failed', task, durationMs: 5, error });

  test('a compiler’s error is annotated at the user’s file, not at the link in the tree', () => {
    const lines = printed('github', [
      ...started,
      line('../../src/qemu/stopwatch.c:12:5: error: no'),
      line('../../src/qemu/main.c:1:1: error: not ours'),
      failed(failure),
    ]);
    expect(lines.filter((one) => one.startsWith('::error'))).toEqual([
      '::error file=device/stopwatch.c,line=12,col=5,title=QEMU%3A build::no',
      '::error title=QEMU%3A build::../../src/qemu/main.c:1: not ours',
    ]);
    const [begin, end] = ['::group::', '::endgroup::'].map((mark) =>
      lines.findIndex((one) => one.startsWith(mark)),
    );
    expect(lines.slice(begin, end)).toContain('../../src/qemu/stopwatch.c:12:5: error: no');
  });

  test('a failure that no compiler explains is annotated as a whole; an interruption is not', () => {
    const differs = new StopwatchError('model-differs', 'The device differs at seq 7', {
      lastLines: ['expected  1', 'actual    2'],
    });
    expect(printed('github', [...started, failed(differs)]).at(-1)).toBe(
      '::error title=QEMU%3A build::The device differs at seq 7%0Aexpected  1%0Aactual    2',
    );
    const stopped = new StopwatchError('interrupted', 'Interrupted');
    expect(printed('github', [...started, failed(stopped)]).join('\n')).not.toContain('::error');
  });

  test('GitHub obeys no command that a tool prints', () => {
    const lines = printed('github', [
      ...started,
      line('::error::no'),
      { type: 'task-done', task, durationMs: 5 },
    ]);
    const at = lines.indexOf('::error::no');
    const [, token] = /^::stop-commands::(.+)$/.exec(lines[at - 1] ?? '') ?? [];
    expect(token).toBeDefined();
    expect(lines.slice(at - 2)).toEqual([
      expect.stringMatching(/^::group::QEMU: build/),
      `::stop-commands::${token}`,
      '::error::no',
      `::${token}::`,
      '::endgroup::',
    ]);
  });

  test('a failed check of the guest’s test', () => {
    const checks = new StopwatchError('test-failed', 'The guest failed its test', {
      lastLines: ["state: expected '2', got '1'", 'not ok pausing'],
    });
    expect(printed('github', [...started, failed(checks)]).at(-1)).toBe(
      "::error title=QEMU%3A build::The guest failed its test%0Astate: expected '2', got '1'%0Anot ok pausing",
    );
  });

  test('GitLab: sections, and no words that it does not know', () => {
    const text = printed('gitlab', [...started, line('a.c:1:1: error: no'), failed(failure)]).join('\n');
    expect(text).toMatch(
      // oxlint-disable-next-line no-control-regex -- sections are made of them
      /\x1b\[0Ksection_start:(\d+):qemu_build\[collapsed=true\]\r\x1b\[0KQEMU: build[^\n]*\na\.c[^\n]*\n\x1b\[0Ksection_end:\1:qemu_build\r/,
    );
    expect(text).not.toContain('::');
  });

  test('of much output, the last lines', () => {
    const many = Array.from({ length: 2003 }, (_, index) => line(`line ${index}`));
    const lines = printed('github', [...started, ...many, { type: 'task-done', task, durationMs: 5 }]);
    expect(lines).toContain('(3 more lines are in /log)');
    expect(lines).not.toContain('line 2');
    expect(lines).toContain('line 3');
  });
});

test('the summary: headline, verdict, what went wrong, times; as Markdown that shows what it is given', () => {
  const model = new RunModel();
  const plan = { name: 'a', title: 'a|b', deps: [], fresh: false, reasons: [], lastDurationMs: undefined };
  model.apply({ type: 'plan', tasks: [plan] }, 0);
  model.apply({ type: 'task-done', task: 'a', durationMs: 1234 }, 1);
  const error = new StopwatchError('model-differs', 'differs at <seq> 7', {
    lastLines: ['```', 'expected 1'],
    hint: 'npx stopwatch crosscheck a_b_c',
  });
  const text = stepSummary(
    { command: 'all', exitCode: 3, verdict: ['Guest test   passed'], text: undefined, error },
    model,
  );
  expect(text.split('\n').slice(0, 14)).toEqual([
    '## ❌ stopwatch all: exit code 3',
    '',
    '```text',
    'Guest test   passed',
    '```',
    '',
    '**differs at &#60;seq&#62; 7**',
    '',
    '````text',
    '```',
    'expected 1',
    '````',
    '',
    'Next: npx stopwatch crosscheck a&#95;b&#95;c',
  ]);
  expect(text).toContain('| a&#124;b | done | 1.23 s |');
  expect(text).not.toContain('ccache');
  model.apply({ type: 'compile-cache', cache: { hits: 199, misses: 1, errors: 0, remote: null } }, 2);
  const cached = stepSummary(
    { command: 'all', exitCode: 0, verdict: [], text: undefined, error: undefined },
    model,
  );
  expect(cached).toContain('\nccache: 199 hits, 1 miss, 0 errors (99.5 % hits)\n');
});

test('the summary leads to the picture of the run, and shows a small one', () => {
  const text = stepSummary(
    {
      command: 'run-test-quit',
      exitCode: 3,
      verdict: [],
      text: undefined,
      error: undefined,
      page: '/project/reports/one_two/report.html',
      artifacts: 'https://github.com/o/r/actions/runs/7#artifacts',
      sketch: ['stopwatch accesses   | ✖', '0 to 1 s             ▲'],
    },
    undefined,
  );
  expect(text).toContain('```text\nstopwatch accesses   | ✖\n0 to 1 s             ▲\n```\n');
  expect(text).toContain(
    'The picture of this run is one&#95;two/report.html in [the artifacts](https://github.com/o/r/actions/runs/7#artifacts).',
  );
});
