// SPDX-License-Identifier: MIT
/** The GitLab component, by GitLab's schema and by a runner that does what it says; with a whole build in test/e2e/ci.test.ts. */
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
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../tasks/config/paths.js';
import { environment } from '../e2e/project.js';
import { linkedProject } from '../support/ci/github.js';
import { componentProject, pipeline, runPipeline } from '../support/ci/gitlab.js';
import { cachesIn } from '../support/ci/store.js';

const checkout = packageRoot();
const template = join(checkout, 'templates/stopwatch.yml');
const traces = join(checkout, 'test/fixtures/crosscheck');
let top: string;
let directory: string;
let env: Record<string, string>;

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-gitlab-')));
  directory = join(top, 'project');
  mkdirSync(directory);
  env = { ...environment(top, ''), HOME: join(top, 'home') };
  for (const name of ['CCACHE_DIR', 'XDG_CACHE_HOME']) delete env[name];
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

test('GitLab’s schema has nothing against it, with its defaults and with inputs', async () => {
  await componentProject(directory, template, {}, env);
  expect([...(await pipeline(directory, env)).keys()]).toEqual(['stopwatch:keys', 'stopwatch']);
  rmSync(directory, { recursive: true });
  await componentProject(directory, template, { job: 'device', stage: 'build' }, env);
  const jobs = await pipeline(directory, env);
  expect([...jobs.keys()]).toEqual(['device:keys', 'device']);
  expect([...jobs.values()].map(({ stage }) => stage)).toEqual(['build', 'build']);
});

test.each([
  ['a keyword that there is not', '  script:\n', '  skript:\n', /must have script/],
  ['a report that there is not', 'junit: ', 'junits: ', /junits/],
  ['a rule that there is not', 'when: always\n      paths', 'when: sometimes\n      paths', /when is not/],
])('GitLab’s schema would have something against %s', async (_, was, is, why) => {
  const text = readFileSync(template, 'utf8');
  expect(text).toContain(was);
  const other = join(top, 'template.yml');
  writeFileSync(other, text.replace(was, is));
  await componentProject(directory, other, {}, env);
  await expect(pipeline(directory, env)).rejects.toThrow(why);
});

test('keys of one job are the caches of the next; the verdict is the job’s; the second run restores', async () => {
  writeFileSync(join(top, 'trace'), readFileSync(join(traces, 'pause-forgets.trace')));
  const inputs = { command: 'crosscheck', arguments: '../trace' };
  await componentProject(directory, template, inputs, env);
  // The package is not built anew from under the tests that run from it.
  writeFileSync(join(directory, '.npmrc'), 'offline=true\nignore-scripts=true\naudit=false\n');
  await linkedProject(directory, checkout, env);
  const caches = cachesIn(join(top, 'caches'), directory, true);
  const jobs = await pipeline(directory, env);
  const run = async () => {
    mkdirSync(join(directory, '.cache/ccache'), { recursive: true });
    const done = await runPipeline(jobs, { directory, caches, artifacts: join(top, 'artifacts'), env });
    const job = done.get('stopwatch');
    if (job === undefined) throw new Error(done.get('stopwatch:keys')?.log);
    return job;
  };
  const first = await run();
  expect(first.code, first.log).toBe(3);
  expect(first.restored).toEqual([undefined, undefined, undefined]);
  const [key = ''] = caches.keys();
  expect(key).toMatch(/^stopwatch-1-ccache-linux-\w+-all$/);

  writeFileSync(join(directory, '.cache/ccache/object'), 'compiled');
  expect((await run()).restored).toEqual([undefined, key, undefined]);
  rmSync(join(directory, '.cache'), { recursive: true });
  // What the second run had is what the third gets.
  await run();
  expect(existsSync(join(directory, '.cache/ccache/object'))).toBe(true);
});
