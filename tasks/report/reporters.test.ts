// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { ERROR_CODES, StopwatchError } from '../../lib/errors.js';
import type { Event, Reason, TaskStatus } from '../engine/events.js';
import { serializeError } from '../../lib/serialize-error.js';
import { codesOf, failureText } from './failure.js';
import { bytes, toolLine, duration, fit, painter, progress, type Output } from './format.js';
import { createJsonReporter } from './json.js';
import { createPlainReporter } from './plain.js';
import { RunModel } from './progress-model.js';
import { reasonText } from '../engine/reason-text.js';
import { statusText } from './reasons.js';
import { chooseLook } from './reporter.js';
import { summariseClosing, summariseStages } from './summary.js';

function status(name: string, title: string, fresh = false): TaskStatus {
  return { name, title, deps: [], fresh, reasons: [], lastDurationMs: undefined };
}
const broken = new StopwatchError('command-failed', 'QEMU 10.0.2: build: ninja ended with exit code 1', {
  command: "ninja -C 'build dir'",
  lastLines: ['FAILED: \u001B[31mx.o\u001B[0m', '\tx.c:1: error: no'],
  log: '/w/logs/qemu-build.log',
  hint: 'Repair the source and run the same command again.',
});
/** A run in which one task fails: every kind of event is in it. */
const RECORDED: readonly (readonly [number, Event])[] = [
  [0, { type: 'waiting', holder: 'process 77 (stopwatch run)' }],
  [
    0,
    {
      type: 'plan',
      tasks: [
        status('linux:download', 'Linux 6.12.94: download', true),
        status('qemu:download', 'QEMU 10.0.2: download'),
        status('qemu:build', 'QEMU 10.0.2: build'),
        status('linux:build', 'Linux 6.12.94: build'),
        status('guest:image', 'Root file system'),
        status('vm:test', 'Test in the VM'),
      ],
    },
  ],
  [0, { type: 'task-start', task: 'qemu:download', logFile: '/w/logs/1.log' }],
  [10, { type: 'task-progress', task: 'qemu:download', done: 1 << 20, total: 10 << 20, unit: 'bytes' }],
  [2000, { type: 'task-progress', task: 'qemu:download', done: 3 << 20, total: 10 << 20, unit: 'bytes' }],
  [6010, { type: 'task-progress', task: 'qemu:download', done: 7 << 20, total: 10 << 20, unit: 'bytes' }],
  [6020, { type: 'task-progress', task: 'qemu:download', done: 8 << 20, total: 10 << 20, unit: 'bytes' }],
  [7000, { type: 'task-done', task: 'qemu:download', durationMs: 7000 }],
  [7000, { type: 'task-start', task: 'qemu:build', logFile: '/w/logs/2.log' }],
  [7000, { type: 'task-start', task: 'linux:build', logFile: '/w/logs/3.log' }],
  [7001, { type: 'task-line', task: 'qemu:build', line: '[1/9] \u001B[32mCompiling\u001B[0m x.o' }],
  [13000, { type: 'task-progress', task: 'qemu:build', done: 5, total: 9, unit: 'steps' }],
  [13000, { type: 'notice', task: 'linux:build', text: 'ccache is not used: it would be slower' }],
  [14000, { type: 'task-done', task: 'linux:build', durationMs: 104_400 }],
  [15000, { type: 'task-failed', task: 'qemu:build', durationMs: 8000, error: broken }],
  [15000, { type: 'task-fresh', task: 'guest:image' }],
  [15000, { type: 'task-skipped', task: 'vm:test', because: 'qemu:build failed' }],
  [15000, { type: 'done', durationMs: 15_000, ok: false }],
];

class Written implements Output {
  text = '';
  readonly columns = undefined;
  write(text: string): void {
    this.text += text;
  }
}
function plain(verbose: boolean): string {
  const output = new Written();
  let time = 0;
  const reporter = createPlainReporter(output, {
    colour: false,
    verbose,
    clock: { now: () => time, after: () => () => {} },
  });
  for (const [at, event] of RECORDED) {
    time = at;
    reporter.emit(event);
  }
  return output.text;
}
function model(): RunModel {
  const folded = new RunModel();
  for (const [at, event] of RECORDED) folded.apply(event, at);
  return folded;
}
const paint = painter(false);
function downloaded(done: number): Event {
  return { type: 'task-progress', task: 't', done, total: 100, unit: 'bytes' };
}
const codes = Object.keys(ERROR_CODES).filter(
  (code): code is keyof typeof ERROR_CODES => code in ERROR_CODES,
);

