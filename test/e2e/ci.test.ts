// SPDX-License-Identifier: MIT
/** What CI systems are shown of a failed build and of a failed test, and which directories they have to keep. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { edit, undoEdits } from './edit.js';
import { CHECKOUT, laboratory } from './laboratory.js';
import { must } from './project.js';

undoEdits();
const { project, scratch } = laboratory();
beforeAll(() => project.passes(['update']));

/** Runs `all` as a step of GitHub's; returns the annotations of errors in its log, and its summary. */
async function allOnGithub(): Promise<{ code: number | null; errors: string[]; summary: string }> {
  const summary = join(scratch, 'summary.md');
  writeFileSync(summary, '');
  const { code, out, err } = await project.stopwatch(['all'], {
    env: { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: project.directory, GITHUB_STEP_SUMMARY: summary },
  });
  const errors = (out + err).split('\n').filter((line) => line.startsWith('::error'));
  return { code, errors, summary: readFileSync(summary, 'utf8') };
}

/** The line of an installed file that has a text, from 1. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(join(project.package, file), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

test('a compiler’s error is shown at its line', async () => {
  const file = 'device/stopwatch/stopwatch.c';
  const anchor = '#include "qemu/osdep.h"\n';
  edit(project.package, file, anchor, `${anchor}int wrong = right;\n`);
  const { code, errors } = await allOnGithub();
  expect(code).toBe(5);
  const place = `file=node_modules/stopwatch/${file},line=${lineOf(file, 'int wrong')},col=13`;
  expect(errors.filter((line) => line.includes(place) && line.includes('right'))).toHaveLength(1);
});

test('a failed check is shown as an annotation and in the summary', async () => {
  const file = 'guest_fs/stopwatch/stopwatch_test.sh';
  const check = `equal 'text, later' "$text" '0.00 seconds'`;
  edit(project.package, file, check, check.replace('0.00', '1.00'));
  const { code, errors, summary } = await allOnGithub();
  expect(code).toBe(1);
  const message = "text, later: expected '1.00 seconds', got '0.00 seconds'";
  // A line of its own.
  expect(errors).toEqual([expect.stringMatching(new RegExp(`%0A *${message}`))]);
  expect(summary).toContain(message);
});

test('with the directories that action.yml keeps, the next run has only the test to do', async () => {
  const action: { runs: { steps: { name?: string; with?: { path?: string } }[] } } = parse(
    readFileSync(join(CHECKOUT, 'action.yml'), 'utf8'),
  );
  const kept = action.runs.steps.find(({ name }) => name === 'Keep builds')?.with?.path ?? '';
  const names = kept.split('\n').flatMap((line) => /\}\}\/(\w+)$/.exec(line)?.[1] ?? []);
  expect(names).toContain('build');
  await project.passes(['update']);
  const aside = `${project.work}.aside`;
  renameSync(project.work, aside);
  try {
    mkdirSync(project.work);
    // Other inodes and times of change, as out of an archive.
    for (const name of names)
      await must('cp', ['-a', join(aside, name), project.work], { cwd: scratch, env: project.env });
    const { code, done, out } = await project.events(['all']);
    expect(code, out).toBe(0);
    expect(done).toEqual(['vm:test']);
  } finally {
    rmSync(project.work, { recursive: true, force: true });
    renameSync(aside, project.work);
  }
});
