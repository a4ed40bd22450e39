// SPDX-License-Identifier: MIT
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  crashed,
  diverged,
  failedTest,
  type FixtureRun,
  HOSTILE,
  hostile,
  hung,
  passed,
  recordingOf,
  several,
} from '../../../test/support/page-runs.js';
import type { BuildTask } from '../report.js';
import { criticalPath, durationText } from './build.js';
import { html } from './html.js';
import { runPage } from './page.js';
import { seconds, visible } from './text.js';

const ASSETS = {
  script: 'console.log("</script><!--")',
  style: 'p{}',
  plots: { script: 'plot()', style: '.u{}' },
};
const pageOf = (run: FixtureRun): string =>
  runPage(
    { report: run.report, recording: recordingOf(run), manifest: { sources: { qemu: { version: '10.0' } } } },
    ASSETS,
  );
/** What a reader sees. */
const wordsOf = (page: string): string =>
  page
    .replaceAll(/<(style|script)\b.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('the page says what the report says', () => {
  it.each([
    ['a pass', passed, ['✔ exit code 0', 'Passed', '4 tests passed', 'The device and the model agree']],
    [
      'a difference',
      diverged,
      [
        'stopwatch diverges from its model',
        'read.value',
        '161000400',
        '162000400',
        'npx stopwatch crosscheck events.log',
      ],
    ],
    [
      'a failed test',
      failedTest,
      ['The guest&#39;s test failed', 'The test pausing failed.', 'expected 2, got 1'],
    ],
    ['a crash', crashed, ['The guest panicked', 'Call trace:', 'stopwatch_show+0x1c/0x60', 'Kernel panic']],
    ['a hang', hung, ['The guest hung', 'nothing on the console for 30 s', 'ok 1 binding']],
    ['several devices', several, ['lap', 'This device has no model.']],
  ] as const)('%s', (_, make, words) => {
    const run = make();
    const seen = wordsOf(pageOf(run));
    for (const word of words) expect(seen).toContain(word);
    expect(seen).toContain(`Next: ${run.report.host.next}`);
    for (const { id } of run.report.result.devices) expect(seen).toContain(id);
  });

  it('with the build, its critical path, and the manifest', () => {
    const run = passed();
    const seen = wordsOf(pageOf(run));
    expect(seen).toContain('The build took 5.29 s.');
    expect(seen).toContain('device/stopwatch/stopwatch.c changed');
    expect(seen).toContain('sources qemu version 10.0');
    const all = recordingOf(run).devices[0]?.decisions.length;
    expect(seen).toContain(`7 of ${all} decisions of the contract were met.`);
  });
});

it('is one file from which nothing is requested', () => {
  const page = pageOf(passed());
  expect(page).toContain("default-src 'none'");
  expect([...page.matchAll(/\b(?:src|href)="([^"#]+)"/g)].map(([, to]) => to)).toEqual([
    'data:,',
    'console.log',
    'events.log',
    'qemu.log',
    'report.json',
  ]);
  // Our own script ends where it is meant to end.
  expect(page).toContain('console.log("\\x3c/script>\\x3c!--")');
});

it('has plots only where something was measured, and a table of what has no sizes', () => {
  const run = passed();
  const input = { report: run.report, recording: recordingOf(run) };
  const one = [{ name: 'register', median: [900], low: [800], high: [1000], exits: [1] }];
  const two = [{ name: 'bytes', median: [900, 5000], low: [800, Number.NaN], high: [1000, 9000] }];
  const bench = [
    { title: 'Elapsed time', x: { label: '', values: [1] }, unit: 'ns', series: one },
    { title: 'Random', x: { label: 'bytes', values: [1, 2] }, unit: 'ns', series: two },
  ];
  expect(runPage(input, ASSETS)).not.toContain('plot()');
  const page = runPage({ ...input, bench }, ASSETS);
  expect(page).toContain('plot()');
  expect(page.match(/data-plot="\d"/g)).toEqual(['data-plot="1"']);
  expect(wordsOf(page)).toContain('register 900 800 1,000 1');
  expect(wordsOf(page)).toContain('1 900 (800 to 1,000) 2 5,000');
});

it('takes nothing for HTML that a guest or a file says', () => {
  const page = pageOf(hostile());
  expect(page).not.toContain('<img');
  expect(page).not.toContain(HOSTILE);
  expect(page.match(/<script\b/g)).toHaveLength(2);
  expect(page.length).toBeLessThan(200_000);
  const [, packed = ''] = /<script type="application\/octet-stream" id="data">([^<]*)</.exec(page) ?? [];
  expect(gunzipSync(Buffer.from(packed, 'base64')).toString()).toContain('</script>');
});

it('escapes whatever is put into a template, and nothing twice', () => {
  const inner = html`<b>${'<i>&"\''}</b>`;
  expect(html`<p title="${'"x'}">${[inner, 7, undefined]}</p>`.text).toBe(
    '<p title="&quot;x"><b>&lt;i&gt;&amp;&quot;&#39;</b>7</p>',
  );
});

describe('words', () => {
  it.each([
    ['\u001b[1m\u0000', '␛[1m␀'],
    ['a\u202eb\ud800c', 'a\ufffdb\ufffdc'],
    ['tab\tstays', 'tab\tstays'],
  ])('%j becomes visible', (text, shown) => expect(visible(text)).toBe(shown));
  it('long text is cut', () =>
    expect(visible('x'.repeat(12), 10)).toBe(`${'x'.repeat(10)}… (2 more characters)`));
  it('times', () => expect([seconds(0), seconds(1_050_000_001)]).toEqual(['0.000 s', '1.050000001 s']));
  it('durations', () =>
    expect([durationText(2.4), durationText(330), durationText(104_000)]).toEqual([
      '2 ms',
      '0.33 s',
      '104.0 s',
    ]));
});

const task = (
  name: string,
  deps: string[],
  startMs: number,
  durationMs: number,
): BuildTask & { startMs: number; durationMs: number } => ({
  name,
  title: name,
  deps,
  state: 'done',
  reasons: [],
  startMs,
  durationMs,
});

it('the critical path is the chain of tasks that waited for each other', () => {
  const tasks = [
    task('a', [], 0, 10),
    task('b', [], 0, 30),
    task('c', ['a', 'b'], 30, 5),
    task('d', ['a'], 10, 2),
  ];
  expect([...criticalPath(tasks)]).toEqual(['c', 'b']);
});
