// SPDX-License-Identifier: MIT
/** Renders the coverage of each device's registers and decisions as tables. */
import { type Html, html, section, table } from './html.js';
import type { RecordedDevice, Recording, RegisterUse } from './recording.js';

const WIDTHS = [1, 2, 4, 8];

/** Undefined if no device has coverage data. */
export function coverageSection({ devices }: Recording): Html | undefined {
  const known = devices.filter(({ registers, decisions }) => registers.length > 0 || decisions.length > 0);
  if (known.length === 0) return undefined;
  return section('coverage', 'Coverage', known.map(deviceCoverage));
}

function deviceCoverage({ id, registers, decisions }: RecordedDevice): Html {
  const missed = decisions.filter(({ met }) => !met);
  const met = decisions.filter((decision) => decision.met);
  const list = (some: typeof decisions): Html =>
    html`<ul>${some.map(({ name }) => html`<li>${name}</li>`)}</ul>`;
  return html`<h3>${id}</h3>
${registers.length > 0 ? registerTable(id, registers) : undefined}
${
  decisions.length === 0
    ? undefined
    : html`<p>${met.length} of ${decisions.length} decisions of the contract were met.</p>
<details><summary>Not met (${missed.length})</summary>${list(missed)}</details>
<details><summary>Met (${met.length})</summary>${list(met)}</details>`
}`;
}

function registerTable(id: string, registers: readonly RegisterUse[]): Html {
  const columns = (['read', 'write'] as const).flatMap((direction) =>
    WIDTHS.filter((width) =>
      registers.some((use) => use[direction].includes(width) || countOf(use, direction, width) > 0),
    ).map((width) => ({ direction, width })),
  );
  return table(
    `Accesses to the registers of ${id}`,
    ['register', ...columns.map(({ direction, width }) => `${direction}, ${width} B`)],
    registers.map((use) => [
      use.name,
      ...columns.map(({ direction, width }) =>
        cell(countOf(use, direction, width), use[direction].includes(width)),
      ),
    ]),
  );
}

function countOf({ reads, writes }: RegisterUse, direction: 'read' | 'write', width: number): number {
  return (direction === 'read' ? reads : writes)[width] ?? 0;
}

/** `allowed`: the contract allows this access, or does not list any. */
function cell(count: number, allowed: boolean): Html | string {
  if (count > 0) return html`<span class="${allowed ? 'good' : 'odd'}">${count}</span>`;
  return allowed ? html`<span class="missed">untouched</span>` : '';
}