test('plain', () => {
  expect(plain(false)).toBe(`\
Waiting for the work directory: process 77 (stopwatch run) has it
5 tasks to do, 1 up to date
qemu:download: QEMU 10.0.2: download ...
qemu:download: 7.0 MiB of 10.0 MiB, 70%, 1.0 MiB/s, 3.00 s left
qemu:download: done in 7.00 s
qemu:build: QEMU 10.0.2: build ...
linux:build: Linux 6.12.94: build ...
qemu:build: [5/9]
linux:build: ccache is not used: it would be slower
linux:build: done in 1 min 44 s
qemu:build: failed after 8.00 s: QEMU 10.0.2: build: ninja ended with exit code 1
`);
});

test('plain: a task that says nothing for half a minute says that it runs, and an estimate is one', () => {
  const output = new Written();
  let time = 0;
  let tick: (() => void) | undefined;
  const clock = {
    now: () => time,
    after: (_: number, callback: () => void) => ((tick = callback), () => {}),
  };
  const reporter = createPlainReporter(output, { colour: false, verbose: false, clock });
  reporter.emit({
    type: 'plan',
    tasks: [status('qemu:build', 'QEMU: build'), status('linux:build', 'Linux: build')],
  });
  for (const task of ['qemu:build', 'linux:build']) reporter.emit({ type: 'task-start', task, logFile: '' });
  for (time = 5000; time <= 65_000; time += 5000) {
    const done = time / 1000;
    reporter.emit({ type: 'task-progress', task: 'linux:build', done, total: 100, unit: 'percent' });
    if (time === 40_000)
      reporter.emit({ type: 'task-line', task: 'qemu:build', line: '[7/9] Compiling x.o' });
    tick?.();
  }
  expect(output.text.split('\n').slice(3)).toEqual([
    'linux:build: about 30%',
    'qemu:build: still running after 30 s',
    'linux:build: about 60%',
    'qemu:build: [7/9] Compiling x.o, after 1 min 00 s',
    '',
  ]);
});

test('plain, verbose: the lines of the tools, without their control sequences', () => {
  const text = plain(true);
  expect(text).toContain('qemu:build: [1/9] Compiling x.o\n');
  expect(text).toContain('guest:image: up to date\nvm:test: skipped: qemu:build failed\n');
  expect(text).not.toContain('\u001B');
});

test('json: one line per event, and the error as data', () => {
  const output = new Written();
  const reporter = createJsonReporter(output);
  for (const [, event] of RECORDED) reporter.emit(event);
  const lines = output.text.trimEnd().split('\n');
  expect(lines).toHaveLength(RECORDED.length);
  const parsed = lines.map((line): unknown => JSON.parse(line));
  expect(parsed[0]).toEqual(RECORDED[0]?.[1]);
  expect(parsed.at(-4)).toEqual({
    type: 'task-failed',
    task: 'qemu:build',
    durationMs: 8000,
    error: {
      code: 'command-failed',
      exitCode: 5,
      message: broken.message,
      hint: broken.hint,
      command: broken.command,
      log: broken.log,
      lastLines: [...broken.lastLines],
      causes: [],
    },
  });
});

test('summary', () => {
  expect(summariseStages(model(), { paint, columns: 80, elapsedMs: 15_200 })).toBe(`\
✔ QEMU 10.0.2: download      7.00 s
✖ QEMU 10.0.2: build         8.00 s  failed
✔ Linux 6.12.94: build   1 min 44 s  slowest
  2 up to date, 1 not started, total 15.2 s
`);
});

test('summary in a narrow terminal', () => {
  const text = summariseStages(model(), { paint, columns: 32, elapsedMs: 15_200 });
  expect(text).toContain('✔ QEMU 10.…      7.00 s\n');
  for (const line of text.split('\n').slice(0, 3)) expect(line.length).toBeLessThanOrEqual(32);
});

