// SPDX-License-Identifier: MIT
/** Finds the archive of another release: on the configured mirrors, at an address, or in a file. Accepts only one whose checksum the user gave. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Services } from '../../config/services.js';
import type { BumpOptions } from './bump.js';
import type { Mirror } from '../../config/schema.js';
import { StopwatchError } from '../../../lib/errors.js';
import type { Task } from '../../engine/task.js';
import { downloadUnpinned, mirrorName } from '../../trees/download/download.js';
import { keepFile } from '../../trees/download/store.js';
import { type Derived, derivedMirrors, summed } from './mirrors.js';
import { cacheDirectory, downloadDeps, TITLES } from '../../build/sources.js';
import { bringUpToDate, toolchain } from '../../build/toolchain.js';
import { commandLine } from '../../../lib/process/command-line.js';

export interface Archive {
  /** The checksum that the user gave. */
  readonly sha256: string;
  /** Where it may be fetched from. */
  readonly mirrors: readonly Mirror[];
  /** Its mirror if known; undefined: the download finds out which one of `mirrors` has it. */
  readonly mirror: Mirror | undefined;
  readonly derived: readonly Derived[];
}

/** Throws 'bad-usage' with the checksum if none was given; 'checksum-mismatch', 'download-failed'. */
export async function findArchive(services: Services, options: BumpOptions): Promise<Archive> {
  const { part, version, sha256, source } = options;
  const derived = derivedMirrors(services.loaded.config.sources[part], version);
  const what = `${TITLES[part]} ${version}`;
  if (source !== undefined && !/^https?:\/\//.test(source)) {
    return fromFile(services, options, what, derived, source);
  }
  const pinned = (sum: string): readonly Mirror[] =>
    source === undefined ? summed(derived, sum) : [{ url: source, sha256: sum }];
  if (sha256 !== undefined) {
    const mirrors = pinned(sha256);
    return { sha256, mirrors, mirror: source === undefined ? undefined : mirrors[0], derived };
  }
  const found = await fetchUnpinned(services, what, pinned('0'.repeat(64)));
  throw unvouched(options, what, found);
}

async function fromFile(
  services: Services,
  options: BumpOptions,
  what: string,
  derived: readonly Derived[],
  source: string,
): Promise<Archive> {
  const path = resolve(source);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new StopwatchError('bad-usage', `${path}: expected an archive, got no such file`, {
      hint: `To build a tree of your own, give --source ${options.part}=DIRECTORY to the other commands, or set sources.${options.part}.tree.`,
    });
  }
  const { loaded, environment, signal } = services;
  const cache = cacheDirectory(loaded.config, environment);
  const { sha256 } = await keepFile(cache, path, basename(path), signal);
  if (options.sha256 === undefined) throw unvouched(options, what, { sha256, from: path });
  if (options.sha256 !== sha256) {
    throw new StopwatchError(
      'checksum-mismatch',
      `${path} is not ${what}: expected sha256 ${options.sha256}, got ${sha256}`,
    );
  }
  // The file's name shows which mirror it comes from.
  const mirrors = summed(derived, sha256);
  const mirror = mirrors.find((each) => mirrorName(each) === basename(path)) ?? mirrors[0];
  return { sha256, mirrors, mirror, derived };
}

function unvouched(
  { part, version, source }: BumpOptions,
  what: string,
  found: { readonly sha256: string; readonly from: string },
): StopwatchError {
  const from = source === undefined ? [] : ['--source', `${part}=${source}`];
  const args = ['bump', part, version, ...from, '--sha256', found.sha256];
  return new StopwatchError(
    'bad-usage',
    `${what} has sha256 ${found.sha256}, according to ${found.from}. Nothing was changed, because --sha256 was not given`,
    {
      hint: `Compare it with the publisher's checksum (a signed list, a distribution), then: ${commandLine(...args)}`,
    },
  );
}

/** As a task, with its row and its log. */
async function fetchUnpinned(
  services: Services,
  what: string,
  mirrors: readonly Mirror[],
): Promise<{ readonly sha256: string; readonly from: string }> {
  const { config } = services.loaded;
  const { stallSeconds, tries, offline } = config.downloads;
  let found: { readonly sha256: string; readonly from: string } | undefined;
  const task: Task = {
    name: 'bump:download',
    title: `${what}: download`,
    deps: [],
    inputs: {},
    outputs: [],
    jobs: 'none',
    always: 'its checksum is not known yet',
    run: async (context) => {
      const cache = cacheDirectory(config, services.environment);
      const { sha256, mirror } = await downloadUnpinned(
        { what, mirrors, stallSeconds, tries, offline, cache },
        downloadDeps(context, { processes: context.processes, environment: services.environment }),
      );
      found = { sha256, from: 'url' in mirror ? mirror.url : mirror.debian };
    },
  };
  await bringUpToDate({ ...(await toolchain(services)), tasks: [task] }, [task.name]);
  if (found === undefined) throw new StopwatchError('internal', 'The download has no sum');
  return found;
}
