// SPDX-License-Identifier: MIT
/** Renders a run as one self-contained HTML file. */
import { relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PRODUCT } from '../../../lib/product.js';
import type { RunReport } from '../report.js';
import { type BenchPlot, benchSection } from './bench.js';
import { buildSection, durationText } from './build.js';
import { coverageSection } from './coverage.js';
import { pageData } from './data.js';
import { Html, html, section, table } from './html.js';
import type { Recording } from './recording.js';
import { seconds } from './text.js';
import { headline, verdictSection } from './verdict.js';

/** The bundled `client/` and style sheet: see rolldown.config.js. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
  /** Only for pages with plots. */
  readonly plots: { readonly script: string; readonly style: string };
}

export interface PageInput {
  readonly report: RunReport;
  readonly recording: Recording;
  /** The build's manifest, unvalidated. */
  readonly manifest?: unknown;
  readonly bench?: readonly BenchPlot[] | undefined;
}

export function runPage({ report, recording, manifest, bench = [] }: PageInput, assets: PageAssets): string {
  const { host, result } = report;
  const parts: readonly (readonly [id: string, title: string, content: Html | undefined])[] = [
    ['verdict', 'Verdict', verdictSection(report, recording)],
    ['timeline', 'Timeline', timelineSection(recording)],
    ['events', 'Events', eventsSection(recording)],
    ['tests', 'Tests', testsSection(report, recording)],
    ['coverage', 'Coverage', coverageSection(recording)],
    ['bench', 'Measured', benchSection(bench)],
    ['build', 'Build', buildSection(report, manifest)],
    ['files', 'Files', filesSection(report)],
  ];
  const shown = parts.filter(([, , content]) => content !== undefined);
  const state = result.exitCode === 0 ? 'good' : 'bad';
  const { script, style, plots } = assets;
  const scripts = [script, ...(bench.length > 0 ? [plots.script] : [])];
  return documentOf({
    title: `${headline(report)}: ${host.command}`,
    style: bench.length > 0 ? `${plots.style}\n${style}` : style,
    body: html`<header>
<p class="badge ${state}">${state === 'good' ? '✔' : '✖'} exit code ${result.exitCode}</p>
<h1>${headline(report)}</h1>
<p class="facts"><code>${host.command}</code> · ${host.startedAt} · ${durationText(host.durationMs)} · ${result.guest.accelerator.toUpperCase()} (${host.acceleratorReason}), clock ${result.guest.clock}</p>
<nav aria-label="Parts of this page">${shown.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}</nav>
</header>
<main>
${shown.map(([, , content]) => content)}
</main>
<footer><p>Made by ${PRODUCT} from the files of run ${host.runId}.</p></footer>
<script type="application/octet-stream" id="data">${packed(pageData(recording, report))}</script>
${bench.length > 0 ? html`<script type="application/octet-stream" id="plots">${packed(bench)}</script>` : undefined}`,
    scripts,
  });
}

/** `scripts` and `style` are trusted. */
export function documentOf({
  title,
  style,
  body,
  scripts,
}: {
  readonly title: string;
  readonly style: string;
  readonly body: Html;
  readonly scripts: readonly string[];
}): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
${body}
${scripts.map(
  (script) => html`<script type="module">${inScript(script)}</script>
`,
)}</body>
</html>
`.text;
}

/** Escapes trusted code, which may contain a string such as `</script>`. */
function inScript(script: string): Html {
  return new Html(script.replace(/<(?=\/script|!--)/gi, '\\x3c'));
}

/** Compressed and base64-encoded: a tenth of the JSON's size, and without characters special to HTML. */
function packed(data: unknown): Html {
  return new Html(gzipSync(JSON.stringify(data)).toString('base64'));
}

const KEYS = [
  ['← →', 'pan'],
  ['+ −', 'zoom'],
  ['0', 'the whole run'],
  [', .', 'previous and next event'],
  ['f', 'the failure'],
];

function timelineSection({ rows, devices, notes }: Recording): Html | undefined {
  if (rows.length === 0 || devices.length === 0) return undefined;
  return section(
    'timeline',
    'Timeline',
    notes.map((note) => html`<p class="note">${note} See <a href="#files">Files</a>.</p>`),
    html`<div class="tools" role="toolbar" aria-label="Timeline">