test('rows wrap at blanks, below what they say, and a command stays whole', () => {
  const verdict = [
    'Cross-check  The device and the model agree (1001 events, 2834 fields)',
    'Report       /a/path/that/is/longer/than/the/terminal',
  ];
  const next = 'npx stopwatch fuzz --seconds 20 --device stopwatch';
  expect(summariseClosing({ verdict, next }, { paint, columns: 40, elapsedMs: 0 })).toBe(`\
Cross-check  The device and the model
             agree (1001 events, 2834
             fields)
Report       /a/path/that/is/longer/than/the/terminal
Next: ${next}
`);
});

test('what the compiler cache did ends the table', () => {
  const cached = new RunModel();
  const plan = { name: 'a', title: 'A', deps: [], fresh: false, reasons: [], lastDurationMs: undefined };
  cached.apply({ type: 'plan', tasks: [plan] }, 0);
  cached.apply({ type: 'task-done', task: 'a', durationMs: 1000 }, 1);
  const remote = { place: 'redis://cache', hits: 20, misses: 1, errors: 2, written: 3 };
  cached.apply({ type: 'compile-cache', cache: { hits: 9, misses: 1, errors: 0, remote } }, 2);
  const lines = summariseStages(cached, { paint, columns: 80, elapsedMs: 15_200 }).trimEnd().split('\n');
  expect(lines.slice(-2)).toEqual([
    '  ccache: 9 hits, 1 miss, 0 errors (90.0 % hits)',
    '  shared cache redis://cache: 20 hits, 1 miss, 2 errors, 3 written',
  ]);
});

test('summary of nothing, and the closing words', () => {
  expect(summariseStages(new RunModel(), { paint, columns: 80, elapsedMs: 15_200 })).toBe('');
  expect(
    summariseClosing(
      { verdict: ['12 passed (tcg, icount)'], next: 'npx stopwatch run' },
      { paint, columns: 80, elapsedMs: 15_200 },
    ),
  ).toBe('12 passed (tcg, icount)\nNext: npx stopwatch run\n');
});

test('a failure, in its fixed order', () => {
  expect(failureText(broken, paint)).toBe(`\
Error: QEMU 10.0.2: build: ninja ended with exit code 1
  Command: ninja -C 'build dir'
  Last lines:
    FAILED: x.o
     x.c:1: error: no
  Log: /w/logs/qemu-build.log
  Next: Repair the source and run the same command again.
`);
  expect(failureText(new StopwatchError('interrupted', 'Interrupted by SIGINT'), paint)).toBe(
    'Stopped: Interrupted by SIGINT\n',
  );
});

test.each(codes)('error code %s is worded and serialised', (code) => {
  const error = new StopwatchError(code, `About ${code}`, { hint: 'Do this.' });
  expect(failureText(error, paint)).toContain(`About ${code}\n  Next: Do this.\n`);
  expect(serializeError(error)).toMatchObject({ code, exitCode: ERROR_CODES[code] });
  expect(codesOf(ERROR_CODES[code])).toContain(code);
});

test('what caused it, outermost first', () => {
  const nested = new StopwatchError('internal', 'outer', { cause: new Error('middle', { cause: 'inner' }) });
  expect(serializeError(nested).causes).toEqual(['middle', 'inner']);
});

test.each<[Reason, string]>([
  [{ kind: 'never-run' }, 'never run'],
  [{ kind: 'always', why: 'it is a test' }, 'always runs: it is a test'],
  [{ kind: 'unfinished' }, 'was interrupted or failed the last time'],
  [{ kind: 'value', key: 'version', was: '1', is: '2' }, 'version was 1, is 2'],
  [{ kind: 'file', path: '/p/device/stopwatch.c', change: 'changed' }, 'device/stopwatch.c changed'],
  [{ kind: 'file', path: '/else/x', change: 'removed' }, '/else/x removed'],
  [
    { kind: 'tree', path: '/p/.stopwatch/src/linux', changed: ['Makefile', 'init/main.c'], more: 3 },
    'in .stopwatch/src/linux changed: Makefile, init/main.c and 3 more',
  ],
  [{ kind: 'tool', tool: 'ninja', was: '1.10', is: '1.11' }, "ninja was '1.10', is '1.11'"],
  [{ kind: 'dependency', task: 'qemu:patch' }, 'its dependency qemu:patch is stale or has a new result'],
  [{ kind: 'output', path: '/p/o', change: 'missing' }, 'its output o is missing'],
  [{ kind: 'output', path: '/p/o', change: 'changed' }, 'its output o has changed since the task finished'],
])('reason %j', (reason, text) => {
  expect(reasonText(reason, '/p')).toBe(text);
});

