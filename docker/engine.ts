// SPDX-License-Identifier: MIT
/** The port for a Docker daemon: what this project asks of the Engine API, and no more. `dockerode.ts` implements it. */
import type { Readable, Writable } from 'node:stream';
import type { Credentials } from './credentials.js';

/** What the daemon says about itself. */
export interface EngineInfo {
  /** For people: 'Docker 20.10.24'. */
  readonly version: string;
  /** As images spell it: 'amd64', 'arm64'. */
  readonly architecture: string;
  /** The daemon runs without root: its root is the user it runs as. */
  readonly rootless: boolean;
  /** The daemon maps the users of its containers to others (userns-remap). */
  readonly remapsUsers: boolean;
  readonly selinux: boolean;
  /** False when it was started with --bridge=none. */
  readonly hasBridge: boolean;
}

export interface ImageInfo {
  readonly id: string;
  readonly architecture: string;
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** 'debian@sha256:…': the registry's own names of it; empty for what was built or imported here. */
  readonly digests: readonly string[];
}

/** One of the images that a daemon has. */
export interface StoredImage {
  /** 'name:tag'; empty for one that lost its name. */
  readonly tags: readonly string[];
  /** Seconds of the Unix clock. */
  readonly createdS: number;
  readonly sizeBytes: number;
}

export interface ContainerSummary {
  readonly id: string;
  readonly running: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Bind {
  /** Absolute paths; the source must exist. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** Everything that a container is made of. */
export interface ContainerSpec {
  readonly image: string;
  readonly command: readonly string[];
  /** 'uid:gid'. */
  readonly user: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly binds: readonly Bind[];
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: the daemon's default. */
  readonly network: string | undefined;
  /** Undefined: the daemon's default; 'host' turns userns-remap off. */
  readonly userNamespace: string | undefined;
  readonly securityOptions: readonly string[];
  /** The size of its terminal, on which standard output and error are one stream; undefined: no terminal. */
  readonly tty: { readonly columns: number; readonly rows: number } | undefined;
  readonly openStdin: boolean;
  /** Seconds between SIGINT and SIGKILL when it is stopped. */
  readonly stopSeconds: number;
}

export interface BuildRequest {
  /** A tar archive with a Dockerfile at its top. */
  readonly context: Buffer;
  readonly tag: string;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Ignore layers made before. */
  readonly noCache: boolean;
}

export type OnLine = (line: string) => void;

/** A container that was created and not yet removed. */
export interface EngineContainer {
  readonly id: string;
  /** Puts the files of a tar archive into it, below `directory`. */
  put(archive: Buffer, directory: string): Promise<void>;
  /**
   * Call before `start`, to miss nothing. Without a terminal the two streams come apart, with one all of it goes to
   * `stdout`. `ended` resolves when all output has been handed on. `input` exists if `openStdin` was set.
   */
  attach(
    stdout: Writable,
    stderr: Writable,
  ): Promise<{ readonly input: NodeJS.WritableStream | undefined; readonly ended: Promise<void> }>;
  start(): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** The exit code of its command. Call before `start`. */
  wait(): Promise<number>;
  /** SIGINT, then SIGKILL after the spec's `stopSeconds`; resolves when it has ended, also if it had before. */
  stop(): Promise<void>;
  /** Kills it if it runs, and removes it; that it is gone already is no error. */
  remove(): Promise<void>;
}

/** One daemon. Except for `ping`, every failure is a StopwatchError (see `failed` in errors.ts). */
export interface Engine {
  /** For messages: where it is and who said so. */
  readonly address: string;
  /** Rejects with whatever the connection said; `connect` words it. Gives up after ten seconds. */
  ping(signal: AbortSignal): Promise<void>;
  info(): Promise<EngineInfo>;
  /** By tag, digest or id; undefined when the daemon has none. */
  image(name: string): Promise<ImageInfo | undefined>;
  /** `credentials`: for a registry that wants to know who asks. */
  pull(reference: string, onLine: OnLine, signal: AbortSignal, credentials?: Credentials): Promise<void>;
  /** All images that have this label. */
  images(label: string): Promise<readonly StoredImage[]>;
  /** Removes a tag, and the image with its last one. False: it is in use, or gone. */
  removeImage(tag: string): Promise<boolean>;
  /** Makes an image of a root file system's tar archive. */
  importImage(
    tar: Readable,
    tag: string,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void>;
  /** `onLine` gets each line of the build. Ended by `signal`, the daemon drops what it was doing. */
  build(request: BuildRequest, onLine: OnLine, signal: AbortSignal): Promise<void>;
  /** All containers, running or not, that have this label with this value. */
  containers(label: string, value: string): Promise<readonly ContainerSummary[]>;
  create(spec: ContainerSpec): Promise<EngineContainer>;
  /** A handle on an existing one, to stop and remove it. */
  container(id: string): Pick<EngineContainer, 'id' | 'remove'>;
}
