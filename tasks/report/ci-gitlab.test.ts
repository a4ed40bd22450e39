// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StopwatchError } from '../../lib/errors.js';
import type { Event } from '../engine/events.js';
import { createCiReporter } from './ci.js';
import type { CiSystem } from './ci-system.js';
import { codeQuality } from './code-quality.js';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'stopwatch-ci-'));
  mkdirSync(join(top, 'guest_fs'));
  writeFileSync(join(top, 'guest_fs/test.sh'), "test_pausing() {\n\tequal 'state' 1 2\n}\n");
});
afterEach(() => rmSync(top, { recursive: true }));

const task = 'vm:test';
const plan = { name: task, title: 'VM', deps: [], fresh: false, reasons: [], lastDurationMs: undefined };
const failure: readonly Event[] = [
  { type: 'plan', tasks: [plan] },
  { type: 'task-start', task, logFile: '/log' },
  {
    type: 'task-failed',
    task,
    durationMs: 5,
    error: new StopwatchError('test-failed', 'The guest failed its test', {
      lastLines: ["state: expected '2', got '1'", 'not ok pausing'],
    }),
  },
];

async function run(system: CiSystem, events: readonly Event[], report: string): Promise<string> {
  let text = '';
  const reporter = createCiReporter(
    { write: (more) => (text += more), columns: undefined },
    {
      system,
      workspace: top,
      directories: [],
      guestTest: join(top, 'guest_fs/test.sh'),
      codeQuality: report,
    },
  );
  for (const event of events) reporter.emit(event);
  await reporter.finish();
  return text;
}

test('a failed check is remarked upon at its line: on GitHub in the log, on GitLab in the report', async () => {
  const report = join(top, 'reports/code-quality.json');
  expect(await run('github', failure, report)).toContain(
    "::error file=guest_fs/test.sh,line=2,title=VM%3A pausing::state: expected '2', got '1'\n",
  );
  expect(() => readFileSync(report)).toThrow('ENOENT');
  await run('gitlab', failure, report);
  expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual([
    {
      description: "state: expected '2', got '1'",
      check_name: 'VM: pausing',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      severity: 'critical',
      location: { path: 'guest_fs/test.sh', lines: { begin: 2 } },
    },
  ]);
});

test('a run without remarks has an empty report; a command without tasks has none', async () => {
  const report = join(top, 'code-quality.json');
  await run('gitlab', [], report);
  expect(() => readFileSync(report)).toThrow('ENOENT');
  await run('gitlab', [{ type: 'plan', tasks: [plan] }], report);
  expect(JSON.parse(readFileSync(report, 'utf8'))).toEqual([]);
});

test('a report that cannot be written is no failure of the run', async () => {
  expect(await run('gitlab', failure, join(top, 'guest_fs/test.sh/x.json'))).toContain(
    'Warning: the Code Quality report',
  );
});

test('what has no file is in no report; what has only moved is the same remark', () => {
  const remark = { severity: 'warning', title: 't', message: 'm', file: 'a.c', line: 3 } as const;
  const [first, second, ...more] = JSON.parse(
    codeQuality([remark, { ...remark, line: 9 }, { severity: 'error', title: 't', message: 'nowhere' }]),
  );
  expect(more).toEqual([]);
  expect(first.fingerprint).toBe(second.fingerprint);
  expect(first.severity).toBe('minor');
});
