// SPDX-License-Identifier: MIT
/**
 * A runner of GitHub's for one composite action: evaluates its expressions, runs its commands as they are written with
 * the shell they name, and plays the actions it uses. Sources: docs.github.com, "Metadata syntax", "Workflow commands"
 * and "Variables"; the READMEs of actions/cache, actions/upload-artifact and actions/setup-node.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { must, start } from '../../e2e/project.js';
import { condition, type Contexts, interpolated } from './expressions.js';
import { type Caches, emptyFile, keepFiles, matching, readVariables } from './store.js';

const stepSchema = z.strictObject({
  name: z.string().optional(),
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.boolean()])).default({}),
  run: z.string().optional(),
  shell: z.string().optional(),
  env: z.record(z.string(), z.string()).default({}),
  'working-directory': z.string().optional(),
});
const actionSchema = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string() })),
  outputs: z.record(z.string(), z.object({ value: z.string() })),
  runs: z.object({ using: z.literal('composite'), steps: z.array(stepSchema) }),
});
type Step = z.infer<typeof stepSchema>;

export interface GithubRun {
  /** What the job's log is made of. */
  readonly log: string;
  readonly summary: string;
  /** Of the action. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly steps: Contexts['steps'];
  readonly failed: boolean;
  /** Commands of the log: `::error file=…::…` and the like, where the log takes commands. */
  readonly commands: readonly string[];
}

export interface GithubRequest {
  readonly action: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly workspace: string;
  /** RUNNER_TEMP, made anew. */
  readonly temp: string;
  readonly caches: Caches;
  /** Where artifacts go, each in a directory of its name. */
  readonly artifacts: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function runAction(request: GithubRequest): Promise<GithubRun> {
  const { inputs: declared, outputs, runs } = actionSchema.parse(parse(readFileSync(request.action, 'utf8')));
  const unknown = Object.keys(request.inputs).filter((name) => declared[name] === undefined);
  if (unknown.length > 0) throw new Error(`No such inputs: ${unknown.join(', ')}`);
  const inputs = Object.fromEntries(
    Object.entries(declared).map(([name, { default: value }]) => [name, request.inputs[name] ?? value]),
  );
  const steps: Record<string, Readonly<Record<string, string>>> = {};
  let [log, summary, failed] = ['', '', false];
  rmSync(request.temp, { recursive: true, force: true });
  for (const [index, step] of runs.steps.entries()) {
    const contexts = { inputs, steps, failed };
    if (!condition(step.if, contexts)) continue;
    const place = join(request.temp, String(index));
    const files = { output: emptyFile(join(place, 'output')), summary: emptyFile(join(place, 'summary')) };
    if (step.uses === undefined) {
      const { code, said } = await runStep(step, contexts, request, files);
      log += said;
      failed ||= code !== 0;
    } else {
      use(step, contexts, request, files.output);
    }
    summary += readFileSync(files.summary, 'utf8');
    if (step.id !== undefined) steps[step.id] = readVariables(files.output);
  }
  const contexts = { inputs, steps, failed };
  return {
    log,
    summary,
    steps,
    failed,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, { value }]) => [name, interpolated(value, contexts)]),
    ),
    commands: commandsIn(log),
  };
}

/** The command lines behind the names of shells. */
const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: ['bash', '--noprofile', '--norc', '-eo', 'pipefail'],
  sh: ['sh', '-e'],
};

async function runStep(
  step: Step,
  contexts: Contexts,
  { workspace, temp, env }: GithubRequest,
  files: { readonly output: string; readonly summary: string },
): Promise<{ code: number; said: string }> {
  const [shell = '', ...options] = SHELLS[step.shell ?? ''] ?? [];
  if (shell === '') throw new Error(`${step.name}: a command of a composite action names its shell`);
  const script = join(temp, 'script.sh');
  writeFileSync(script, interpolated(step.run ?? '', contexts));
  const own = Object.entries(step.env).map(([name, value]) => [name, interpolated(value, contexts)]);
  const cwd = resolve(workspace, interpolated(step['working-directory'] ?? '.', contexts));
  const { code, out, err } = await start(shell, [...options, script], {
    cwd,
    env: {
      ...env,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_ENV: emptyFile(join(temp, 'env')),
      GITHUB_PATH: emptyFile(join(temp, 'path')),
      RUNNER_TEMP: temp,
      RUNNER_OS: 'Linux',
      ...Object.fromEntries(own),
    },
  }).ended;
  return { code: code ?? 1, said: out + err };
}

