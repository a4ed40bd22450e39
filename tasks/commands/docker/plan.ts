// SPDX-License-Identifier: MIT
/** What a container is given of this machine: directories, environment, and the arguments of the command inside. Pure. */
import { sep } from 'node:path';
import type { Config, SourceName } from '../../config/schema.js';
import type { GlobalOptions } from '../define.js';
import { ENVIRONMENT_PREFIX } from '../../../lib/product.js';

/** The user's variables that mean the same inside. */
const PASSED = new Set([
  'TERM',
  'COLORTERM',
  'NO_COLOR',
  'FORCE_COLOR',
  'CI',
  'GITHUB_ACTIONS',
  'GITHUB_STEP_SUMMARY',
  'GITHUB_WORKSPACE',
  'GITLAB_CI',
  'CI_PROJECT_DIR',
  ...['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'].flatMap((name) => [
    name,
    name.toUpperCase(),
  ]),
]);
/** Settings of ccache that name files or programs of this machine, and the one that is set below. */
const NOT_PASSED = new Set([
  'CCACHE_DIR',
  'CCACHE_CONFIGPATH',
  'CCACHE_TEMPDIR',
  'CCACHE_LOGFILE',
  'CCACHE_PREFIX',
  'CCACHE_PREFIX_CPP',
  'CCACHE_COMPILER',
  'CCACHE_PATH',
]);

export interface Places {
  /** The container's own work directory. */
  readonly work: string;
  /** Downloads that all checkouts share. */
  readonly downloads: string;
  readonly ccache: string;
}

export function containerEnvironment(
  environment: Readonly<Record<string, string>>,
  { work, downloads, ccache }: Places,
): Record<string, string> {
  const passed = Object.entries(environment).filter(
    ([name]) =>
      PASSED.has(name) ||
      name.startsWith(ENVIRONMENT_PREFIX) ||
      (name.startsWith('CCACHE_') && !NOT_PASSED.has(name)),
  );
  return {
    ...Object.fromEntries(passed),
    CCACHE_DIR: ccache,
    [`${ENVIRONMENT_PREFIX}WORKDIR`]: work,
    // Whatever said it, it may be relative to a home directory that is not there.
    [`${ENVIRONMENT_PREFIX}DOWNLOADS_DIRECTORY`]: downloads,
  };
}

/** The file for the step summary, without its directory: the files beside it give commands to GitHub's runner. */
export function summaryFile(environment: Readonly<Record<string, string>>): readonly string[] {
  const file = environment['GITHUB_STEP_SUMMARY'];
  return file ? [file] : [];
}

/** Trees of the user's own, as [name, absolute directory]. */
export function ownTrees({ sources }: Config): readonly (readonly [SourceName, string])[] {
  return (['qemu', 'linux', 'busybox'] as const).flatMap((name) => {
    const { tree } = sources[name];
    return tree === null ? [] : [[name, tree] as const];
  });
}

/**
 * What has to be there for this program to run: itself, and the packages that it imports, which npm may have put
 * beside it.
 */
export function programDirectories(packageDirectory: string): readonly string[] {
  const parts = packageDirectory.split(sep);
  const modules = parts.indexOf('node_modules');
  return modules === -1 ? [packageDirectory] : [parts.slice(0, modules + 1).join(sep)];
}

/** As the arguments of `all`. The image has every package, so nothing is ever installed. */
export function innerArguments(options: Omit<GlobalOptions, 'install'>, config: Config): readonly string[] {
  return [
    'all',
    '--no-install',
    ...(options.json ? ['--json'] : []),
    ...(options.verbose ? ['--verbose'] : []),
    ...value('--ci', options.ci),
    ...(options.color ? [] : ['--no-color']),
    ...value('--jobs', options.jobs),
    ...(options.offline ? ['--offline'] : []),
    ...value('--driver', options.driver),
    ...value('--rootfs', options.rootfs),
    ...(options.realtime ? ['--realtime'] : []),
    ...value('--accel', options.accel),
    ...ownTrees(config).flatMap(([name, tree]) => ['--source', `${name}=${tree}`]),
    ...(ownTrees(config).some(([name]) => config.sources[name].inPlace) ? ['--source-in-place'] : []),
  ];
}

function value(flag: string, given: string | number | undefined): readonly string[] {
  return given === undefined ? [] : [flag, String(given)];
}
