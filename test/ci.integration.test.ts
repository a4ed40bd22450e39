// SPDX-License-Identifier: MIT
/** action.yml and the GitLab component: their references resolve, and their scripts pass shellcheck and run as they are written. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../tasks/config/paths.js';
import { environment } from './e2e/project.js';

const checkout = packageRoot();
const traces = join(checkout, 'test/fixtures/crosscheck');

let directory: string;
let env: Record<string, string>;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-ci-')));
  // What `npm ci` would install.
  mkdirSync(join(directory, 'node_modules/.bin'), { recursive: true });
  symlinkSync(join(checkout, 'dist/stopwatch.js'), join(directory, 'node_modules/.bin/stopwatch'));
  env = { ...environment(directory, join(directory, 'ccache')), HOME: directory, XDG_CACHE_HOME: directory };
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a script as a runner does, after shellcheck. */
function run(
  script: string,
  more: Readonly<Record<string, string>> = {},
): { readonly code: number | null; readonly output: string } {
  const file = join(directory, 'script.sh');
  writeFileSync(file, script);
  execFileSync('shellcheck', ['--shell=bash', file], { stdio: 'pipe' });
  const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file], {
    cwd: directory,
    env: { ...env, ...more },
    encoding: 'utf8',
  });
  return { code: status, output: stdout + stderr };
}

/** `NAME=value` in lines, as both systems read them. */
function variablesIn(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([A-Za-z_][\w-]*)=(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`Expected NAME=value, got ${line}`);
      return [name, value];
    }),
  );
}

describe('action.yml', () => {
  const step = z.strictObject({
    name: z.string().optional(),
    id: z.string().optional(),
    if: z.string().optional(),
    uses: z
      .string()
      .regex(/^actions\/[\w/-]+@v\d+$/, 'expected an action of GitHub, pinned to a release')
      .optional(),
    with: z.record(z.string(), z.union([z.string(), z.boolean()])).optional(),
    run: z.string().optional(),
    shell: z.literal('bash').optional(),
    env: z.record(z.string(), z.string()).optional(),
    'working-directory': z.string().optional(),
  });
  const schema = z.strictObject({
    name: z.string(),
    description: z.string(),
    branding: z.record(z.string(), z.string()),
    inputs: z.record(z.string(), z.strictObject({ description: z.string(), default: z.string() })),
    outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })),
    runs: z.strictObject({ using: z.literal('composite'), steps: z.array(step) }),
  });
  const { inputs, outputs, runs } = schema.parse(parse(readFileSync(join(checkout, 'action.yml'), 'utf8')));
  const { steps } = runs;

  function scriptOf(id: string): string {
    const script = steps.find((one) => one.id === id)?.run;
    if (script === undefined) throw new Error(`No script in the step ${id}`);
    return script;
  }

  test('each step is a command with its shell, or an action', () => {
    for (const { run: script, uses, shell } of steps)
      expect([script === undefined, shell === undefined]).toEqual([uses !== undefined, uses !== undefined]);
  });

  test('an expression names only inputs and steps that exist, and functions that GitHub has', () => {
    const unknown = steps.flatMap((one, index) => {
      const before = new Set(steps.slice(0, index).map(({ id }) => id));
      return unknownIn(JSON.stringify(one), before, one.if);
    });
    const all = new Set(steps.map(({ id }) => id));
    expect([...unknown, ...unknownIn(JSON.stringify(outputs), all)]).toEqual([]);
    expect(unknownIn('${{ inputs.cach }} ${{ steps.run.outputs.x }} ${{ startWith(1) }}', new Set())).toEqual(
      ['inputs.cach', 'steps.run', 'startWith('],
    );
  });

  /** What the expressions in a text refer to and does not exist. `condition`: an `if`, an expression as a whole. */
  function unknownIn(text: string, ids: ReadonlySet<string | undefined>, condition = ''): string[] {
    const inside = [...text.matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, expression = '']) => expression);
    const known: readonly (readonly [RegExp, (name: string) => boolean])[] = [
      [/\binputs\.([\w-]+)/g, (name) => inputs[name] !== undefined],
      [/\bsteps\.([\w-]+)/g, (name) => ids.has(name)],
      [/\b(\w+)\(/g, (name) => name === 'startsWith' || name === 'always'],
    ];
    const found = [...inside, condition].flatMap((expression) =>
      known.flatMap(([pattern, exists]) =>
        [...expression.matchAll(pattern)].filter(([, name = '']) => !exists(name)),
      ),
    );
    return found.map(([whole]) => whole);
  }

  test('the keys that its steps use are those that `status --cache-keys` prints', () => {
    const output = join(directory, 'output');
    const { code, output: printed } = run(scriptOf('keys'), { GITHUB_OUTPUT: output });
    expect(code, printed).toBe(0);
    const keys = variablesIn(readFileSync(output, 'utf8'));
    const used = [...JSON.stringify(steps).matchAll(/steps\.keys\.outputs\.(\w+)/g)];
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter(([, name = '']) => keys[name] === undefined).map(([whole]) => whole)).toEqual([]);
  });

  test.each([
    ['pause-forgets.trace', '3'],
    ['good.trace', '0'],
  ])('the verdict on %s is the exit code of the step, and an output', (trace, expected) => {
    copyFileSync(join(traces, trace), join(directory, 'a trace'));
    const [output, summary] = [join(directory, 'output'), join(directory, 'summary')];
    const { code, output: printed } = run(scriptOf('run'), {
      COMMAND: 'crosscheck',
      // Words of a shell.
      ARGUMENTS: "'a trace' --ci github",
      WORK: '/work-directory',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: directory,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
    });
    expect(String(code), printed).toBe(expected);
    expect(variablesIn(readFileSync(output, 'utf8'))).toEqual({
      'exit-code': expected,
      reports: '/work-directory/reports',
      complete: 'true',
    });
    expect(readFileSync(summary, 'utf8')).toContain(`stopwatch crosscheck: exit code ${expected}\n`);
  });

  test('an error of the settings is no verdict: builds are not kept', () => {
    const output = join(directory, 'output');
    const settings = { COMMAND: 'all', ARGUMENTS: '', WORK: '/w', STOPWATCH_VM_MEMORY_MIB: 'much' };
    expect(run(scriptOf('run'), { ...settings, GITHUB_OUTPUT: output }).code).toBe(2);
    expect(variablesIn(readFileSync(output, 'utf8'))).toEqual({ 'exit-code': '2', reports: '/w/reports' });
  });

  test('a failing install command fails its step', () => {
    const script = steps.find(({ env: own }) => own?.['INSTALL'] !== undefined)?.run ?? '';
    expect(run(script, { INSTALL: 'echo no; false' })).toEqual({ code: 1, output: 'no\n' });
  });
});

