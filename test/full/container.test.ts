// SPDX-License-Identifier: MIT
/** `docker-all` with a real daemon: everything is built in the container, by a user who is not root. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { address, type ContainerProject, containerProject } from '../e2e/container.js';
import { edit, undoEdits } from '../e2e/edit.js';

undoEdits();

describe.skipIf(address === undefined)('in a container (STOPWATCH_TEST_DOCKER)', () => {
  let container: ContainerProject;
  beforeAll(async () => {
    container = await containerProject();
  });
  afterEach(async () => {
    expect(await container.containers()).toEqual([]);
  });

  test('from nothing to a verdict, and every file is the caller’s', async () => {
    const { project } = container;
    const { code, out, err } = await container.all();
    expect(code, out + err).toBe(0);
    expect(err).toBe('');
    expect(out).toMatch(/^Guest test +passed: \d+ ok, 0 not ok/m);
    expect(out).toMatch(/^ +cross-check: The device and the model agree \(\d+ events/m);
    expect(container.foreignFiles()).toBe('');
    expect(readdirSync(project.work)).toEqual(['docker']);
    expect(readdirSync(project.env['CCACHE_DIR'] ?? '').length).toBeGreaterThan(0);
    const status = await container.inside(['stopwatch', 'status', '--json']);
    const { tasks }: { tasks: { fresh: boolean }[] } = JSON.parse(status.out);
    expect(tasks.filter(({ fresh }) => !fresh)).toEqual([]);
  });

  test('nothing changed: only the test runs; --json prints the events of `all`', async () => {
    const { code, out, err } = await container.all(['--json']);
    expect(code, out + err).toBe(0);
    const events: Record<string, unknown>[] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.flatMap(({ type, task }) => (type === 'task-start' ? [task] : []))).toEqual(['vm:test']);
    expect(events.filter(({ type }) => type === 'result')).toEqual([events.at(-1)]);
    expect(events.at(-1)).toMatchObject({ command: 'all', exitCode: 0 });
  });

  test('a guest test that fails: 1', async () => {
    const file = 'guest_fs/stopwatch/stopwatch_test.sh';
    const expected = `equal 'text, later' "$text"`;
    edit(container.project.package, file, `${expected} '0.00 seconds'`, `${expected} '1.00 seconds'`);
    const { code, out, err } = await container.all();
    expect(code, out + err).toBe(1);
    expect(out).toMatch(/^Guest test +failed/m);
  });

  test('a device that pauses wrongly: 3', async () => {
    const pause = '        s->status = STOPWATCH_STATUS_PAUSED;';
    const elapsed = '        s->elapsed = stopwatch_elapsed(s, now);\n';
    edit(container.project.package, 'device/stopwatch/stopwatch.c', elapsed + pause, pause);
    const { code, out, err } = await container.all();
    expect(code, out + err).toBe(3);
    expect(out + err).toMatch(/at seq \d+, write.*PAUSE/);
  });

  test('kill -9 in a build: the next run removes the container that was left, resumes, and passes', async () => {
    rmSync(join(container.work, 'build', 'busybox'), { recursive: true, force: true });
    expect(await container.allWithSignal('SIGKILL', 'busybox:build: Busybox')).toMatchObject({ code: null });
    expect(await container.containers()).toHaveLength(1);
    const { code, out, err } = await container.all();
    expect(code, out + err).toBe(0);
    expect(out).toContain('Removed a container that a killed run had left');
    expect(out).toMatch(/^busybox:build: done/m);
  });
});