test('status', () => {
  const tasks: TaskStatus[] = [
    { ...status('qemu:patch', '', true), lastDurationMs: 1234 },
    {
      ...status('vm:test', ''),
      reasons: [{ kind: 'never-run' }, { kind: 'dependency', task: 'qemu:patch' }],
    },
  ];
  expect(statusText(tasks, '/p', paint)).toBe(`\
qemu:patch  fresh  (took 1.23 s)
vm:test     stale
            - never run
            - its dependency qemu:patch is stale or has a new result
1 of 2 tasks are stale.
`);
  expect(statusText(tasks.slice(0, 1), '/p', paint)).toContain('Everything is up to date.\n');
});

test('numbers as people read them', () => {
  expect([0, 330, 9994, 9996, 59_940, 59_951, 104_400, 3_599_600, 7_320_000].map(duration)).toEqual([
    '0.00 s',
    '0.33 s',
    '9.99 s',
    '10.0 s',
    '59.9 s',
    '1 min 00 s',
    '1 min 44 s',
    '1 h 00 min',
    '2 h 02 min',
  ]);
  expect([0, 1023, 1024, 136_523_161, 5 * 2 ** 40].map(bytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '130.2 MiB',
    '5120.0 GiB',
  ]);
  const since = { at: 0, done: 0 };
  expect(progress({ done: 5, total: undefined, unit: 'steps', since }, 0)).toBe('[5]');
  expect(progress({ done: 5, total: 0, unit: 'bytes', since }, 500)).toBe('5 B of 0 B');
  expect(progress({ done: 2048, total: undefined, unit: 'bytes', since }, 2000)).toBe('2.0 KiB, 1.0 KiB/s');
});

test('lines of tools as they can be shown', () => {
  expect(toolLine('a\tb\u0007\u0000')).toBe('a b');
  expect(toolLine('10%\r20%\r')).toBe('20%');
  expect(toolLine('\u001B[2K\u001B]0;title\u0007x')).toBe('x');
  expect(toolLine('\r\n')).toBe('');
  expect(fit('abcdef', 4)).toBe('abc…');
  expect(fit('abcd', 4)).toBe('abcd');
});

test('progress that starts again is not taken for negative speed', () => {
  const folded = new RunModel();
  folded.apply(downloaded(90), 0);
  folded.apply(downloaded(10), 1000);
  expect(folded.rows.get('t')?.progress?.since).toEqual({ at: 1000, done: 10 });
});

test('how a run is shown', () => {
  const base = {
    json: false,
    verbose: false,
    noColour: false,
    isTerminal: true,
    columns: 80,
    environment: { TERM: 'xterm' },
  };
  expect(chooseLook(base)).toEqual({ kind: 'terminal', colour: true, verbose: false });
  expect(chooseLook({ ...base, noColour: true })).toMatchObject({ kind: 'terminal', colour: false });
  expect(chooseLook({ ...base, environment: { TERM: 'xterm', NO_COLOR: '1' } }).colour).toBe(false);
  expect(chooseLook({ ...base, environment: { TERM: 'xterm', NO_COLOR: '' } }).colour).toBe(true);
  expect(chooseLook({ ...base, environment: { TERM: 'dumb' } })).toMatchObject({
    kind: 'plain',
    colour: false,
  });
  expect(chooseLook({ ...base, isTerminal: false })).toMatchObject({ kind: 'plain', colour: false });
  expect(chooseLook({ ...base, columns: 0 })).toMatchObject({ kind: 'plain', colour: true });
  expect(chooseLook({ ...base, verbose: true })).toMatchObject({ kind: 'plain', verbose: true });
  expect(chooseLook({ ...base, environment: { TERM: 'xterm', CI: 'true' } }).kind).toBe('plain');
  expect(chooseLook({ ...base, json: true })).toMatchObject({ kind: 'json', colour: false });
});

test('colours', () => {
  expect(painter(true)('red', 'x')).toBe('\u001B[31mx\u001B[39m');
  expect(paint('red', 'x')).toBe('x');
});
