// SPDX-License-Identifier: MIT
/** The configuration in force: defaults, then the project's sources.json, its configuration file, the environment, the flags. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import type { Environment, Given } from './environment.js';
import { isPlainObject, lay, nest, type Layered, type Provenance } from './layers.js';
import { assertTrusted } from './ownership.js';
import { isVariant, type Variant, VARIANT_SETTINGS } from './variants.js';
import { configFilesIn, findPaths, SOURCES_FILE, WORKDIR_VARIABLE, type Paths } from './paths.js';
import type { Config } from './schema.js';
import { checkWorkDirectory } from './work-directory.js';
import { ENVIRONMENT_PREFIX } from '../../lib/product.js';

export type { Environment, Given } from './environment.js';
export type { Provenance } from './layers.js';
export type { Paths } from './paths.js';

interface LoadRequest {
  /** The package's config.ts. */
  readonly defaults: Config;
  readonly cwd: string;
  readonly environment: Environment;
  /** Settings from flags, later ones over earlier ones. */
  readonly flags: readonly Given[];
  /** --workdir. */
  readonly workdir?: string | undefined;
}

export interface Loaded {
  readonly config: Config;
  /** Where every setting came from. */
  readonly provenance: Provenance;
  readonly paths: Paths;
  /** The user's own configuration file, if there is one. */
  readonly file: string | undefined;
  /** Problems that are no errors. */
  readonly warnings: readonly string[];
}

/** Settings that are paths: relative to the file that gives them, else to the current directory. */
const PATH_SETTINGS = [
  'sources.qemu.tree',
  'sources.linux.tree',
  'sources.busybox.tree',
  'downloads.directory',
];

/**
 * Reads and checks everything that says how to run. Throws StopwatchError
 * 'bad-config' naming every bad setting, where it came from, what was expected
 * and what was got.
 */
export async function loadConfig(request: LoadRequest): Promise<Loaded> {
  const { defaults, cwd, environment, flags } = request;
  const paths = findPaths(cwd, request.workdir ?? (environment[WORKDIR_VARIABLE] || undefined));
  // It holds programs: those that were built.
  assertTrusted(paths.work);
  checkWorkDirectory(paths);
  const warnings: string[] = [];
  const layers: { readonly values: Readonly<Record<string, unknown>>; readonly origin: string }[] = [];
  let changed = flags.length > 0;

  // What needs zod or jiti is loaded only if there is something to read: starting is on every run's path.
  const sources = join(paths.project, SOURCES_FILE);
  // That of the package is part of the defaults.
  if (paths.project !== paths.package && existsSync(sources)) {
    const { readConfigFile } = await import('./file.js');
    const values = await readConfigFile(sources, paths);
    layers.push({ values: absolute(values, paths.project), origin: sources });
    changed = true;
  }
  let file: string | undefined;
  if (configFilesIn(paths.project).length > 0) {
    const { findConfigFile, readConfigFile } = await import('./file.js');
    file = findConfigFile(paths.project);
    if (file !== undefined) {
      const values = await readConfigFile(file, paths);
      layers.push({ values: absolute(values, dirname(file)), origin: file });
      changed = true;
    }
  }

  if (hasSettings(environment)) {
    const { readEnvironment } = await import('./environment.js');
    const read = readEnvironment(environment);
    warnings.push(...read.warnings);
    layers.push(...read.given.map((given) => layerOf(given, cwd)));
    changed ||= read.given.length > 0;
  }
  layers.push(...flags.map((given) => layerOf(given, cwd)));

  let layered = lay({ values: {}, provenance: {} }, defaults, 'default');
  const variant = variantIn(layers.map(({ values }) => values));
  if (variant !== undefined)
    layered = lay(layered, VARIANT_SETTINGS[variant] ?? {}, `default of the variant ${variant}`);
  for (const { values, origin } of layers) layered = lay(layered, values, origin);

  const config = changed ? await check(layered) : defaults;
  return { config, provenance: layered.provenance, paths, file, warnings };
}

/** True if any variable might be a setting. */
function hasSettings(environment: Environment): boolean {
  return Object.keys(environment).some(
    (name) => name.startsWith(ENVIRONMENT_PREFIX) && name !== WORKDIR_VARIABLE,
  );
}

function layerOf({ path, value, origin }: Given, cwd: string) {
  return { values: absolute(nest(path, value), cwd), origin };
}

/** The variant that is asked for, last; undefined where none is, or none that there is. */
function variantIn(layers: readonly Readonly<Record<string, unknown>>[]): Variant | undefined {
  return layers.map(({ build }) => (isPlainObject(build) ? build['variant'] : undefined)).findLast(isVariant);
}

async function check(layered: Layered): Promise<Config> {
  const { configSchema } = await import('./schema.js');
  const result = configSchema.safeParse(layered.values);
  if (!result.success) {
    const { explain } = await import('./explain.js');
    throw badConfig(explain(result.error.issues, layered.values, layered.provenance));
  }
  const { contradictions } = await import('./consistency.js');
  const found = contradictions(result.data, layered.provenance);
  if (found.length > 0) throw badConfig(found);
  return result.data;
}

function badConfig(problems: readonly string[]): StopwatchError {
  const list =
    problems.length === 1 ? ` ${problems[0]}` : problems.map((problem) => `\n  ${problem}`).join('');
  return new StopwatchError('bad-config', `Bad configuration:${list}`, {
    hint: '`stopwatch status --json` shows every setting in force; docs/commands.md explains them.',
  });
}

/** The same values with every path setting made absolute. */
function absolute(values: Readonly<Record<string, unknown>>, base: string): Record<string, unknown> {
  let result: Record<string, unknown> = { ...values };
  for (const setting of PATH_SETTINGS) {
    const value = setting
      .split('.')
      .reduce<unknown>((part, key) => (isPlainObject(part) ? part[key] : undefined), result);
    if (typeof value !== 'string' || value === '') continue;
    const path = value.startsWith('~/') ? join(homedir(), value.slice(2)) : resolve(base, value);
    result = lay({ values: result, provenance: {} }, nest(setting, path), '').values;
  }
  return result;
}
