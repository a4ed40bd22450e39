// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  crashed,
  diverged,
  failedTest,
  hostile,
  hung,
  long,
  passed,
  recordingOf,
  several,
} from '../../../test/support/page-runs.js';
import { CONSOLE_SOURCE } from './page-data.js';
import { pageData } from './data.js';
import type { Recording } from './recording.js';
import { crashReportOf } from './rows.js';

const textOf = ({ rows }: Recording): readonly string[] => rows.map(({ text }) => text);

describe('a run that passed', () => {
  const run = passed();
  const recording = recordingOf(run);
  const [device] = recording.devices;

  it('has every event and every line, in the order in which they happened', () => {
    const events = run.events.split('\n').filter((line) => line.startsWith('stopwatch_'));
    const lines = run.console
      .toString()
      .split('\r\n')
      .filter((line) => line !== '');
    expect(recording.rows.filter(({ source }) => source === 0).map(({ raw }) => raw)).toEqual(events);
    expect(recording.rows.filter(({ source }) => source === CONSOLE_SOURCE).map(({ raw }) => raw)).toEqual(
      lines,
    );
    const texts = textOf(recording);
    const at = texts.indexOf('# observe status=0');
    expect(texts.slice(at - 1, at + 3)).toEqual([
      'read STATUS, 8 bytes',
      '# observe status=0',
      'ok 1 binding',
      'write COMMAND = 0 (RESET), 8 bytes',
    ]);
    const times = recording.rows.map(({ time }) => time);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  it('has the values of the device, as exact lines between points', () => {
    expect(device?.lanes.map(({ name, kind, unit }) => [name, kind, unit])).toEqual([
      ['status', 'state', ''],
      ['elapsed', 'number', 'ns'],
      ['timeout', 'state', ''],
      ['deadline', 'number', 'ns'],
      ['count', 'number', ''],
      ['error', 'state', ''],
      ['interrupt line', 'level', ''],
    ]);
    const lane = (name: string) => device?.lanes.find((one) => one.name === name);
    expect(lane('status')?.values).toEqual(['RESET', 'RUNNING', 'RESET', 'RUNNING', 'PAUSED', 'RUNNING']);
    expect(lane('interrupt line')?.values).toEqual(['0', '1', '0']);
    // It runs from the machine reset to the RESET command, which takes it from 44 ms to 0.
    expect(lane('elapsed')?.values.slice(0, 4)).toEqual([0, 41_000_000, 44_000_000, 0]);
    expect(lane('elapsed')?.times.slice(0, 4)).toEqual([0, 41_000_000, 44_000_000, 44_000_000]);
    expect(lane('deadline')?.values).toContain(null);
  });

  it('has the tests, the registers and the decisions', () => {
    expect(device?.tests.map(({ name, status }) => [name, status])).toEqual([
      ['binding', 'ok'],
      ['starting', 'ok'],
      ['pausing', 'ok'],
      ['expiry', 'ok'],
    ]);
    const command = device?.registers.find(({ name }) => name === 'COMMAND');
    expect(command).toMatchObject({ read: [4, 8], write: [4, 8], reads: {}, writes: { 8: 6 } });
    expect(device?.decisions.filter(({ met }) => met).map(({ name }) => name)).toContain(
      'START in PAUSED, timeout IDLE',
    );
    expect(pageData(recording, run.report).focus).toBeNull();
  });

  it('knows by the kernel’s times where a line belongs, if QEMU’s trace has no console', () => {
    const events = run.events.replaceAll(/^console \d+: .*\n/gm, '');
    const byTime = recordingOf({ ...run, events });
    expect(byTime.rows).toHaveLength(recording.rows.length);
    expect(textOf(byTime).slice(0, 5)).toEqual(textOf(recording).slice(0, 5));
  });

  it('leaves out the beginning of what is too long, and says so', () => {
    const cut = recordingOf(run, 20);
    expect(cut.rows.length).toBeLessThan(45);
    expect(cut.notes).toEqual([
      expect.stringMatching(/^The first \d+ events, up to 0\.\d+ s, are left out: events\.log has them\.$/),
    ]);
    expect(cut.rows.at(-1)).toEqual(recording.rows.at(-1));
  });
});

it('opens at the first difference', () => {
  const run = diverged();
  const recording = recordingOf(run);
  const { differences, focus } = pageData(recording, run.report);
  expect(differences).toEqual([
    {
      row: focus,
      what: 'The device and the model differ',
      field: 'read.value',
      expected: '161000400',
      actual: '162000400',
    },
  ]);
  expect(recording.rows[focus ?? 0]).toMatchObject({ text: 'read ELAPSED_NS, 8 bytes', judged: 'differs' });
  expect(recording.rows[(focus ?? 0) + 1]?.judged).toBe('unchecked');
  // The device goes on to say what it does.
  expect(recording.devices[0]?.lanes.find(({ name }) => name === 'status')?.values.at(-1)).toBe('RUNNING');
});

it.each([
  ['the test that failed', failedTest, 'not ok 3 pausing'],
  [
    'the crash',
    crashed,
    '[    0.052000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008',
  ],
  [
    'the last that was heard',
    hung,
    'state status=0 elapsed=42000000 timeout=1 deadline=42000001 count=0 error=0x0',
  ],
])('opens at %s', (_, make, text) => {
  const run = make();
  const recording = recordingOf(run);
  expect(recording.rows[pageData(recording, run.report).focus ?? 0]?.text).toBe(text);
});

it('has the whole trace of a crash, and the panic below it', () => {
  const lines = crashReportOf(recordingOf(crashed()))?.lines;
  expect(lines).toHaveLength(10);
  expect(lines?.at(-1)).toContain('Kernel panic - not syncing');
});

it('tells several devices apart', () => {
  const { devices, rows } = recordingOf(several());
  expect(devices.map(({ id, tests, lanes }) => [id, tests.length, lanes.length])).toEqual([
    ['stopwatch', 4, 7],
    ['lap', 4, 7],
    ['rng', 0, 0],
  ]);
  expect(new Set(rows.map(({ source }) => source))).toEqual(new Set([0, 1, CONSOLE_SOURCE]));
});

it('makes visible what a guest hides, and cuts what is endless', () => {
  const { rows } = recordingOf(hostile());
  const all = rows.map(({ text, raw }) => text + raw).join('');
  // oxlint-disable-next-line no-control-regex -- none of them may be left
  expect(all).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(all).toContain('␛[31mred');
  expect(all).toMatch(/AAAA… \(\d+ more characters\)… \(3137536 more bytes\)/);
  expect(Math.max(...rows.map(({ raw }) => raw.length))).toBeLessThan(2100);
});

it('keeps little of what comes long after the first difference', () => {
  const run = long(40_000);
  // The first read gives a wrong value.
  const events = run.events.replace(/(stopwatch_read .* value=0x)/, '$1f');
  const { rows, notes } = recordingOf({ ...run, events });
  expect(rows.length).toBeLessThan(12_000);
  expect(notes).toEqual([expect.stringMatching(/^The last \d+ events, long after the first difference/)]);
});
