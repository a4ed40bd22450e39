// SPDX-License-Identifier: MIT
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import defaults from '../../../config.js';
import type { Config } from '../../config/schema.js';
import { findPaths } from '../../config/paths.js';
import { layoutOf } from '../layout.js';
import { ownEntries } from './own-files.js';

const root = mkdtempSync(join(tmpdir(), 'own-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function entries(...files: Config['guest']['files']) {
  const config: Config = { ...defaults, guest: { ...defaults.guest, files } };
  return ownEntries(config, { ...layoutOf(config, findPaths(root, undefined)), project: root });
}

mkdirSync(join(root, 'tools/deep'), { recursive: true });
writeFileSync(join(root, 'tools/run.sh'), '#!/bin/sh\n');
chmodSync(join(root, 'tools/run.sh'), 0o755);
writeFileSync(join(root, 'tools/deep/data'), 'x');
symlinkSync('deep/data', join(root, 'tools/link'));

test('a file has the mode that is asked for, or one by what it is on the host', () => {
  const from = join(root, 'tools/run.sh');
  expect(entries({ from: 'tools/run.sh', to: '/usr/bin/run' })).toEqual([
    { kind: 'file', path: '/usr/bin/run', mode: 0o755, from },
  ]);
  expect(entries({ from, to: '/x', mode: '0400' })).toEqual([
    { kind: 'file', path: '/x', mode: 0o400, from },
  ]);
});

test('a directory comes with all below it, links as they are', () => {
  expect(entries({ from: 'tools', to: '/opt/tools/' })).toEqual([
    { kind: 'dir', path: '/opt/tools', mode: 0o755 },
    { kind: 'dir', path: '/opt/tools/deep', mode: 0o755 },
    { kind: 'file', path: '/opt/tools/deep/data', mode: 0o644, from: join(root, 'tools/deep/data') },
    { kind: 'link', path: '/opt/tools/link', to: 'deep/data' },
    { kind: 'file', path: '/opt/tools/run.sh', mode: 0o755, from: join(root, 'tools/run.sh') },
  ]);
});

test('what cannot be in the guest is refused, and why', () => {
  expect(() => entries({ from: 'none', to: '/none' })).toThrow(/guest\.files: there is no .*\/none/);
  expect(() => entries({ from: 'tools', to: '/a b' })).toThrow(/blanks/);
  expect(() => entries({ from: process.execPath, to: '/node' })).toThrow(/program for another machine/);
});
