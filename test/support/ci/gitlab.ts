// SPDX-License-Identifier: MIT
/**
 * A runner of GitLab's for the jobs of a pipeline: gitlab-ci-local checks the file against GitLab's own schema and
 * evaluates its inputs and includes; here the jobs' scripts are run as they are written, their caches and artifacts kept.
 * Sources: docs.gitlab.com, "CI/CD YAML syntax reference", "Caching", "Predefined variables".
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { must, start } from '../../e2e/project.js';
import { type Caches, keepFiles, matching, readVariables } from './store.js';

const list = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const when = z.enum(['on_success', 'on_failure', 'always']).default('on_success');
const cacheSchema = z.object({
  key: z.string(),
  fallback_keys: z.array(z.string()).default([]),
  paths: z.array(z.string()),
  when,
});
const jobSchema = z.object({
  stage: z.string(),
  image: z.object({ name: z.string() }),
  needs: z.array(z.object({ job: z.string() })).default([]),
  variables: z.record(z.string(), z.string()).default({}),
  cache: z.array(cacheSchema).default([]),
  script: list,
  artifacts: z.object({
    when,
    paths: z.array(z.string()).default([]),
    reports: z
      .object({
        dotenv: list.optional(),
        junit: list.optional(),
        codequality: list.optional(),
      })
      .default({}),
  }),
});
type Job = z.infer<typeof jobSchema>;

/** Keys of a pipeline that are no jobs. */
const GLOBAL = new Set(['stages', 'include', 'default', 'variables', 'workflow']);
/** What gitlab-ci-local needs of Node 22 that Node 20 has not. */
const NODE_22 = 'Set.prototype.union ??= function (other) { return new Set([...this, ...other]); };';

