// SPDX-License-Identifier: MIT
/** The package, installed from its tarball, builds everything from nothing, although it is killed on the way. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemsOf } from './kills.js';
import { laboratory } from './laboratory.js';
import { type Manifest, start } from './project.js';

const { project, firstBuild } = laboratory();

test('a build that is killed resumes from the finished tasks and passes; Ctrl-C exits with 130; no process is left', () => {
  expect(problemsOf(firstBuild)).toEqual([]);
});

test('npx stopwatch all: passes, with a report, JUnit XML and a manifest', async () => {
  const { code, out, err } = await start('npx', ['stopwatch', 'all'], {
    cwd: project.directory,
    env: project.env,
  }).ended;
  expect(code, err).toBe(0);
  // npm may have something to say about its own configuration.
  expect(err.split('\n').filter((line) => line !== '' && !line.startsWith('npm '))).toEqual([]);
  expect(out).toMatch(/^Guest test +passed: \d+ ok, 0 not ok/m);
  expect(out).toMatch(/^ +cross-check: The device and the model agree \(\d+ events/m);
  expect(out).toMatch(/^Machine +TCG .*clock icount/m);

  const { result, host } = project.lastReport();
  expect(result).toMatchObject({
    exitCode: 0,
    guest: { outcome: 'passed' },
    devices: [
      {
        id: 'stopwatch',
        tests: [
          { suite: 'stopwatch', result: 'pass' },
          { suite: 'stopwatch/stopwatch_dev', result: 'pass' },
        ],
        verdict: { result: 'agree' },
      },
    ],
  });
  expect(host.command).toBe('npx stopwatch all');
  const junit = readFileSync(project.lastRun('junit.xml'), 'utf8');
  for (const { name } of project.lastDevice().tests.flatMap((suite) => suite.tests))
    expect(junit).toContain(`name="${name}"`);
  expect(junit).not.toMatch(/<(failure|error)/);

  const manifest: Manifest = JSON.parse(readFileSync(host.files['manifest'] ?? '', 'utf8'));
  expect(Object.keys(manifest.sources)).toEqual(['qemu', 'linux', 'busybox']);
  for (const { sha256 } of Object.values(manifest.sources)) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.keys(manifest.artifacts).sort()).toEqual([
    'build/busybox/busybox',
    'build/drivers/rngboi/rngboi.ko',
    'build/drivers/rngboi/rngboi_bench.ko',
    'build/drivers/stopwatch/stopwatch.ko',
    'build/drivers/stopwatch/stopwatch_bench.ko',
    'build/guest-programs/measure',
    'build/guest-programs/stopwatch',
    'build/guest-programs/stopwatch_dev_test',
    'build/linux/arch/arm64/boot/Image',
    'build/qemu/qemu-system-aarch64',
    'vm/initramfs.cpio',
    'vm/virt.dtb',
  ]);
});
