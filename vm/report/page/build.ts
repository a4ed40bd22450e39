// SPDX-License-Identifier: MIT
/** Renders the build before a run as a Gantt chart, and the manifest. */
import type { BuildTask, RunReport, Stage } from '../report.js';
import { Html, html, section, table } from './html.js';

/** '2 ms', '0.33 s', '104.0 s' */
export function durationText(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1)} s`;
}

interface Ran extends BuildTask {
  readonly startMs: number;
  readonly durationMs: number;
}

/** Undefined if there is no information about a build. */
export function buildSection({ host }: RunReport, manifest: unknown): Html | undefined {
  const { build, stages } = host;
  const ran = build.filter((task): task is Ran => task.startMs !== null && task.durationMs !== null);
  const fresh = build.filter(({ state }) => state === 'fresh');
  if (stages.length === 0 && build.length === 0 && manifest === undefined) return undefined;
  return section(
    'build',
    'Build and stages',
    ran.length > 0 ? gantt(ran) : undefined,
    fresh.length > 0
      ? html`<details><summary>${fresh.length} up to date</summary><ul>${fresh.map(({ name, title }) => html`<li>${name}: ${title}</li>`)}</ul></details>`
      : undefined,
    stageTable(stages.filter(({ name }) => !ran.some((task) => task.name === name))),
    manifest === undefined
      ? undefined
      : html`<details><summary>Manifest: sources, tools, checksums</summary>${manifestTable(manifest)}</details>`,
  );
}

function gantt(ran: readonly Ran[]): Html {
  const tasks = [...ran].sort((one, other) => one.startMs - other.startMs);
  const from = tasks[0]?.startMs ?? 0;
  const whole = Math.max(1, ...tasks.map(({ startMs, durationMs }) => startMs + durationMs - from));
  const critical = criticalPath(tasks);
  const percent = (ms: number): string => `${((100 * ms) / whole).toFixed(2)}%`;
  return html`<p>The build took ${durationText(whole)}. Tasks on its critical path are marked with ●.</p>
${table(
  'Tasks that ran',
  ['task', '', 'time', 'when', 'why'],
  tasks.map(({ name, title, state, startMs, durationMs, reasons }) => {
    const kind = state === 'failed' ? 'failed' : critical.has(name) ? 'critical' : 'plain';
    return [
      html`<span title="${title}">${name}</span>`,
      critical.has(name) ? html`<span title="on the critical path">●</span>` : '',
      durationText(durationMs),
      html`<div class="bar"><span class="${kind}" style="left:${percent(startMs - from)};width:${percent(durationMs)}"></span></div>`,
      reasons.slice(0, 3).map((reason) => html`<div>${reason}</div>`),
    ];
  }),
)}`;
}

/** The critical path: from the task that ended last, back along the dependency that ended last. */
export function criticalPath(tasks: readonly Ran[]): ReadonlySet<string> {
  const end = ({ startMs, durationMs }: Ran): number => startMs + durationMs;
  const last = (some: readonly Ran[]): Ran | undefined =>
    some.reduce<Ran | undefined>(
      (latest, task) => (latest && end(latest) >= end(task) ? latest : task),
      undefined,
    );
  const path = new Set<string>();
  for (let task = last(tasks); task !== undefined && !path.has(task.name); ) {
    path.add(task.name);
    const { deps } = task;
    task = last(tasks.filter(({ name }) => deps.includes(name)));
  }
  return path;
}

function stageTable(stages: readonly Stage[]): Html | undefined {
  if (stages.length === 0) return undefined;
  return table(
    'Stages of the run',
    ['stage', '', 'time'],
    stages.map(({ name, status, durationMs }) => [
      name,
      html`<span class="${status === 'passed' ? 'good' : 'bad'}">${status}</span>`,
      durationText(durationMs),
    ]),
  );
}

/** Names and values of the manifest, with nested names joined. */
function manifestTable(manifest: unknown): Html {
  return table('The manifest', ['', ''], leaves(manifest, '').slice(0, 200));
}

function leaves(value: unknown, path: string): [string, Html][] {
  if (typeof value !== 'object' || value === null) return [[path, html`<code>${String(value)}</code>`]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(inner, path === '' ? name : `${path} ${name}`),
  );
}
