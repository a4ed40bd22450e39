// SPDX-License-Identifier: MIT
/** Finds the package itself, the user's project, and the work directory. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, parse, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StopwatchError } from '../../lib/errors.js';
import { areTrusted, assertTrusted } from './ownership.js';
import type { SourceName } from './schema.js';
import { ENVIRONMENT_PREFIX, PRODUCT, WORK_DIRECTORY } from '../../lib/product.js';
import { realOf } from './work-directory.js';

/** Name of the environment variable that names the work directory. */
export const WORKDIR_VARIABLE = `${ENVIRONMENT_PREFIX}WORKDIR`;

/** Absolute directories. */
export type Paths = Readonly<ReturnType<typeof findPaths>> & {
  /** Sources of which another release than the project's own is built, beside it: by `matrix`. */
  readonly beside?: readonly SourceName[] | undefined;
};

/** Versions, mirrors and checksums, as `bump` writes them: a part of the configuration, as JSON. */
export const SOURCES_FILE = 'sources.json';

/** Names a configuration file may have, in the order in which they are looked for. */
export const CONFIG_FILES = ['ts', 'mts', 'js', 'mjs', 'json'].map((ending) => `${PRODUCT}.config.${ending}`);

/** The directory and all above it, nearest first. */
function* upwards(directory: string): Generator<string> {
  let here = resolve(directory);
  const top = parse(here).root;
  for (;;) {
    yield here;
    if (here === top) return;
    here = dirname(here);
  }
}

interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly dependencies?: object;
  readonly devDependencies?: object;
  readonly optionalDependencies?: object;
}

/** The package.json in a directory; undefined if it is missing or not JSON, which npm reports. */
function packageJson(directory: string): PackageJson | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Configuration files in a directory, as names. */
export function configFilesIn(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return CONFIG_FILES.filter((name) => names.includes(name));
}

/**
 * The nearest directory, from `cwd` upwards, with a stopwatch.config.* or a package.json that is stopwatch's or depends on
 * it; else `cwd`. The search ends before the first directory above it that belongs to somebody else, or whose file does.
 */
export function projectRoot(cwd: string): string {
  const start = resolve(cwd);
  for (const directory of upwards(start)) {
    const above = directory !== start;
    if (above && !areTrusted([directory])) break;
    const files = projectFilesIn(directory);
    if (files.length === 0) continue;
    // The user has chosen this directory, so say why it is not used.
    if (!above) assertTrusted(directory, ...files);
    return areTrusted(files) ? directory : start;
  }
  return start;
}

/** The files that make a directory a project. */
function projectFilesIn(directory: string): readonly string[] {
  const configs = configFilesIn(directory);
  if (configs.length > 0) return configs.map((name) => join(directory, name));
  const json = packageJson(directory);
  const needs = { ...json?.dependencies, ...json?.devDependencies, ...json?.optionalDependencies };
  return json?.name === PRODUCT || PRODUCT in needs ? [join(directory, 'package.json')] : [];
}

let ownRoot: string | undefined;

/** The directory of stopwatch's own package.json, found from where this code runs (dist/ or the sources). */
export function packageRoot(): string {
  if (ownRoot !== undefined) return ownRoot;
  const from = dirname(fileURLToPath(import.meta.url));
  for (const directory of upwards(from)) {
    if (packageJson(directory)?.name === PRODUCT) {
      ownRoot = directory;
      return directory;
    }
  }
  throw new StopwatchError('internal', `No package.json of stopwatch above ${from}`, {
    hint: 'The installation is incomplete: install the package again.',
  });
}

/** All directories. `workdir` is the flag's value, or the variable's, or undefined; a relative one is below `cwd`. */
export function findPaths(cwd: string, workdir: string | undefined) {
  const project = projectRoot(cwd);
  const work = workdir === undefined ? join(project, WORK_DIRECTORY) : resolve(cwd, workdir);
  const own = packageRoot();
  return {
    /** Of this tool: the checkout, or node_modules/stopwatch. */
    package: own,
    /** The user's project: where stopwatch.config.ts is, or would be. */
    project,
    /** All generated state; `.stopwatch` in the project, or --workdir. */
    work,
    /** Source trees that were extracted. */
    src: join(work, 'src'),
    build: join(work, 'build'),
    /** What a boot is made of. */
    vm: join(work, 'vm'),
    logs: join(work, 'logs'),
    /** One directory per run. */
    reports: join(work, 'reports'),
  };
}

/** True if the project is the package itself, a checkout, even through a link. */
export function isPackageItself({ project, package: own }: Pick<Paths, 'project' | 'package'>): boolean {
  return project === own || realOf(project) === own;
}

/** Version of this package. */
export function packageVersion(): string {
  return String(packageJson(packageRoot())?.version);
}

/** True if the code runs from a checkout (whose sources may be edited), not from an installed package. */
export function isCheckout(): boolean {
  return existsSync(join(packageRoot(), 'tsconfig.json'));
}
