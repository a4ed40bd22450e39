// SPDX-License-Identifier: MIT
/** The archive of another release: from where the configured one's places lead, an address or a file; never one that nobody vouches for. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Services } from '../../config/services.js';
import type { BumpOptions } from './bump.js';
import type { Place } from '../../config/schema.js';
import { StopwatchError } from '../../../lib/errors.js';
import type { Task } from '../../engine/task.js';
import { shellQuote } from '../../../lib/process/process.js';
import { placeName } from '../../trees/download/download.js';
import { downloadUnpinned } from '../../trees/download/download-unpinned.js';
import { keepFile } from '../../trees/download/store.js';
import { type Derived, derivedPlaces, summed } from './bump-places.js';
import { cacheDirectory, downloadDeps, TITLES } from '../../build/sources.js';
import { bringUpToDate, toolchain } from '../../build/toolchain.js';

export interface Archive {
  /** That somebody vouches for. */
  readonly sha256: string;
  /** Where it may be fetched from. */
  readonly places: readonly Place[];
  /** Where it is known to be from; undefined: the one of `places` that turns out to have it. */
  readonly place: Place | undefined;
  readonly derived: readonly Derived[];
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Throws 'bad-usage' with the sum where none was given; 'checksum-mismatch', 'download-failed'. */
export async function findArchive(
  services: Services,
  options: BumpOptions,
  version: string,
): Promise<Archive> {
  const { part, sha256, source } = options;
  const derived = derivedPlaces(services.loaded.config.sources[part], version);
  const what = `${TITLES[part]} ${version}`;
  if (source !== undefined && !/^https?:\/\//.test(source)) {
    return fromFile(services, options, what, derived, source);
  }
  const pinned = (sum: string): readonly Place[] =>
    source === undefined ? summed(derived, sum) : [{ url: source, sha256: sum }];
  if (sha256 !== undefined) {
    const places = pinned(sha256);
    return { sha256, places, place: source === undefined ? undefined : places[0], derived };
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
    throw new StopwatchError('bad-usage', `${path}: expected an archive or a directory, got nothing there`);
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
  // The place that it must have come from is told by its name; others get it from there.
  const places = summed(derived, sha256);
  const place = places.find((each) => placeName(each) === basename(path)) ?? places[0];
  return { sha256, places, place, derived };
}

function unvouched(
  { part, version, source }: BumpOptions,
  what: string,
  found: { readonly sha256: string; readonly from: string },
): StopwatchError {
  const from = source === undefined ? [] : ['--source', `${part}=${source}`];
  const args = ['stopwatch', 'bump', part, version ?? '', ...from, '--sha256', found.sha256];
  return new StopwatchError(
    'bad-usage',
    `${what} has sha256 ${found.sha256}, as ${found.from} gives it; nobody has vouched for that, so nothing was changed`,
    {
      hint: `Compare it with what its publisher says (signed sums, a distribution), then: ${shellQuote({ file: 'npx', args })}`,
    },
  );
}

/** As a task, with its row and its log. */
async function fetchUnpinned(
  services: Services,
  what: string,
  places: readonly Place[],
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
    always: 'its sum is not known yet',
    run: async (context) => {
      const cache = cacheDirectory(config, services.environment);
      const { sha256, place } = await downloadUnpinned(
        { what, places, stallSeconds, tries, offline, cache },
        downloadDeps(context, { processes: context.processes, environment: services.environment }),
      );
      found = { sha256, from: 'url' in place ? place.url : place.debian };
    },
  };
  await bringUpToDate({ ...(await toolchain(services)), tasks: [task] }, [task.name]);
  if (found === undefined) throw new StopwatchError('internal', 'The download has no sum');
  return found;
}
