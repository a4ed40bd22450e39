// SPDX-License-Identifier: MIT
/** `report`, on the saved files of a run, from dist/. */
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diverged, type FixtureRun, passed } from '../../test/support/page-runs.js';
import { reportJson } from '../../vm/report/report.js';
import { packageRoot } from '../config/paths.js';

let project: string;
let work: string;
beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-report-')));
  work = join(project, '.stopwatch');
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

/** As `run-test-quit` leaves it. */
function save(name: string, run: FixtureRun): string {
  const { events, console, instances } = run;
  const directory = join(work, 'reports', name);
  mkdirSync(directory, { recursive: true });
  const files = Object.fromEntries(
    Object.keys(run.report.host.files).map((file) => [file, join(directory, `${file}.log`)]),
  );
  const host = { ...run.report.host, runId: name, files: { ...files, directory } };
  writeFileSync(join(directory, 'report.json'), reportJson({ ...run.report, host }));
  writeFileSync(join(directory, 'events.log'), events);
  writeFileSync(join(directory, 'console.log'), console);
  const saved = instances.map(({ id, device }) => ({
    id,
    device,
    how: { slackNs: 0, properties: { start_at_boot: true } },
    guest: true,
    guestMayBeSilent: false,
    atLeast: {},
    monitor: { base: null, interrupt: 144 },
  }));
  writeFileSync(join(directory, 'crosscheck.json'), JSON.stringify({ instances: saved }));
  return directory;
}

async function report(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const main = join(packageRoot(), 'dist/stopwatch.js');
  return new Promise((done) => {
    execFile(
      process.execPath,
      [main, 'report', ...args, '--workdir', work],
      { cwd: project },
      (error, out, err) => {
        done({ code: error === null ? 0 : Number(error.code), out, err });
      },
    );
  });
}

test('makes the page of the newest run, and what other programs read', async () => {
  const directory = save('one', diverged());
  symlinkSync('one', join(work, 'reports', 'latest'));
  const { code, out, err } = await report('--vcd', 'run.vcd', '--perfetto', 'run.json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(`Picture      ${join(directory, 'report.html')}`);
  expect(readFileSync(join(directory, 'report.html'), 'utf8')).toContain('stopwatch diverges from its model');
  expect(readFileSync(join(project, 'run.vcd'), 'utf8')).toContain('$scope module stopwatch $end');
  expect(JSON.parse(readFileSync(join(project, 'run.json'), 'utf8'))).toMatchObject({
    displayTimeUnit: 'ns',
  });
});

test('compares two runs', async () => {
  save('one', passed());
  const directory = save('two', diverged());
  const { code, out } = await report('one', 'two');
  expect(code).toBe(0);
  expect(out).toContain('The events of stopwatch differ after 21 equal events:');
  expect(readFileSync(join(directory, 'compared-with-one.html'), 'utf8')).toContain('First different events');
});

test('says what is wrong with its arguments', async () => {
  expect(await report('nowhere')).toMatchObject({
    code: 2,
    err: expect.stringContaining('There is no run nowhere'),
  });
  save('one', passed());
  const both = await report('one', 'one', '--vcd', 'x.vcd');
  expect(both).toMatchObject({ code: 2, err: expect.stringContaining('--vcd and --perfetto write one run') });
  writeFileSync(join(work, 'reports', 'one', 'report.json'), '{"schema":2}');
  expect((await report('one')).err).toContain('is not a report of this version');
});
