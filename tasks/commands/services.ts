// SPDX-License-Identifier: MIT
/** The commands as the command line calls them, and the options of each. */
import type { FuzzOptions } from '../../lab/fuzz.js';
import type { MutantsOptions } from '../../lab/mutants.js';
import type { RunOptions } from '../boot/interactive-run.js';
import type { PushOptions } from '../boot/push.js';
import type { ReplayOptions } from '../boot/replay.js';
import type { StressOptions } from '../boot/stress.js';
import type { SourceName } from '../config/schema.js';
import type { Result, Services } from '../config/services.js';
import type { TaskStatus } from '../engine/events.js';
import type { GraphReport } from '../report/graph.js';

export interface RunTestQuitOptions {
  /** Keep what is needed to run the very same execution again. */
  readonly record: boolean;
}

/** Parts, and how. */
export interface CleanOptions {
  /** Build directories, kept results, what a boot is made of, logs. */
  readonly builds: boolean;
  /** Extracted source trees. */
  readonly sources: boolean;
  /** Reports of earlier runs. */
  readonly reports: boolean;
  /** The download cache, which other checkouts share. */
  readonly downloads: boolean;
  /** Do not ask, and remove what is nowhere else too. */
  readonly force: boolean;
  /** Only say what would be removed. */
  readonly dryRun: boolean;
}

export interface BumpOptions {
  readonly part: SourceName;
  /** Undefined only with a tree of the user's own as its source. */
  readonly version: string | undefined;
  /** That somebody vouches for, of the archive. */
  readonly sha256: string | undefined;
  /** Address, archive or directory; undefined: where the configured release's places lead. */
  readonly source: string | undefined;
  /** Also when edits by hand in the present tree are in no patch. */
  readonly force: boolean;
}

/** Directories that are kept from one run of a CI system to the next, and the name under which they are. */
export interface Cache {
  /** Equal keys: what was kept is what this run would make. */
  readonly key: string;
  /** Of keys whose content is of some use all the same; the key itself where there are none. */
  readonly prefix: string;
  /** Absolute; not all of them need to be there. */
  readonly paths: readonly string[];
}

export interface CacheKeys {
  /** The work directory. */
  readonly work: string;
  readonly downloads: Cache;
  readonly build: Cache;
  readonly ccache: Cache;
}

export interface InitOptions {
  /** Absolute path. */
  readonly directory: string;
  /** Of the device; undefined: as the directory is called. */
  readonly name: string | undefined;
}

/** The options of the command line that the command inside is to have too. */
export interface HandedOn {
  readonly json?: true;
  readonly verbose?: true;
  readonly ci?: string;
  readonly color: boolean;
  readonly jobs?: number;
  readonly offline?: true;
  readonly driver?: string;
  readonly rootfs?: string;
  readonly realtime?: true;
  readonly accel?: string;
}

export interface DockerOptions {
  /** 'default', 'bootstrap', or the reference of an image. */
  readonly base: string;
  readonly rebuild: boolean;
  readonly network: string | undefined;
}

/** The commands behind the command line. All throw StopwatchError; all end soon after the signal is aborted. */
export interface Steps {
  all(services: Services): Promise<Result>;
  /** The same as often as something is saved: without the manifest, of which only `all` and `update` have need. */
  allAgain(services: Services): Promise<Result>;
  prepare(services: Services, options: { readonly part: SourceName | undefined }): Promise<Result>;
  patch(services: Services): Promise<Result>;
  updatePatches(services: Services): Promise<Result>;
  /** Tries another release; the configuration has it then, if the patches fit. */
  bump(services: Services, options: BumpOptions): Promise<Result>;
  update(services: Services): Promise<Result>;
  runTestQuit(services: Services, options: RunTestQuitOptions): Promise<Result>;
  replay(services: Services, options: ReplayOptions): Promise<Result>;
  stress(services: Services, options: StressOptions): Promise<Result>;
  run(services: Services, options: RunOptions): Promise<Result>;
  module(services: Services): Promise<Result>;
  /** A project of the user's own, in a directory of its own. */
  init(services: Services, options: InitOptions): Promise<Result>;
  /** Into a VM that was started with `serve`. */
  push(services: Services, options: PushOptions): Promise<Result>;
  /** The analysis that runs go by, and nothing done. */
  status(services: Services): Promise<readonly TaskStatus[]>;
  /** What a CI system keeps, and under which keys; known before anything is downloaded. */
  cacheKeys(services: Services): Promise<CacheKeys>;
  /** The same of all that `all` does, with the longest chain. */
  graph(services: Services): Promise<GraphReport>;
  clean(services: Services, options: CleanOptions): Promise<Result>;
  /** `file`: an absolute path. */
  crosscheck(services: Services, options: { readonly file: string }): Promise<Result>;
  /** `all` in a container; `handedOn`: its options. */
  dockerAll(services: Services, options: DockerOptions & { readonly handedOn: HandedOn }): Promise<Result>;
  /** `command` in a container; a shell when it is empty. */
  docker(
    services: Services,
    options: DockerOptions & { readonly command: readonly string[] },
  ): Promise<Result>;
  fuzz(services: Services, options: FuzzOptions): Promise<Result>;
  mutants(services: Services, options: MutantsOptions): Promise<Result>;
}