/** The actions that ours uses. */
function use(step: Step, contexts: Contexts, request: GithubRequest, output: string): void {
  const options = Object.fromEntries(
    Object.entries(step.with).map(([name, value]) => [name, interpolated(String(value), contexts)]),
  );
  const { caches, workspace } = request;
  const lines = (name: string) => (options[name] ?? '').split('\n').filter((line) => line !== '');
  const key = options['key'] ?? '';
  switch (step.uses ?? '') {
    case 'actions/setup-node@v6':
      // It is there already, or this test cannot go on as the runner would.
      if (options['node-version'] !== process.versions.node)
        throw new Error(`Expected node-version ${process.versions.node}, got ${options['node-version']}`);
      break;
    case 'actions/cache/restore@v5': {
      checkKey(key, lines('path'));
      const found = caches.restore(lines('path'), key, lines('restore-keys'));
      const hit = found === undefined ? '' : String(found === key);
      writeFileSync(output, `cache-primary-key=${key}\ncache-matched-key=${found ?? ''}\ncache-hit=${hit}\n`);
      break;
    }
    case 'actions/cache/save@v5':
      checkKey(key, lines('path'));
      caches.save(lines('path'), key);
      break;
    case 'actions/upload-artifact@v6': {
      const files = matching(lines('path'), workspace, options['include-hidden-files'] === 'true');
      if (files.length === 0 && options['if-no-files-found'] === 'error')
        throw new Error('No files were found');
      keepFiles(files, workspace, join(request.artifacts, options['name'] ?? 'artifact'));
      break;
    }
    default:
      throw new Error(`${step.uses}: expected one of the actions that are played here`);
  }
}

/** As actions/cache does. */
function checkKey(key: string, paths: readonly string[]): void {
  if (key === '' || key.length > 512 || key.includes(',')) throw new Error(`No key of a cache: '${key}'`);
  if (paths.length === 0) throw new Error(`The cache ${key} has no path`);
}

/** Lines that the runner takes for commands: not those between stop-commands and its token. */
function commandsIn(log: string): readonly string[] {
  const commands: string[] = [];
  let token: string | undefined;
  for (const line of log.split('\n')) {
    if (token !== undefined) {
      if (line.trim() === `::${token}::`) token = undefined;
      continue;
    }
    if (/^::[a-z-]+( .*)?::/.test(line)) commands.push(line);
    token = /^::stop-commands::(.+)/.exec(line)?.[1];
  }
  return commands;
}

function unescaped(text: string): string {
  return text
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%25', '%');
}

/** What the runner shows of an annotation: its properties and message, escapes undone. */
export function annotation(command: string): Readonly<Record<string, string>> {
  const [, kind = '', properties = '', message = ''] = /^::([a-z-]+) ?(.*?)::(.*)$/s.exec(command) ?? [];
  const named = properties.split(',').map((each) => each.split('='));
  return {
    ...Object.fromEntries(named.map(([name = '', value = '']) => [name, unescaped(value)])),
    kind,
    message: unescaped(message),
  };
}

/** A project whose `npm ci` installs this checkout, without a registry. */
export async function linkedProject(
  directory: string,
  checkout: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const dependencies = { stopwatch: `file:${checkout}` };
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ name: 'project', version: '1.0.0', private: true, dependencies }),
  );
  const args = ['install', '--package-lock-only', '--offline', '--ignore-scripts'];
  await must('npm', args, { cwd: directory, env });
}
