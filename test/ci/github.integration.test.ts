// SPDX-License-Identifier: MIT
/** action.yml, by GitHub's schema and by a runner that does what it says; with a whole build in test/e2e/ci.test.ts. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../tasks/config/paths.js';
import { environment } from '../e2e/project.js';
import { actionErrors } from '../support/ci/github-schema.js';
import { type GithubRun, linkedProject, runAction } from '../support/ci/github.js';
import { type Caches, cachesIn } from '../support/ci/store.js';

const checkout = packageRoot();
const file = join(checkout, 'action.yml');
const traces = join(checkout, 'test/fixtures/crosscheck');

describe('the schema that GitHub publishes', () => {
  const text = readFileSync(file, 'utf8');

  test('has nothing against it', () => {
    expect(actionErrors(text)).toEqual([]);
  });

  test.each([
    ['a command without a shell', '      shell: bash\n', ''],
    ['a step of another kind', '      run: eval "$INSTALL"', '      runs: eval "$INSTALL"'],
    ['a function that there is not', '${{ startsWith(', '${{ startWith('],
    ['a context that a step has not', '${{ inputs.install }}', '${{ secrets.install }}'],
  ])('would have something against %s', (_, was, is) => {
    expect(text).toContain(was);
    expect(actionErrors(text.replace(was, is))).not.toEqual([]);
  });

  test('every action is pinned to a release', () => {
    const uses = [...text.matchAll(/uses: (\S+)/g)].map(([, one]) => one);
    expect(uses.length).toBeGreaterThan(5);
    expect(uses.filter((one) => !/^actions\/[\w/-]+@v\d+$/.test(one ?? ''))).toEqual([]);
  });
});

describe('as a runner runs it', () => {
  let top: string;
  let workspace: string;
  let caches: Caches;
  let env: Record<string, string>;

  beforeEach(async () => {
    top = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-github-')));
    workspace = join(top, 'workspace');
    mkdirSync(join(workspace, 'sub'), { recursive: true });
    caches = cachesIn(join(top, 'caches'), workspace, false);
    env = { ...environment(top, join(top, 'home/.cache/ccache')), HOME: join(top, 'home') };
    delete env['XDG_CACHE_HOME'];
    // The package is not built anew from under the tests that run from it.
    writeFileSync(join(workspace, 'sub/.npmrc'), 'offline=true\nignore-scripts=true\naudit=false\n');
    await linkedProject(join(workspace, 'sub'), checkout, env);
  });
  afterEach(() => rmSync(top, { recursive: true, force: true }));

  function run(inputs: Readonly<Record<string, string>>): Promise<GithubRun> {
    return runAction({
      action: file,
      inputs: { 'node-version': process.versions.node, 'working-directory': 'sub', ...inputs },
      workspace,
      temp: join(top, 'temp'),
      caches,
      artifacts: join(top, 'artifacts'),
      env,
    });
  }

  const judge = { command: 'crosscheck', arguments: join(traces, 'pause-forgets.trace') };

  test('the verdict is the step’s; caches are kept under their keys, and restored the next time', async () => {
    const downloads = join(top, 'home/.cache/stopwatch/downloads');
    const compiled = join(top, 'home/.cache/ccache/a/b');
    mkdirSync(downloads, { recursive: true });
    writeFileSync(join(downloads, 'archive'), 'of a release');
    mkdirSync(compiled, { recursive: true });
    writeFileSync(join(compiled, 'object'), 'compiled');

    const first = await run(judge);
    expect(first.failed, first.log).toBe(true);
    expect(first.outputs).toEqual({
      'exit-code': '3',
      reports: join(workspace, 'sub/.stopwatch/reports'),
      'cache-hit': '',
    });
    expect(first.summary).toMatch(/^## ❌ stopwatch crosscheck: exit code 3\n[^]*expected .*\n.*actual /m);
    const { stopwatch_downloads_key: key, stopwatch_ccache_key: ccacheKey } = first.steps['keys'] ?? {};
    expect(new Set(caches.keys())).toEqual(new Set([ccacheKey, key]));

    rmSync(join(top, 'home'), { recursive: true });
    const second = await run({ ...judge, 'host-packages': 'false' });
    expect(second.outputs['exit-code']).toBe('3');
    expect(second.steps['keys']).toEqual(first.steps['keys']);
    expect(second.steps['downloads']).toMatchObject({ 'cache-hit': 'true', 'cache-matched-key': key });
    expect(readFileSync(join(downloads, 'archive'), 'utf8')).toBe('of a release');
    expect(readFileSync(join(compiled, 'object'), 'utf8')).toBe('compiled');

    // Another configuration: other builds, the same downloads; the compiler cache of before is better than none.
    rmSync(join(top, 'home'), { recursive: true });
    env['STOPWATCH_BUILD_VARIANT'] = 'sanitize';
    const third = await run({ ...judge, 'host-packages': 'false', install: '' });
    expect(third.steps['keys']?.['stopwatch_build_key']).not.toBe(
      first.steps['keys']?.['stopwatch_build_key'],
    );
    expect(third.steps['downloads']?.['cache-hit']).toBe('true');
    expect(third.steps['ccache']).toMatchObject({ 'cache-hit': 'false', 'cache-matched-key': ccacheKey });
    expect(existsSync(join(compiled, 'object'))).toBe(true);
  });

  test('arguments are words of a shell; without caches and artifact none are kept', async () => {
    writeFileSync(join(workspace, 'sub/a trace'), readFileSync(join(traces, 'good.trace')));
    const { outputs, failed, log } = await run({
      ...judge,
      arguments: "'a trace' --ci github",
      cache: 'false',
      artifact: '',
      'host-packages': 'false',
    });
    expect(failed, log).toBe(false);
    expect(outputs).toMatchObject({ 'exit-code': '0' });
    expect(caches.keys()).toEqual([]);
    expect(existsSync(join(top, 'artifacts'))).toBe(false);
  });

  test('what could not be installed ends it; nothing is kept', async () => {
    const { outputs, failed, log } = await run({ ...judge, install: 'echo no >&2; false' });
    expect(failed).toBe(true);
    expect(log).toBe('no\n');
    expect(outputs).toMatchObject({ 'exit-code': '' });
    expect(caches.keys()).toEqual([]);
  });
});
