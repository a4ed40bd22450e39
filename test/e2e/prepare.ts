// SPDX-License-Identifier: MIT
/** Prepares the laboratory: installs the package in an empty project and builds everything there. */
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { taskFileName } from '../../tasks/engine/state.js';
import { killedBuild } from './kills.js';
import { environment, must, type Project, projectIn } from './project.js';

/** The checkout that is tested. */
export const CHECKOUT = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));

/** Points at which the first build is killed. `npm run test:full` kills it in every task. */
const KILLED_IN = ['linux:tree', 'qemu:build', 'linux:build', 'vm:test'];

/** Where a laboratory keeps what. */
export function filesOf(directory: string): {
  readonly project: Project;
  readonly scratch: string;
  readonly firstBuild: string;
  /** Why it could not be prepared. */
  readonly failure: string;
} {
  const env = environment(join(directory, 'tmp'), join(directory, 'ccache'));
  return {
    project: projectIn(join(directory, 'project'), env),
    scratch: join(directory, 'scratch'),
    firstBuild: join(directory, 'first-build.json'),
    failure: join(directory, 'failure.txt'),
  };
}

/** Shows progress of what takes minutes. */
export function progress(text: string): void {
  process.stderr.write(`  e2e: ${text}\n`);
}

export async function prepare(directory: string, builds: boolean): Promise<void> {
  const { project, firstBuild } = filesOf(directory);
  const started = performance.now();
  await install(directory, project);
  if (!builds || existsSync(firstBuild)) return;
  progress(`building everything in ${project.directory}`);
  const build = await killedBuild(project, KILLED_IN, progress);
  if (build.code !== 0) throw new Error(`all: exit code ${build.code}\n${build.out}\n${build.err}`);
  writeFileSync(firstBuild, JSON.stringify(build, null, 2));
  progress(`ready after ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** Packs the checkout and installs the tarball: also where it is installed already, as an aborted test may have left edits. */
export async function install(
  directory: string,
  { directory: home, package: installed, work, env }: Project,
): Promise<void> {
  progress(`installing in ${home}`);
  // --ignore-scripts: `prepare` would build dist/ again while tests run from it.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const [packed]: { filename: string }[] = JSON.parse(await must('npm', pack, { cwd: CHECKOUT, env }));
  mkdirSync(home, { recursive: true });
  if (!existsSync(join(home, 'package.json')))
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  rmSync(installed, { recursive: true, force: true });
  // It has put a link to compile_commands.json into the package.
  rmSync(join(work, 'state', 'tasks', `${taskFileName('editor:commands')}.json`), { force: true });
  const tarball = join(directory, packed?.filename ?? '');
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball];
  await must('npm', args, { cwd: home, env });
}
