// SPDX-License-Identifier: MIT
/** The package, installed from its tarball, builds everything from nothing, however often it is killed. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { type Laboratory, laboratory, readManifest } from './laboratory.js';
import { start } from './project.js';

let lab: Laboratory;
beforeAll(async () => {
  lab = await laboratory();
});

test('killed in every task, it goes on from what was finished, and passes', () => {
  const { kills, tasks, code, err } = lab.story;
  const killed = kills.filter(({ signal }) => signal === 'SIGKILL');
  expect(tasks.length).toBeGreaterThanOrEqual(20);
  expect(tasks.filter((task) => !killed.some(({ hit }) => hit.includes(task)))).toEqual([]);
  expect(killed.map(({ code: none }) => none).filter((none) => none !== null)).toEqual([]);
  expect(kills.filter(({ left }) => left.length > 0)).toEqual([]);
  expect(err).toBe('');
  expect(code).toBe(0);
});

test('Ctrl-C in a build: exit code 130, and no process is left', () => {
  const interrupted = lab.story.kills.filter(({ signal }) => signal === 'SIGINT');
  expect(interrupted).toMatchObject([{ code: 130, left: [] }]);
});

test('npx stopwatch all: passes, with a report, JUnit XML and a manifest', async () => {
  const { project } = lab;
  const { code, out, err } = await start('npx', ['stopwatch', 'all'], {
    cwd: project.directory,
    env: project.env,
  }).ended;
  expect(code, err).toBe(0);
  // npm may have something to say about its own configuration.
  expect(err.split('\n').filter((line) => line !== '' && !line.startsWith('npm '))).toEqual([]);
  expect(out).toMatch(/^Guest test +passed: \d+ ok, 0 not ok/m);
  expect(out).toMatch(/^Cross-check +The device and the model agree \(\d+ events/m);
  expect(out).toMatch(/^Machine +TCG .*clock icount/m);

  const { result, host } = project.lastReport();
  expect(result).toMatchObject({ exitCode: 0, guest: { outcome: 'passed' }, verdict: { result: 'agree' } });
  expect(host.command).toBe('npx stopwatch all');
  const junit = readFileSync(project.lastRun('junit.xml'), 'utf8');
  for (const { name } of result.guest.ktap.tests) expect(junit).toContain(`name="${name}"`);
  expect(junit).not.toMatch(/<(failure|error)/);

  const manifest = readManifest(host.files['manifest'] ?? '');
  expect(Object.keys(manifest.sources)).toEqual(['qemu', 'linux', 'busybox']);
  for (const { sha256 } of Object.values(manifest.sources)) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.keys(manifest.artifacts)).toEqual(Object.keys(lab.manifest.artifacts));
});
