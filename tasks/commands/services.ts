// SPDX-License-Identifier: MIT
/** What a command is given, and what it gives back. The command line makes it; the steps use it. */
import type { Loaded } from '../config/load.js';
import type { SourceName } from '../config/schema.js';
import type { ExitCode, StopwatchError } from '../../lib/errors.js';
import type { Emit, TaskStatus } from '../engine/events.js';
import type { Processes } from '../../lib/process/process.js';
import type { TreeWatch } from '../../lib/files/tree-watch.js';
import type { GraphReport } from '../report/graph.js';
import type { Look } from '../report/types.js';

export interface Services {
  /** Configuration, where each value came from, and the directories. */
  readonly loaded: Loaded;
  /** The user's own environment, whole. */
  readonly environment: Readonly<Record<string, string>>;
  /** The one signal: aborted with StopwatchError 'interrupted' on SIGINT, SIGTERM, SIGHUP. */
  readonly signal: AbortSignal;
  /** To the reporter. */
  readonly emit: Emit;
  /** Shows what the reporter still has to show and gives the terminal back: before a console takes it over. */
  readonly release: () => Promise<void>;
  readonly look: Look;
  /** Standard input and output are a terminal. */
  readonly interactive: boolean;
  /** Asks yes or no on the terminal; gives `otherwise` where there is none. An empty answer is no. */
  readonly confirm: (question: string, otherwise: boolean) => Promise<boolean>;
  /** Loads the port for processes; all that it starts are killed when the user insists. */
  readonly processes: () => Promise<Processes>;
  /** In a process that stays from run to run. */
  readonly treeWatch?: TreeWatch | undefined;
}

/** How a command ended when it did not throw. */
export interface Result {
  readonly exitCode: ExitCode;
  /** The answer itself, for standard output: text, and the same as data for --json. */
  readonly text?: string;
  readonly data?: unknown;
  /** Lines after the table of stages: verdicts and the accelerator that ran. */
  readonly verdict?: readonly string[];
  /** The next command to type. */
  readonly next?: string;
  /** What went wrong, where there is a verdict all the same; `exitCode` is its. */
  readonly error?: StopwatchError;
  /** Exit code of a command that has spoken for itself, in a container: handed on, and nothing more is said. */
  readonly passedThrough?: number;
}

export interface RunOptions {
  readonly nodev: boolean;
  readonly rw: boolean;
  /** File to write the device tree to (its .dts goes beside it); '' for the default place; undefined: do not dump. */
  readonly dumpDtb: string | undefined;
  /** TCP port of QEMU's gdb stub, at which the machine waits for a debugger; undefined: no stub. */
  readonly gdb: number | undefined;
  /** QEMU itself runs under gdb. */
  readonly gdbQemu?: boolean;
  /** For either gdb, after ours. */
  readonly gdbArguments?: readonly string[];
  /** It takes new files while it runs. */
  readonly serve: boolean;
}

export interface PushOptions {
  /** Names of what is pushed; none: all there is. */
  readonly what: readonly string[];
  /** Then run the guest's test there. */
  readonly test: boolean;
}

export interface RunTestQuitOptions {
  /** Keep what is needed to run the very same execution again. */
  readonly record: boolean;
}

export interface StressOptions {
  /** For how long, in the guest; undefined: `rounds` says it. */
  readonly seconds: number | undefined;
  readonly rounds: number | undefined;
}

export interface ReplayOptions {
  /** A report's directory or its name; 'latest': the newest one with a recording. */
  readonly report: string;
  /** Stop before the event `at` and wait for a debugger at this TCP port; undefined: run it to its end. */
  readonly gdb: number | undefined;
  /** `seq` of the event; undefined: the divergence's. */
  readonly at: bigint | undefined;
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

export interface FuzzOptions {
  /** Budget; without either, a minute. */
  readonly operations: number | undefined;
  readonly seconds: number | undefined;
  readonly seed: number | undefined;
  /** From 1. */
  readonly shard: { readonly index: number; readonly count: number } | undefined;
  /** Absolute paths. */
  readonly replay: string | undefined;
  readonly qemu: string | undefined;
  /** Only measure how fast QEMU answers the commands of a search. */
  readonly raw: boolean;
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

export interface MutantsOptions {
  /** Faults in the model instead of the device. */
  readonly model: boolean;
  /** Those whose names match. */
  readonly only: RegExp | undefined;
  /** One in this many. */
  readonly every: number;
  readonly seed: number;
  /** Of the search, for each mutant. */
  readonly operations: number;
  /** Absolute path of another build directory of QEMU. */
  readonly build: string | undefined;
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