describe('templates/stopwatch.yml', () => {
  const job = z.strictObject({
    stage: z.string(),
    image: z.string(),
    needs: z.array(z.string()).optional(),
    variables: z.record(z.string(), z.string()),
    cache: z
      .array(
        z.strictObject({
          key: z.string(),
          fallback_keys: z.array(z.string()).optional(),
          policy: z.literal('$stopwatch_policy'),
          when: z.literal('always'),
          paths: z.array(z.string()),
        }),
      )
      .max(4, 'GitLab allows four caches for a job')
      .optional(),
    script: z.array(z.string()),
    artifacts: z.strictObject({
      when: z.literal('always').optional(),
      expire_in: z.string().optional(),
      paths: z.array(z.string()).optional(),
      reports: z.partialRecord(z.enum(['dotenv', 'junit', 'codequality']), z.string()),
    }),
  });
  const header = z.strictObject({
    spec: z.strictObject({
      inputs: z.record(z.string(), z.strictObject({ description: z.string(), default: z.string() })),
    }),
  });
  const text = readFileSync(join(checkout, 'templates/stopwatch.yml'), 'utf8');
  const [first, second] = parseAllDocuments(text);
  const { inputs } = header.parse(first?.toJS()).spec;

  /** The jobs with these inputs in place. */
  function jobsWith(given: Readonly<Record<string, string>>): Readonly<Record<string, z.infer<typeof job>>> {
    const filled = String(second).replaceAll(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_, name: string) => {
      const value = given[name] ?? inputs[name]?.default;
      if (value === undefined) throw new Error(`No such input: ${name}`);
      return value;
    });
    return z.record(z.string(), job).parse(parse(filled));
  }

  test('has two jobs, of which the second needs the first', () => {
    const jobs = jobsWith({ job: 'device', stage: 'build' });
    expect(Object.keys(jobs)).toEqual(['device:keys', 'device']);
    expect(jobs['device']?.needs).toEqual(['device:keys']);
    expect(Object.values(jobs).map(({ stage }) => stage)).toEqual(['build', 'build']);
  });

  /** What the first job computes. */
  function computed(
    command: string,
    words: string,
    own: Readonly<Record<string, string>> = {},
  ): Readonly<Record<string, string>> {
    const keysJob = jobsWith({ install: 'echo installed', command, arguments: words })['stopwatch:keys'];
    const { code, output } = run(keysJob?.script.join('\n') ?? '', { CI_PROJECT_DIR: directory, ...own });
    expect(code, output).toBe(0);
    return variablesIn(readFileSync(join(directory, keysJob?.artifacts.reports.dotenv ?? ''), 'utf8'));
  }

  test('all writes the caches, with keys of their own on protected branches; a merge request and other commands read them', () => {
    const all = computed('all', '--driver builtin');
    expect(all).toMatchObject({ stopwatch_policy: 'pull-push', stopwatch_branch: 'open' });
    expect(computed('all', '', { CI_COMMIT_REF_PROTECTED: 'true' })['stopwatch_branch']).toBe('protected');
    expect(computed('all', '', { CI_MERGE_REQUEST_IID: '7' })['stopwatch_policy']).toBe('pull');
    const fuzz = computed('fuzz', '--seconds 5');
    expect(fuzz['stopwatch_policy']).toBe('pull');
    expect(fuzz['stopwatch_arguments']).toBe(computed('all', '')['stopwatch_arguments']);
    expect(fuzz['stopwatch_arguments']).not.toBe(all['stopwatch_arguments']);
  });

  test('the first job computes the keys of the second; the verdict is the exit code', () => {
    copyFileSync(join(traces, 'pause-forgets.trace'), join(directory, 'trace'));
    const jobs = jobsWith({ install: 'echo installed', command: 'crosscheck', arguments: 'trace' });
    const keysJob = jobs['stopwatch:keys'];
    const own = { CI_PROJECT_DIR: directory, GITLAB_CI: 'true' };
    const { code, output } = run(keysJob?.script.join('\n') ?? '', own);
    expect(code, output).toBe(0);
    const keys = variablesIn(readFileSync(join(directory, keysJob?.artifacts.reports.dotenv ?? ''), 'utf8'));
    const { cache = [], script = [] } = jobs['stopwatch'] ?? {};
    const used = cache.flatMap(({ key, fallback_keys: others = [], policy }) =>
      [key, ...others, policy].flatMap((each) =>
        [...each.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name),
      ),
    );
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => keys[name] === undefined)).toEqual([]);
    // Not the one that installs packages of the host.
    const commands = script.filter((line) => !line.includes('doctor'));
    expect(commands).toHaveLength(script.length - 1);
    expect(run(commands.join('\n'), { ...own, ...keys }).code).toBe(3);
  });
});