/** The pipeline of a git repository with its inputs in place. Throws what GitLab's schema has against it. */
export async function pipeline(
  repository: string,
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, Job>> {
  const program = fileURLToPath(import.meta.resolve('gitlab-ci-local'));
  const text = await must(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(NODE_22)}`, program, '--preview'],
    {
      cwd: repository,
      env,
    },
  );
  rmSync(join(repository, '.gitlab-ci-local'), { recursive: true, force: true });
  const entries = Object.entries(z.record(z.string(), z.unknown()).parse(parse(text)));
  const jobs = entries.filter(([name]) => !GLOBAL.has(name));
  return new Map(jobs.map(([name, job]) => [name, jobSchema.parse(job)]));
}

/** Makes a directory the repository of a pipeline that includes the component. */
export async function componentProject(
  directory: string,
  template: string,
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  mkdirSync(join(directory, 'templates'), { recursive: true });
  cpSync(template, join(directory, 'templates/stopwatch.yml'));
  const include = { include: [{ local: 'templates/stopwatch.yml', inputs }] };
  writeFileSync(join(directory, '.gitlab-ci.yml'), stringify(include));
  const git = async (...args: readonly string[]) =>
    must('git', ['-c', 'user.name=test', '-c', 'user.email=test@invalid', ...args], { cwd: directory, env });
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', 'https://gitlab.invalid/group/project.git');
  await git('add', '.gitlab-ci.yml', 'templates');
  await git('commit', '--quiet', '--message=component');
}

export interface JobRun {
  readonly code: number;
  readonly log: string;
  /** Key under which each cache was found; undefined: it was not. */
  readonly restored: readonly (string | undefined)[];
  /** Files of the reports, absolute. */
  readonly reports: Readonly<Record<'dotenv' | 'junit' | 'codequality', readonly string[]>>;
}

export interface PipelineRequest {
  /** CI_PROJECT_DIR. */
  readonly directory: string;
  readonly caches: Caches;
  /** Where artifacts go, those of each job in a directory of its name. */
  readonly artifacts: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs the jobs, each after those it needs; not those whose needs failed. */
export async function runPipeline(
  jobs: ReadonlyMap<string, Job>,
  request: PipelineRequest,
): Promise<ReadonlyMap<string, JobRun>> {
  const done = new Map<string, JobRun>();
  const waiting = new Set(jobs.keys());
  while (waiting.size > 0) {
    const ready = [...waiting].find((name) => jobs.get(name)?.needs.every(({ job }) => !waiting.has(job)));
    const job = ready === undefined ? undefined : jobs.get(ready);
    if (ready === undefined || job === undefined)
      throw new Error(`Needs nobody meets: ${[...waiting].join()}`);
    waiting.delete(ready);
    const needed = job.needs.map((need) => done.get(need.job));
    if (needed.some((run) => run?.code !== 0)) continue;
    const inherited = needed.flatMap((run) => run?.reports.dotenv ?? []).map(readVariables);
    done.set(ready, await runJob(ready, job, Object.assign({}, ...inherited), request));
  }
  return done;
}

async function runJob(
  name: string,
  job: Job,
  inherited: Readonly<Record<string, string>>,
  { directory, caches, artifacts, env }: PipelineRequest,
): Promise<JobRun> {
  const predefined = {
    CI: 'true',
    GITLAB_CI: 'true',
    CI_PROJECT_DIR: directory,
    CI_JOB_NAME: name,
    CI_JOB_STAGE: job.stage,
    CI_COMMIT_REF_NAME: 'main',
  };
  const known = { ...predefined, ...inherited };
  const own = Object.entries(job.variables).map(([key, value]) => [key, expanded(value, known)]);
  const variables: Record<string, string> = { ...known, ...Object.fromEntries(own) };
  const kept = job.cache.map((cache) => ({ ...cache, key: keyOf(cache.key, variables) }));
  const restored = kept.map(({ paths, key, fallback_keys: others }) =>
    [key, ...others].reduce<string | undefined>(
      (found, one) => found ?? caches.restore(paths, one, []),
      undefined,
    ),
  );
  // Bash reads the whole script from its standard input, as it does for the shell and the docker executor.
  const input = ['set -eo pipefail', 'set +o noclobber', ...job.script, ''].join('\n');
  const ended = await start('bash', [], { cwd: directory, env: { ...env, ...variables }, input }).ended;
  const code = ended.code ?? 1;
  const applies = (rule: z.infer<typeof when>) =>
    rule === 'always' || (rule === 'on_success') === (code === 0);
  for (const { paths, key, when: rule } of kept) if (applies(rule)) caches.save(paths, key);
  const found = (patterns: readonly string[] = []) => matching(patterns, directory, true);
  const keep = applies(job.artifacts.when);
  const { dotenv, junit, codequality } = keep ? job.artifacts.reports : {};
  if (keep) keepFiles(found(job.artifacts.paths), directory, join(artifacts, name));
  return {
    code,
    log: ended.out + ended.err,
    restored,
    reports: { dotenv: found(dotenv), junit: found(junit), codequality: found(codequality) },
  };
}

/** `$NAME` and `${NAME}`, as the runner expands them; what is not set is nothing. */
function expanded(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:(\w+)|\{(\w+)\})/g, (_, bare?: string, braced?: string) => {
    return variables[bare ?? braced ?? ''] ?? '';
  });
}

/** GitLab refuses keys with a slash, and those that are only dots. */
function keyOf(text: string, variables: Readonly<Record<string, string>>): string {
  const key = expanded(text, variables);
  if (key === '' || key.includes('/') || /^\.+$/.test(key))
    throw new Error(`No key of a cache: '${key}' (${text})`);
  return key;
}

/** A section of a job's log, as GitLab folds it away. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly collapsed: boolean;
  readonly lines: readonly string[];
}

/** The sections of a log. Throws for one that is not ended, or ends before it begins. */
export function sections(log: string): readonly Section[] {
  // oxlint-disable-next-line no-control-regex -- sections are made of them
  const begin = /^\x1b\[0Ksection_start:(\d+):([\w.-]+)(\[collapsed=true\])?\r\x1b\[0K(.*)$/;
  // oxlint-disable-next-line no-control-regex -- likewise
  const end = /^\x1b\[0Ksection_end:(\d+):([\w.-]+)\r\x1b\[0K$/;
  const found: Section[] = [];
  let open: (Section & { readonly lines: string[]; readonly at: number }) | undefined;
  for (const line of log.split('\n')) {
    const [, from = '', name = '', collapsed, title = ''] = begin.exec(line) ?? [];
    const [, to = '', ended] = end.exec(line) ?? [];
    if (name !== '') {
      if (open !== undefined) throw new Error(`The section ${open.name} is not ended before ${name}`);
      open = { name, title, collapsed: collapsed !== undefined, lines: [], at: Number(from) };
    } else if (ended !== undefined) {
      if (open?.name !== ended || Number(to) < open.at) throw new Error(`No section ${ended} to be ended`);
      const { at: _, ...section } = open;
      found.push(section);
      open = undefined;
    } else {
      open?.lines.push(line);
    }
  }
  if (open !== undefined) throw new Error(`The section ${open.name} is not ended`);
  return found;
}
