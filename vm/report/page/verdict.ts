// SPDX-License-Identifier: MIT
/** Renders the first section of the page: the outcome, its cause, and what to do next. */
import { EXIT } from '../../../lib/errors.js';
import { KIND } from '../../crosscheck/format.js';
import { type Divergence, reasonWords, summary, type Verdict } from '../../crosscheck/index.js';
import type { GuestOutcome } from '../../types.js';
import type { DeviceResult, RunReport } from '../report.js';
import { Html, html, lines, section, table } from './html.js';
import type { Recording } from './recording.js';
import { crashReportOf } from './rows.js';
import { seconds } from './text.js';

const GUEST: Readonly<Record<GuestOutcome, string>> = {
  passed: 'The tests passed, but the run failed',
  failed: "The guest's test failed",
  panicked: 'The guest panicked',
  hung: 'The guest hung',
  flooded: 'The guest never stopped printing',
  silent: 'The guest printed nothing',
  'exited-early': 'The guest powered off before its test ended',
  'qemu-died': 'QEMU died',
  interrupted: 'The run was interrupted',
  stopped: 'The run was stopped',
  ended: 'The user ended the run',
};

/** Outcomes that the last console lines do not help to explain. */
const EXPLAINED: ReadonlySet<GuestOutcome> = new Set(['passed', 'failed', 'stopped', 'ended']);

/** One sentence about the whole run. */
export function headline({ result }: RunReport): string {
  const { exitCode, guest, devices } = result;
  if (exitCode === EXIT.passed) return guest.outcome === 'ended' ? 'The run ended normally' : 'Passed';
  if (exitCode !== EXIT.differs) return GUEST[guest.outcome];
  const wrong = (what: Verdict['result']): string =>
    devices.flatMap(({ id, verdict }) => (verdict?.result === what ? id : [])).join(', ');
  const differ = wrong('differ');
  return differ === ''
    ? `The evidence about ${wrong('invalid')} is invalid`
    : `${differ} diverges from its model`;
}

export function verdictSection(report: RunReport, recording: Recording): Html {
  const { guest, devices } = report.result;
  const splat = crashReportOf(recording);
  return section(
    'verdict',
    'Verdict',
    html`<p>${guest.reason}</p>`,
    devices.map((device) => deviceVerdict(device)),
    splat && html`<h3>Kernel crash</h3>${lines('Kernel messages of the crash', splat.lines)}`,
    splat === undefined && !EXPLAINED.has(guest.outcome) && guest.lastLines.length > 0
      ? html`<h3>The last lines of the console</h3>${lines('The last lines of the console', guest.lastLines.slice(-15))}`
      : undefined,
    report.host.qemuMessages.length > 0
      ? html`<h3>QEMU's messages</h3>${lines('Messages of QEMU', report.host.qemuMessages)}`
      : undefined,
    guest.warnings.length > 0
      ? html`<h3>Warnings</h3>${lines('Warnings of the kernel', guest.warnings)}`
      : undefined,
    html`<p class="next"><strong>Next:</strong> <code>${report.host.next}</code></p>`,
  );
}

function deviceVerdict({ id, verdict, tests, checker }: DeviceResult): Html {
  const failed = tests.flatMap((test) => test.tests.filter(({ status }) => status === 'not ok'));
  const problems = tests.flatMap((test) => test.problems);
  return html`<h3>${id}</h3>
${verdict === null ? html`<p>${checker ? 'This run was not checked.' : 'This device has no model.'}</p>` : html`<p>${summary(verdict)}.</p>`}
${verdict?.divergence && divergenceTables(verdict.divergence)}
${verdict !== null && (verdict.invalid.length > 1 || verdict.divergence !== undefined) ? html`<ul>${verdict.invalid.map((reason) => html`<li>${reasonWords(reason)}</li>`)}</ul>` : undefined}
${verdict?.unchecked?.map((what) => html`<p>Not checked: ${what}.</p>`)}
${problems.map((problem) => html`<p>Its test: ${problem}.</p>`)}
${failed.map(
  ({ name, diagnostics }) =>
    html`<p class="bad">The test ${name} failed.</p>${diagnostics.length > 0 ? lines(`Output of ${name}`, diagnostics) : undefined}`,
)}`;
}

function divergenceTables(divergence: Divergence): Html {
  const { kind, seq, now, access, register, field, expected, actual, last, states, replay } = divergence;
  const names = Object.keys(states.model);
  return html`
${table(
  'The first difference',
  ['', ''],
  [
    ['what', KIND[kind]],
    ['when', `seq ${seq}, virtual time ${seconds(Number(now))} (${now} ns)`],
    ['access', access],
    ...(register === undefined ? [] : [['register', register]]),
    ['compared', field],
    ['expected', html`<code>${expected}</code>`],
    ['actual', html`<code class="bad">${actual}</code>`],
  ],
)}
${table(
  'States',
  ['', 'before', 'model, after', 'device, after'],
  names.map((name) => {
    const device = states.device === undefined ? 'not reported' : (states.device[name] ?? '');
    const differs = states.device !== undefined && device !== states.model[name];
    return [
      name,
      states.before[name],
      states.model[name],
      differs ? html`<strong class="bad">${device}</strong>` : device,
    ];
  }),
)}
<details><summary>The last ${last.length} events of the device</summary>${lines('The last events', last)}</details>
${replay === undefined ? undefined : html`<p>Recheck this stream without a VM: <code>${replay}</code></p>`}`;
}