<button type="button" data-do="in" aria-label="Zoom in">+</button>
<button type="button" data-do="out" aria-label="Zoom out">−</button>
<button type="button" data-do="fit">Whole run</button>
<button type="button" data-do="previous" aria-label="Previous event">‹</button>
<button type="button" data-do="next" aria-label="Next event">›</button>
<button type="button" data-do="focus" hidden>Go to failure</button>
<span id="range" class="note"></span>
</div>
<canvas id="lanes" tabindex="0" role="application" aria-label="Timeline of the devices in virtual time" aria-describedby="keys"></canvas>
<p class="note" id="keys">Drag to pan, pinch or Ctrl and wheel to zoom; the wheel alone once the picture has the focus. Keys: ${KEYS.map(([key, what], index) => html`${index > 0 ? ', ' : ''}<kbd>${key}</kbd> ${what}`)}.</p>`,
  );
}

function eventsSection({ rows, devices }: Recording): Html | undefined {
  if (rows.length === 0) return undefined;
  const last = rows.at(-1);
  return section(
    'events',
    'Events and console',
    html`<p>${rows.length} rows in the order of time${last === undefined ? '' : `, up to ${seconds(last.time)}`}. A console line is placed where its first byte was written.</p>
<form class="tools" id="filter" role="search" aria-label="Events">
<label>Filter <input type="search" id="words" placeholder="words, in any order" autocomplete="off"></label>
<label>Show <select id="show"><option value="all">everything</option><option value="accesses">accesses</option><option value="console">the console</option>${devices.length > 1 ? devices.map(({ id }, index) => html`<option value="${index}">${id}</option>`) : undefined}</select></label>
<span id="count" role="status"></span>
</form>
<div class="split">
<div id="list" role="listbox" tabindex="0" aria-label="Events and lines of the console"></div>
<div id="details" role="region" aria-label="The row that was picked" aria-live="polite" tabindex="0"><p class="note">Pick a mark or a row.</p></div>
</div>
<noscript><p>The timeline and this list need JavaScript; the rest of the page does not.</p></noscript>`,
  );
}

function testsSection({ result }: RunReport, recording: Recording): Html | undefined {
  const tested = result.devices.flatMap(({ id, tests }) => {
    const bars = recording.devices.find((device) => device.id === id)?.tests ?? [];
    let before = 0;
    return tests.flatMap((test) => {
      const own = bars.slice(before, (before += test.tests.length));
      return test.tests.length === 0 ? [] : { test, bars: own };
    });
  });
  if (tested.length === 0) return undefined;
  return section(
    'tests',
    'Tests',
    tested.map(({ test, bars }, place) => {
      // A hostile guest may repeat a suite; each table needs a unique name.
      const before = tested.slice(0, place).filter((one) => one.test.suite === test.suite).length;
      return table(
        `Tests of ${test.suite}${before === 0 ? '' : `, ${before + 1}`}`,
        ['test', '', 'virtual time', ''],
        test.tests.map(({ name, status, comment }, index) => {
          const bar = bars[index];
          const time = bar === undefined ? '' : seconds(bar.to - bar.from);
          return [
            name,
            html`<span class="${status === 'ok' ? 'good' : status === 'skip' ? 'odd' : 'bad'}">${status}</span>`,
            time,
            comment,
          ];
        }),
      );
    }),
  );
}

function filesSection({ host }: RunReport): Html {
  const { directory } = host.files;
  return section(
    'files',
    'Files',
    table(
      'Files of the run',
      ['', ''],
      Object.entries(host.files)
        .filter(([name]) => name !== 'directory')
        .map(([name, path]) => [
          name,
          directory === undefined ? path : html`<a href="${address(relative(directory, path))}">${path}</a>`,
        ]),
    ),
  );
}

/** A relative path as a URL. */
function address(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
