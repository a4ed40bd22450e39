// SPDX-License-Identifier: MIT
/** Which caches a job of action.yml reads and writes. A script of this test stands for `npx stopwatch`. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const steps = z
  .object({
    runs: z.object({
      steps: z.array(
        z.object({
          id: z.string().optional(),
          if: z.string().optional(),
          run: z.string().optional(),
          uses: z.string().optional(),
          with: z.record(z.string(), z.unknown()).optional(),
        }),
      ),
    }),
  })
  .parse(parse(readFileSync(new URL('../action.yml', import.meta.url), 'utf8'))).runs.steps;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'stopwatch-ci-keys-'));
  const lines = ['work=/w', 'build_key=B', 'build_prefix=B', 'ccache_key=C-1', 'ccache_prefix=C-'];
  const npx = [...lines, 'downloads_key=D'].map((line) => `echo stopwatch_${line}`).join('\n');
  writeFileSync(join(directory, 'npx'), `#!/bin/sh\n${npx}\n`);
  chmodSync(join(directory, 'npx'), 0o755);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Job {
  readonly command?: string;
  readonly arguments?: string;
  readonly event?: string;
  readonly protected?: boolean;
}

/** What the step of the keys gives for a job; a push to a branch that is not protected, if nothing else is said. */
function keys(job: Job): Readonly<Record<string, string>> {
  const output = join(directory, 'output');
  writeFileSync(output, '');
  const script = steps.find(({ id }) => id === 'keys')?.run ?? '';
  execFileSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    env: {
      PATH: `${directory}:/usr/bin:/bin`,
      GITHUB_OUTPUT: output,
      COMMAND: job.command ?? 'all',
      ARGUMENTS: job.arguments ?? '',
      EVENT: job.event ?? 'push',
      PROTECTED: String(job.protected === true),
    },
  });
  const lines = readFileSync(output, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split('=', 2)));
}

describe('what is saved', () => {
  test.each(['all', 'docker-all'])('%s builds everything', (command) => {
    expect(keys({ command })['save']).toBe('true');
  });

  test.each(['prepare', 'fuzz', 'crosscheck', 'status', 'docker', 'mutants'])(
    '%s, which builds a part or nothing, saves nothing under a key that all would find',
    (command) => {
      expect(keys({ command })['save']).toBe('false');
    },
  );

  test.each(['pull_request', 'pull_request_target', 'pull_request_review', 'merge_group'])(
    'a job of the event %s only reads',
    (event) => {
      expect(keys({ event })['save']).toBe('false');
    },
  );

  test('each step that saves asks for this and for a verdict', () => {
    const saving = steps.filter(({ uses }) => uses?.startsWith('actions/cache/save'));
    expect(saving).toHaveLength(3);
    for (const { if: condition } of saving) {
      expect(condition).toContain("steps.keys.outputs.save == 'true'");
      expect(condition).toContain("steps.run.outputs.complete == 'true'");
    }
  });
});

function build(job: Job): string | undefined {
  return keys(job)['build_key'];
}

describe('keys', () => {
  test('other arguments, another command and a protected branch have other keys', () => {
    const jobs: Job[] = [
      {},
      { arguments: '--driver builtin' },
      { arguments: '--driver module' },
      { command: 'docker-all' },
      { protected: true },
    ];
    expect(new Set(jobs.map(build)).size).toBe(jobs.length);
  });

  test('how much is printed does not matter, nor do blanks', () => {
    expect(build({ arguments: '--verbose --json' })).toBe(build({}));
    expect(build({ arguments: '  --driver\n builtin\n' })).toBe(build({ arguments: '--driver builtin' }));
  });

  test('a protected branch reads only what protected branches wrote', () => {
    const own = keys({ protected: true });
    const read = [own['build_key'], own['build_prefix'], own['build_protected']];
    read.push(own['ccache_key'], own['ccache_prefix'], own['ccache_protected']);
    for (const key of read) expect(key).toMatch(/^(?:B|C)-protected-/);
  });

  test('any other reads its own, and then those of protected branches', () => {
    const { build_key: key, build_prefix: own, build_protected: other } = keys({});
    expect(key).toMatch(/^B-open-all-[0-9a-f]{16}$/);
    expect([own, other]).toEqual(['B-open-all-', 'B-protected-all-']);
  });

  test('a command that saves nothing reads what all has saved', () => {
    expect(keys({ command: 'fuzz' })['build_prefix']).toBe(keys({})['build_prefix']);
  });
});
