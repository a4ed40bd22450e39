// SPDX-License-Identifier: MIT
/** Another release of Busybox, from the place where it is published to a guest that passes its test; and back again. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { laboratory } from '../e2e/laboratory.js';
import { tree } from '../e2e/project.js';

/** The one that Debian 12 has; the sum is Debian's, and Buildroot's. */
const VERSION = '1.35.0';
const SUM = 'faeeb244c35a348a334f4a59e44626ee870fb07b6884d68c10ae8bc19f83a694';

const { project } = laboratory();
const config = join(project.directory, 'sources.json');
beforeAll(() => project.passes(['update']));
afterAll(async () => {
  rmSync(config, { force: true });
  await project.passes(['update']);
});

test('the wrong sum: exit code 5, and the configuration is not there', async () => {
  const { err } = await project.exits(5, ['bump', 'busybox', VERSION, '--sha256', '0'.repeat(64)]);
  expect(err).toContain(`expected sha256 ${'0'.repeat(64)}, got sha256 ${SUM}`);
  expect(existsSync(config)).toBe(false);
});

test('bump, all: the guest runs on the other release and passes; the old tree is still there', async () => {
  const old = tree(project, 'busybox');
  const out = await project.passes(['bump', 'busybox', VERSION, '--sha256', SUM]);
  expect(out).toMatch(new RegExp(`^Busybox \\S+ -> ${VERSION.replaceAll('.', '\\.')} `, 'm'));
  expect(readFileSync(config, 'utf8')).toContain(`"version": "${VERSION}"`);
  const { code, done, out: said } = await project.events(['all']);
  expect(code, said).toBe(0);
  expect(done).toContain('busybox:build');
  expect(done).not.toContain('linux:build');
  expect(done).not.toContain('qemu:build');
  const { sources } = project.manifest();
  expect(sources['busybox']).toMatchObject({ version: VERSION, sha256: SUM });
  const trees = readdirSync(join(project.work, 'src'));
  expect(trees).toContain(`busybox-${VERSION}`);
  expect(trees).toContain(basename(old));
});
