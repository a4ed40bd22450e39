// SPDX-License-Identifier: MIT
/** action.yml and the GitLab component with the real thing: a whole run, what is kept of it, and what CI systems are told. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { annotation, type GithubRun, runAction } from '../support/ci/github.js';
import { componentProject, pipeline, runPipeline, sections } from '../support/ci/gitlab.js';
import { cachesIn, matching } from '../support/ci/store.js';
import { edit, undoEdits } from './edit.js';
import { CHECKOUT, type Laboratory, laboratory } from './laboratory.js';

undoEdits();

const TEST = 'guest_fs/stopwatch/stopwatch_test.sh';
const CHECK = `equal 'text, later' "$text" '0.00 seconds'`;
const SAID = "text, later: expected '1.00 seconds', got '0.00 seconds'";

let lab: Laboratory;
let place: string;
beforeAll(async () => {
  lab = await laboratory();
  place = join(lab.directory, 'ci');
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** The line of an installed file in which a text stands, from 1. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(join(lab.project.package, file), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

function failCheck(): void {
  edit(lab.project.package, TEST, CHECK, CHECK.replace('0.00', '1.00'));
}

/** The action, in the project. */
function act(inputs: Readonly<Record<string, string>>): Promise<GithubRun> {
  const { directory, env } = lab.project;
  return runAction({
    action: join(CHECKOUT, 'action.yml'),
    // Packages of the project are installed already, and those of the host.
    inputs: { 'node-version': '', install: '', 'host-packages': 'false', ...inputs },
    workspace: directory,
    temp: join(place, 'temp'),
    caches: cachesIn(join(place, 'caches'), directory, false),
    artifacts: join(place, 'artifacts'),
    env,
  });
}

describe('GitHub', () => {
  test('a run keeps its builds; another one, from nothing, restores them and has only the test to do', async () => {
    const first = await act({});
    expect(first.outputs, first.log).toMatchObject({ 'exit-code': '0', 'cache-hit': '' });
    const { work } = lab.project;
    const aside = `${work}.aside`;
    renameSync(work, aside);
    try {
      const second = await act({});
      expect(second.outputs, second.log).toMatchObject({ 'exit-code': '0', 'cache-hit': 'true' });
      expect(second.steps['keys']).toEqual(first.steps['keys']);
      expect(second.log.match(/^[\w:]+(?=: done)/gm)).toEqual(['vm:test']);
      expect(second.summary).toMatch(/^## ✅ stopwatch all: exit code 0\n/);
      const names = ['junit.xml', 'report.json', 'console.log', 'vm.test.log'];
      const kept = matching(['**'], join(place, 'artifacts/stopwatch'), true).join('\n');
      for (const name of names) expect(kept).toContain(`/${name}`);
      expect(kept).not.toContain('/latest/');
    } finally {
      rmSync(work, { recursive: true, force: true });
      renameSync(aside, work);
    }
  });

  test('a compiler’s error is at its line', async () => {
    const anchor = '#include "qemu/osdep.h"\n';
    edit(lab.project.package, 'device/stopwatch/stopwatch.c', anchor, `${anchor}int wrong = right;\n`);
    const { outputs, commands, log } = await act({ cache: 'false' });
    expect(outputs, log).toMatchObject({ 'exit-code': '5' });
    expect(commands.filter((one) => one.startsWith('::error')).map(annotation)).toContainEqual({
      kind: 'error',
      title: 'QEMU: build',
      file: 'node_modules/stopwatch/device/stopwatch.c',
      line: String(lineOf('device/stopwatch/stopwatch.c', 'int wrong')),
      col: '13',
      message: expect.stringContaining('right'),
    });
  });

  test('a failed check is at its line, and in the summary', async () => {
    failCheck();
    const { outputs, commands, log, summary } = await act({ cache: 'false' });
    expect(outputs, log).toMatchObject({ 'exit-code': '1' });
    expect(commands.filter((one) => one.startsWith('::error')).map(annotation)).toEqual([
      {
        kind: 'error',
        title: 'VM: boot, test, cross-check: resetting',
        file: `node_modules/stopwatch/${TEST}`,
        line: String(lineOf(TEST, "equal 'text, later'")),
        message: SAID,
      },
    ]);
    expect(summary).toContain(SAID);
  });
});

describe('GitLab', () => {
  test('a failed check: its line in the Code Quality report, JUnit, folded sections, all of it kept', async () => {
    failCheck();
    const { directory, env } = lab.project;
    const made = ['.git', '.gitlab-ci.yml', 'templates', 'stopwatch-keys.env'].map((name) =>
      join(directory, name),
    );
    try {
      await componentProject(directory, join(CHECKOUT, 'templates/stopwatch.yml'), { install: 'true' }, env);
      const caches = cachesIn(join(place, 'caches'), directory, true);
      const request = { directory, caches, artifacts: join(place, 'artifacts'), env };
      const done = await runPipeline(await pipeline(directory, env), request);
      const job = done.get('stopwatch');
      expect(job?.code, job?.log ?? done.get('stopwatch:keys')?.log).toBe(1);
      const [quality = ''] = job?.reports.codequality ?? [];
      expect(JSON.parse(readFileSync(quality, 'utf8'))).toMatchObject([
        {
          description: SAID,
          severity: 'critical',
          location: {
            path: `node_modules/stopwatch/${TEST}`,
            lines: { begin: lineOf(TEST, "equal 'text, later'") },
          },
        },
      ]);
      const junit = job?.reports.junit.map((file) => readFileSync(file, 'utf8')) ?? [];
      expect(junit.filter((text) => text.includes('<failure') && text.includes('text, later'))).not.toEqual(
        [],
      );
      const folded = sections(job?.log ?? '');
      expect(folded.map(({ name, collapsed }) => [name, collapsed])).toContainEqual(['vm_test', true]);
      expect(folded.find(({ name }) => name === 'vm_test')?.lines.join('\n')).toContain('not ok');
      expect(existsSync(join(place, 'artifacts/stopwatch/.stopwatch/reports/code-quality.json'))).toBe(true);
      expect(readdirSync(join(place, 'artifacts/stopwatch/.stopwatch/logs'))).toContain('vm.test.log');
      expect(caches.keys().filter((key) => key.startsWith('stopwatch-1-build-'))).toHaveLength(1);
    } finally {
      for (const path of [...made, join(directory, '.cache')]) rmSync(path, { recursive: true, force: true });
    }
  });
});
