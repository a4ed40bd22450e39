// SPDX-License-Identifier: MIT
/** `docker-all` and `docker`: a command in a container, on the project as it is here. */
import { readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect } from '../../../docker/connection.js';
import { type RunStreams, runInContainer } from '../../../docker/container.js';
import { type Credentials, credentialsFor } from '../../../docker/credentials.js';
import { openEngine } from '../../../docker/dockerode.js';
import type { Engine } from '../../../docker/engine.js';
import { ensureImage } from '../../../docker/image.js';
import { removeLeftovers, thisOwner } from '../../../docker/owner.js';
import type { Result, Services } from '../../config/services.js';
import { errnoOf } from '../../../lib/errno.js';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import { baseEnvironment } from '../../../lib/environment.js';
import { extraCertificates, isBelow, makePlaces, thisUser, withTargets } from './docker-places.js';
import {
  containerEnvironment,
  type HandedOn,
  innerArguments,
  ownTrees,
  programDirectories,
} from './docker-plan.js';

export interface DockerOptions {
  /** 'default', 'bootstrap', or the reference of an image. */
  readonly base: string;
  readonly rebuild: boolean;
  readonly network: string | undefined;
}

/** The row of lines that the image's making prints. */
const TASK = 'docker:image';

export async function dockerAll(
  services: Services,
  { handedOn, ...options }: DockerOptions & { readonly handedOn: HandedOn },
): Promise<Result> {
  const { config } = services.loaded;
  if (config.vm.accelerator === 'kvm')
    throw new StopwatchError(
      'bad-usage',
      'vm.accelerator is kvm, but the container has no devices of the host',
      { hint: 'use `npx stopwatch all`, or leave the accelerator to auto' },
    );
  const code = await inContainer(
    services,
    options,
    ['stopwatch', ...innerArguments(handedOn, config)],
    false,
  );
  const exitCode = Object.values(EXIT).find((known) => known === code);
  if (exitCode !== undefined) return { exitCode, passedThrough: code };
  throw new StopwatchError(
    'docker-failed',
    code === 137
      ? '`stopwatch all` was killed inside the container (exit code 137)'
      : `\`stopwatch all\` ended inside the container with exit code ${code}, which it never does by itself`,
    {
      hint:
        code === 137
          ? 'usually its memory was at an end, or somebody ran `docker stop`: try fewer --jobs, and run it again'
          : 'run it again; `npx stopwatch docker` gives a shell to look around',
    },
  );
}

export async function docker(
  services: Services,
  { command, ...options }: DockerOptions & { readonly command: readonly string[] },
): Promise<Result> {
  const shell = command.length === 0;
  if (shell && !services.interactive)
    throw new StopwatchError('bad-usage', 'A shell in the container needs a terminal, and here is none', {
      hint: 'give the command that is to be run: npx stopwatch docker -- stopwatch status',
    });
  const code = await inContainer(services, options, shell ? ['bash'] : command, services.interactive);
  return { exitCode: EXIT.passed, passedThrough: code };
}

/** Gives the command's exit code. */
async function inContainer(
  services: Services,
  options: DockerOptions,
  command: readonly string[],
  typing: boolean,
): Promise<number> {
  const { loaded, environment, signal, emit } = services;
  const { package: own, project } = loaded.paths;
  const certificates = await extraCertificates(environment);
  const engine = await connect(surroundings(environment), openEngine, signal);
  const image = await makeImage(services, engine, options, join(own, 'docker', 'Dockerfile'));

  const places = await makePlaces(services);
  const left = await removeLeftovers(engine, places.work);
  if (left.length > 0)
    emit({
      type: 'notice',
      task: undefined,
      text: `Removed ${left.length === 1 ? 'a container' : `${left.length} containers`} that a killed run had left`,
    });
  const program = programDirectories(own);
  const trees = ownTrees(loaded.config).map(([, tree]) => tree);
  const summary = environment['GITHUB_STEP_SUMMARY'];
  const directories = await withTargets([
    project,
    places.work,
    places.downloads,
    places.ccache,
    ...trees,
    ...(summary ? [dirname(summary)] : []),
  ]);
  await services.release();
  return runInContainer(
    engine,
    {
      image,
      command,
      directory: process.cwd(),
      directories,
      readOnly: (await withTargets(program)).filter((path) => !isBelow(path, directories)),
      env: containerEnvironment(environment, places),
      user: thisUser(),
      ...(certificates === undefined ? {} : { certificates }),
      ...(options.network === undefined ? {} : { network: options.network }),
      work: places.work,
      owner: thisOwner(),
      main: join(own, 'dist', 'stopwatch.js'),
    },
    streams(services, typing),
    signal,
  );
}

async function makeImage(
  services: Services,
  engine: Engine,
  { base, rebuild }: DockerOptions,
  file: string,
): Promise<string> {
  const { environment, signal, emit } = services;
  const ready = await ensureImage(
    {
      engine,
      processes: await services.processes(),
      env: baseEnvironment(environment),
      userEnv: environment,
      credentials: async (reference) => credentials(services, reference),
      signal,
      onLine: (line) => emit({ type: 'task-line', task: TASK, line }),
    },
    {
      dockerfile: await readFile(file, 'utf8'),
      base,
      rebuild,
      scratch: join(tmpdir(), `stopwatch-docker-${process.getuid?.() ?? 0}`),
    },
  );
  if (ready.built)
    emit({
      type: 'notice',
      task: TASK,
      text: `Built the image ${ready.tag} (${Math.round(ready.image.sizeBytes / 1e6)} MB)`,
    });
  for (const { tag, sizeBytes } of ready.removed)
    emit({
      type: 'notice',
      task: TASK,
      text: `Removed ${tag} (${Math.round(sizeBytes / 1e6)} MB), an image of older inputs`,
    });
  return ready.tag;
}

/** What Docker's own client would send to the registry of an image. */
async function credentials(services: Services, reference: string): Promise<Credentials | undefined> {
  const { environment, signal } = services;
  const processes = await services.processes();
  return credentialsFor(surroundings(environment), reference, async (file, args, input) => {
    // A helper may need all of the user's environment: a session bus, a GnuPG home.
    const command = { file, args, env: environment };
    try {
      return await processes.run(command, { signal, input, capture: true });
    } catch (cause) {
      if (!(cause instanceof StopwatchError) || cause.code !== 'command-not-found') throw cause;
      return { exitCode: undefined, stdout: '' };
    }
  });
}

function surroundings(environment: Services['environment']): Parameters<typeof connect>[0] {
  return {
    env: environment,
    home: environment['HOME'] || homedir(),
    readFile: async (path) => {
      try {
        return await readFile(path, 'utf8');
      } catch (cause) {
        const { code = '', message } = errnoOf(cause);
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        throw new StopwatchError('file-unreadable', `${path} cannot be read: ${message}`, {
          hint: 'give yourself the right to read it, or name the daemon in DOCKER_HOST',
          cause,
        });
      }
    },
  };
}

/** A terminal at both ends, where there is one here; with --json the two streams stay apart. */
function streams({ json }: Services, typing: boolean): RunStreams {
  const { stdin, stdout, stderr } = process;
  if (!stdout.isTTY || !stderr.isTTY || json) return { stdout, stderr };
  return {
    stdout,
    stderr,
    terminal: {
      ...(typing ? { input: stdin } : {}),
      size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
      onResize: (callback) => {
        stdout.on('resize', callback);
        return () => stdout.off('resize', callback);
      },
    },
  };
}
