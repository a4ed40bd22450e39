// SPDX-License-Identifier: MIT
/**
 * What all end-to-end tests share: the package, packed and installed in an
 * empty directory, and everything built there once, from nothing. That build
 * is a test itself: it is killed in every task. What happened is told in the
 * story, and judged by cold-build.test.ts.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { killedInEveryTask, type Story } from './kills.js';
import { environment, must, type Project, projectIn } from './project.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** By global-setup.ts. */
    laboratory: string;
  }
}

/** The checkout that is tested. */
export const CHECKOUT = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));

export interface Laboratory {
  readonly directory: string;
  readonly project: Project;
  readonly story: Story;
  /** Of the first build. */
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly sources: Readonly<Record<string, { readonly version: string; readonly sha256: string }>>;
  readonly tools: Readonly<Record<string, string>>;
  /** Path below the work directory to sha256. */
  readonly artifacts: Readonly<Record<string, string>>;
}

export function readManifest(file: string): Manifest {
  const manifest: Manifest = JSON.parse(readFileSync(file, 'utf8'));
  return manifest;
}

function readStory(file: string): Story {
  const story: Story = JSON.parse(readFileSync(file, 'utf8'));
  return story;
}

/** What one may read of progress that takes minutes. */
export function say(text: string): void {
  process.stderr.write(`  e2e: ${text}\n`);
}

/** Sets it up if no test has done so yet. Throws what went wrong then, for every test alike. */
export async function laboratory(): Promise<Laboratory> {
  const directory = inject('laboratory');
  const home = join(directory, 'project');
  const project = projectIn(home, environment(join(directory, 'tmp'), join(directory, 'ccache')));
  const storyFile = join(directory, 'story.json');
  const manifestFile = join(directory, 'manifest.json');
  if (existsSync(join(directory, 'failed'))) throw new Error(readFileSync(join(directory, 'failed'), 'utf8'));
  if (!existsSync(storyFile)) {
    try {
      await install(directory, project);
      const story = await killedInEveryTask(project, say);
      if (story.code !== 0)
        throw new Error(`all ended with exit code ${story.code}\n${story.out}\n${story.err}`);
      cpSync(join(project.work, 'vm', 'manifest.json'), manifestFile);
      writeFileSync(storyFile, JSON.stringify(story, null, 2));
    } catch (error) {
      if (process.env['E2E_DIR'] === undefined) writeFileSync(join(directory, 'failed'), String(error));
      throw error;
    }
  } else if (process.env['E2E_DIR'] !== undefined) {
    await pack(directory, project);
    refresh(project);
  }
  return {
    directory,
    project,
    story: readStory(storyFile),
    manifest: readManifest(manifestFile),
  };
}

/** Packs the checkout and installs the tarball in the project's directory. */
export async function install(directory: string, { directory: home, env }: Project): Promise<void> {
  say(`packing, and installing in ${home}`);
  mkdirSync(home, { recursive: true });
  await pack(directory, { env });
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(directory, tarball)];
  await must('npm', args, { cwd: home, env });
}

async function pack(directory: string, { env }: Pick<Project, 'env'>): Promise<void> {
  // prepare would build dist/ anew, from under the tests that run from it.
  await must('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: CHECKOUT, env });
}

/** The installed package as the checkout is now: without what an aborted test left in it. */
function refresh({ package: installed }: Project): void {
  for (const room of ['dist', 'device', 'driver', 'guest_fs', 'patches', 'vm', 'examples']) {
    cpSync(join(CHECKOUT, room), join(installed, room), {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => ['dist', 'device'].includes(room) || !path.endsWith('.ts'),
    });
  }
}
