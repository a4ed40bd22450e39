// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { thisOwner } from '../../lib/process/owner.js';
import { endedReports } from './retention.js';

const ownedBy = (pid: number, start = thisOwner().start) => ({
  'owner.json': JSON.stringify({ ...thisOwner(), pid, start }),
});

test('reports of killed runs may go, those of runs that are under way may not', async () => {
  const reports = mkdtempSync(join(tmpdir(), 'stopwatch-reports-'));
  const add = (name: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(join(reports, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(reports, name, file), text);
  };
  try {
    add('2026-01-01T00-00-00.000', { 'report.json': '{}' });
    // No process has so large a number.
    add('2026-01-02T00-00-00.000', { ...ownedBy(99_999_999), 'console.log': '' });
    add('2026-01-03T00-00-00.000', ownedBy(process.pid));
    add('2026-01-04T00-00-00.000', {});
    // The host crashed before it was on the disk.
    add('2026-01-05T00-00-00.000', { 'owner.json': '' });
    // Another process has got the number since.
    add('2026-01-06T00-00-00.000', ownedBy(process.pid, '1'));
    add('mine', { 'report.json': '{}' });
    const ended = await endedReports(reports);
    expect(ended.map((path) => basename(path)).toSorted()).toEqual([
      '2026-01-01T00-00-00.000',
      '2026-01-02T00-00-00.000',
      '2026-01-04T00-00-00.000',
      '2026-01-05T00-00-00.000',
      '2026-01-06T00-00-00.000',
    ]);
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
});
