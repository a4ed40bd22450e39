// SPDX-License-Identifier: MIT
/** The Engine port on dockerode. Nothing else imports it; it is loaded only when a container is wanted. */
import { createInterface } from 'node:readline';
import { Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { type Endpoint, addressOf } from './connection.js';
import type { Credentials } from './credentials.js';
import type { ContainerSpec, Engine, EngineContainer, EngineInfo, ImageInfo, OnLine } from './engine.js';
import { failed } from './errors.js';
import { numberField, textField } from './field.js';
import { progressLines } from './progress.js';
import { clientOptions, containerOptions, engineInfo, pullQuery } from './translate.js';

/** A daemon that says nothing for this long to a ping is none, milliseconds. */
const PING_MS = 10_000;

/** Makes the client; asks the daemon nothing yet. */
export async function openEngine(endpoint: Endpoint): Promise<Engine> {
  const { default: Client } = await import('dockerode');
  return new DockerodeEngine(new Client(clientOptions(endpoint)), addressOf(endpoint));
}

/** The typings lack the option. */
interface VersionRequest {
  version(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

class DockerodeEngine implements Engine {
  readonly address: string;
  readonly #docker: Docker;

  constructor(docker: Docker, address: string) {
    this.#docker = docker;
    this.address = address;
  }

  async ping(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, AbortSignal.timeout(PING_MS)]);
    // Not /_ping: its answer is a bare OK, which any server could give.
    const asked: VersionRequest = this.#docker;
    const version = await asked.version({ abortSignal: both });
    if (textField(version, 'ApiVersion') === undefined)
      throw new Error('it names no version of the Engine API');
  }

  info(): Promise<EngineInfo> {
    return attempt('asking about itself', async () => {
      const [info, networks] = await Promise.all([this.#docker.info(), this.#docker.listNetworks()]);
      return engineInfo(info, networks);
    });
  }

  image(name: string): Promise<ImageInfo | undefined> {
    return attempt(`looking for the image ${name}`, async () => {
      const image = await this.#docker.getImage(name).inspect().catch(noneIfMissing);
      return image === undefined
        ? undefined
        : {
            id: image.Id,
            architecture: image.Architecture,
            sizeBytes: image.Size,
            labels: image.Config?.Labels ?? {},
            digests: image.RepoDigests ?? [],
          };
    });
  }

  pull(reference: string, onLine: OnLine, signal: AbortSignal, credentials?: Credentials): Promise<void> {
    return attempt(
      `pulling ${reference}`,
      async () => {
        const query = { ...pullQuery(reference), abortSignal: signal };
        const stream = await this.#docker.createImage(credentials, query);
        await follow(stream, onLine);
      },
      signal,
    );
  }

  images(label: string): ReturnType<Engine['images']> {
    return attempt('listing images', async () => {
      const found = await this.#docker.listImages({ filters: { label: [label] } });
      return found.map(({ RepoTags, Created, Size }) => ({
        tags: RepoTags ?? [],
        createdS: Created,
        sizeBytes: Size,
      }));
    });
  }

  removeImage(tag: string): Promise<boolean> {
    return attempt(`removing the image ${tag}`, async () => {
      try {
        await this.#docker.getImage(tag).remove();
        return true;
      } catch (cause) {
        // 409: a container has it; 404: somebody was faster.
        if (![404, 409].includes(statusOf(cause))) throw cause;
        return false;
      }
    });
  }

  importImage(
    tar: Readable,
    tag: string,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    return attempt(
      `importing ${tag}`,
      async () => {
        const changes = Object.entries(labels).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}`);
        const stream = await this.#docker.importImage(tar, { changes, abortSignal: signal });
        let id: string | undefined;
        await follow(stream, (line) => {
          id = /sha256:[0-9a-f]{64}/.exec(line)?.[0] ?? id;
        });
        if (id === undefined) throw new Error('expected the id of the new image, got none');
        // Tagged by itself, because podman does not take the tag that goes with the import.
        const [repo = tag, version = 'latest'] = tag.split(':');
        await this.#docker.getImage(id).tag({ repo, tag: version });
      },
      signal,
    );
  }

  build(request: Parameters<Engine['build']>[0], onLine: OnLine, signal: AbortSignal): Promise<void> {
    return attempt(
      `building the image ${request.tag}`,
      async () => {
        const stream = await this.#docker.buildImage(Readable.from([request.context]), {
          t: request.tag,
          buildargs: { ...request.args },
          labels: { ...request.labels },
          nocache: request.noCache,
          rm: true,
          forcerm: true,
          // A mirror or proxy may listen on this machine only, and a daemon may have no bridge.
          networkmode: 'host',
          abortSignal: signal,
        });
        await follow(stream, onLine);
      },
      signal,
    );
  }

  containers(label: string, value: string): ReturnType<Engine['containers']> {
    return attempt('listing containers', async () => {
      const filters = { label: [`${label}=${value}`] };
      const found = await this.#docker.listContainers({ all: true, filters });
      return found.map(({ Id, State, Labels }) => ({ id: Id, running: State === 'running', labels: Labels }));
    });
  }

  create(spec: ContainerSpec): Promise<EngineContainer> {
    return attempt('creating the container', async () => {
      const container = await this.#docker.createContainer(containerOptions(spec));
      return new DockerodeContainer(this.#docker, container, spec);
    });
  }

  container(id: string): Pick<EngineContainer, 'id' | 'remove'> {
    const container = this.#docker.getContainer(id);
    return { id, remove: () => removeContainer(container) };
  }
}

class DockerodeContainer implements EngineContainer {
  readonly id: string;
  readonly #docker: Docker;
  readonly #container: Docker.Container;
  readonly #spec: ContainerSpec;

  constructor(docker: Docker, container: Docker.Container, spec: ContainerSpec) {
    this.id = container.id;
    this.#docker = docker;
    this.#container = container;
    this.#spec = spec;
  }

  put(archive: Buffer, directory: string): Promise<void> {
    return attempt(`writing into the container’s ${directory}`, async () => {
      await this.#container.putArchive(archive, { path: directory });
    });
  }

  attach(stdout: Writable, stderr: Writable): ReturnType<EngineContainer['attach']> {
    return attempt('attaching to the container', async () => {
      const { tty, openStdin } = this.#spec;
      const options = { stream: true, stdout: true, stderr: true, stdin: openStdin };
      // Only an upgraded connection can be written to.
      const stream = await this.#container.attach({ ...options, hijack: openStdin });
      if (tty !== undefined) stream.pipe(stdout, { end: false });
      else this.#docker.modem.demuxStream(stream, stdout, stderr);
      const ended = finished(stream, { writable: false }).catch(() => undefined);
      return { input: openStdin ? stream : undefined, ended };
    });
  }

  start(): Promise<void> {
    return attempt('starting the container', async () => {
      await this.#container.start();
    });
  }

  resize(columns: number, rows: number): Promise<void> {
    return attempt('resizing the container’s terminal', async () => {
      await this.#container.resize({ w: columns, h: rows });
    });
  }

  wait(): Promise<number> {
    return attempt('waiting for the container', async () => {
      const answer = await this.#answerToWait();
      // Read here: the client would wait for ever for the rest of an answer that a dead daemon has begun.
      const result = await text(answer);
      const code = numberField(JSON.parse(result), 'StatusCode');
      if (code === undefined) throw new Error(`expected an exit code, got ${result}`);
      return code;
    });
  }

  /** The daemon begins its answer at once, and ends it when the container has ended. */
  async #answerToWait(): Promise<NodeJS.ReadableStream> {
    return await new Promise((resolve, reject) => {
      this.#docker.modem.dial(
        {
          path: `/containers/${this.id}/wait?`,
          options: { condition: 'next-exit' },
          method: 'POST',
          isStream: true,
          statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
        },
        (error: unknown, answer: unknown) => {
          if (answer instanceof Readable) resolve(answer);
          else reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  stop(): Promise<void> {
    return attempt('stopping the container', async () => {
      await this.#container.stop({ t: this.#spec.stopSeconds }).catch((cause: unknown) => {
        if (![304, 404].includes(statusOf(cause))) throw cause;
      });
    });
  }

  remove(): Promise<void> {
    return removeContainer(this.#container);
  }
}

function removeContainer(container: Docker.Container): Promise<void> {
  return attempt('removing the container', async () => {
    await container.remove({ force: true, v: true }).catch((cause: unknown) => {
      // 409: somebody else is removing it at this moment.
      if (![404, 409].includes(statusOf(cause))) throw cause;
    });
  });
}

/** Reads a stream of progress messages to its end; a message that says 'error' is thrown. */
async function follow(stream: NodeJS.ReadableStream, onLine: OnLine): Promise<void> {
  const lines = progressLines(onLine);
  // readline swallows errors of its input: they are seen here.
  const ended = finished(stream);
  ended.catch(() => undefined);
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    lines.message(JSON.parse(line));
  }
  await ended;
  lines.end();
}

async function attempt<T>(doing: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw failed(cause, doing, signal);
  }
}

function statusOf(cause: unknown): number {
  return numberField(cause, 'statusCode') ?? 0;
}

function noneIfMissing(cause: unknown): undefined {
  if (statusOf(cause) !== 404) throw cause;
  return undefined;
}
