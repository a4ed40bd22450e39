// SPDX-License-Identifier: MIT
/**
 * A VM that takes new files while it runs (`run --serve`), as `push` and the
 * guest's network_update.sh ask for them.
 *
 * One per work directory: a lock says so, which goes with this process however
 * that ends. `push` is told by a file of the work directory where to connect;
 * a file that a killed process left leads to a socket at which nobody listens.
 */
import { setMaxListeners } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { hostClock } from '../../vm/clock.js';
import { type Finding, findingOf } from '../../vm/console/console.js';
import { type Answer, Delivery } from '../../vm/console/delivery.js';
import { LineSplitter } from '../../lib/lines.js';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import type { BootPorts, RunningMachine } from '../../vm/runner.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Emit, Event } from '../engine/events.js';
import { serializeError, serializedErrorSchema } from '../../lib/serialize-error.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { withLock } from '../../lib/lock.js';
import { chosen, chosenTests, type Pushable, type PushableTest } from './pushable.js';
import type { Services } from '../config/services.js';

/** Host milliseconds in which the guest must have taken a file, or have started its part. */
const ANSWER_MS = 15_000;

export const requestSchema = z.object({
  /** None: all there is. */
  names: z.array(z.string()),
  /** Only what is for this device. */
  device: z.string().optional(),
  /** Then run the tests of the devices that it is for. */
  test: z.boolean(),
});
export type PushRequest = z.infer<typeof requestSchema>;

const answerSchema = z.object({ status: z.number(), text: z.string() });
/** What the server says, one per line. 'end' or 'failed' comes last; without it, the machine has ended. */
export const replySchema = z.discriminatedUnion('type', [
  /** Of the build. */
  z.object({
    type: z.literal('event'),
    event: z.custom<Event>(isEvent),
    error: serializedErrorSchema.optional(),
  }),
  /** What goes to the guest, and the ids of the devices that are tested then. */
  z.object({ type: z.literal('plan'), names: z.array(z.string()), tests: z.array(z.string()) }),
  answerSchema.extend({ type: z.literal('put'), name: z.string() }),
  /** Of the test of this device. */
  z.object({ type: z.literal('output'), id: z.string(), line: z.string() }),
  /** Of the kernel, on the console. */
  z.object({ type: z.literal('finding'), kind: z.custom<Finding['kind']>(isString), text: z.string() }),
  answerSchema.extend({ type: z.literal('ran'), id: z.string() }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('failed'), error: serializedErrorSchema }),
]);
export type PushReply = z.infer<typeof replySchema>;

export const addressSchema = z.object({ pid: z.number(), socket: z.string() });
/** Where the address of the serving VM is. */
export const addressFile = (work: string): string => join(work, 'run', 'serve.json');

export interface ServeOptions {
  readonly services: Pick<Services, 'signal' | 'processes'> & {
    readonly loaded: { readonly paths: { readonly work: string } };
  };
  readonly pushables: readonly Pushable[];
  readonly tests: readonly PushableTest[];
  /** Its time stands still while nothing is asked of it. */
  readonly pausing: boolean;
  /** Brings up to date what these are made of. */
  readonly build: (what: readonly Pushable[], emit: Emit, signal: AbortSignal) => Promise<void>;
}

/** What the machine is started with besides. */
export type ServingPorts = Required<Pick<BootPorts, 'onStart' | 'onDelivery' | 'onConsoleLine'>>;

/** Runs `fn`, which boots with these ports as well. Throws 'locked' when another VM serves this work directory. */
export async function serving<T>(options: ServeOptions, fn: (ports: ServingPorts) => Promise<T>): Promise<T> {
  const { services } = options;
  const { work } = services.loaded.paths;
  const lock = { signal: services.signal, wait: false, processes: await services.processes() };
  const locked = async (): Promise<T> => {
    const directory = await makePrivateDirectory(tmpdir());
    const own = new Serving(options);
    const control = join(directory.path, 'push');
    const server = createServer((socket) => own.connected(socket));
    try {
      await listen(server, control);
      await writeFileAtomic(addressFile(work), JSON.stringify({ pid: process.pid, socket: control }));
      return await fn(own.ports);
    } finally {
      own.end();
      server.close();
      await rm(addressFile(work), { force: true });
      await directory.remove();
    }
  };
  try {
    return await withLock(join(work, 'run', 'serve.lock'), lock, locked);
  } catch (error) {
    if (!(error instanceof StopwatchError) || error.code !== 'locked') throw error;
    throw new StopwatchError('locked', `Another VM of ${work} serves already: ${error.message}`, {
      cause: error,
      hint: 'End that one (poweroff), or give this one a work directory of its own: --workdir.',
    });
  }
}

class Serving {
  readonly ports: ServingPorts = {
    onConsoleLine: (line) => {
      const finding = findingOf(line);
      if (finding !== undefined) for (const hear of this.#hearing) hear(finding);
    },
    onStart: (machine) => {
      this.#machine = machine;
    },
    onDelivery: (line, disk) => this.#started(line, disk),
  };
  readonly #options: ServeOptions;
  readonly #sockets = new Set<Socket>();
  /** Who is told what the kernel says. */
  readonly #hearing = new Set<(finding: Finding) => void>();
  #machine: RunningMachine | undefined;
  #delivery: Delivery | undefined;
  /** A request of the guest is being carried out. */
  #asking = false;
  /** What is under way, and all that waits for it. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ServeOptions) {
    this.#options = options;
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #started(line: Socket, disk: string): void {
    this.#delivery = new Delivery(line, disk, {
      clock: hostClock,
      timeoutMs: ANSWER_MS,
      onAsk: (name) => this.#asked(name),
    });
    // It must have come up before it is stopped.
    void this.#awake(async () => ({ status: 0, text: '' }));
  }

  /** One after the other, the machine's time going on. */
  #awake(action: (delivery: Delivery) => Promise<Answer>): Promise<Answer> {
    const { pausing } = this.#options;
    const turn = this.#queue.then(async (): Promise<Answer> => {
      const delivery = this.#delivery;
      if (delivery === undefined) return { status: 1, text: 'the machine has not started yet' };
      if (pausing) await this.#machine?.resume();
      try {
        const up = await within(delivery.ready, ANSWER_MS);
        return up ? await action(delivery) : { status: 1, text: 'the guest does not run network_update.sh' };
      } finally {
        if (pausing) await this.#machine?.pause();
      }
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** By the guest's user. One build at a time: a guest may ask as often as it likes. */
  async #asked(name: string): Promise<Answer> {
    if (this.#asking)
      return { status: 1, text: 'busy with another request: ask again when that has its answer' };
    this.#asking = true;
    try {
      const what = chosen(this.#options.pushables, { names: [name] });
      // The terminal is the guest's.
      await this.#options.build(what, () => {}, this.#options.services.signal);
      let answer: Answer = { status: 1, text: '' };
      for (const one of what) answer = await this.#put(one);
      return answer;
    } catch (thrown) {
      const error: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
      const text = error instanceof Error ? error.message : String(error);
      const log = error instanceof StopwatchError && error.log !== undefined ? `; see ${error.log}` : '';
      return { status: 1, text: `${text.replaceAll('\n', ' ')}${log}` };
    } finally {
      this.#asking = false;
    }
  }

  #put({ from, path, mode, module }: Pushable): Promise<Answer> {
    return this.#awake(async (delivery) =>
      delivery.put({ content: await readFile(from), path, mode, module }),
    );
  }

  /** By `push`. */
  connected(socket: Socket): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort(new StopwatchError('interrupted', 'Whoever pushed has gone'));
    });
    socket.on('error', () => {}); // It is closed, too.
    const splitter = new LineSplitter((line) => {
      const request = requestSchema.safeParse(parse(line));
      if (!request.success) socket.destroy();
      else void this.#serve(request.data, socket, gone.signal).catch(() => socket.destroy());
    });
    socket.on('data', (chunk: Buffer) => splitter.push(chunk));
  }

  async #serve(request: PushRequest, socket: Socket, gone: AbortSignal): Promise<void> {
    const reply = (message: PushReply): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
    };
    const hear = (finding: Finding): void => reply({ type: 'finding', ...finding });
    this.#hearing.add(hear);
    try {
      await this.#carryOut(request, reply, gone);
      reply({ type: 'end' });
    } catch (thrown) {
      reply({ type: 'failed', error: serializeError(thrown) });
    }
    this.#hearing.delete(hear);
    socket.end();
  }

  async #carryOut(
    request: PushRequest,
    reply: (message: PushReply) => void,
    gone: AbortSignal,
  ): Promise<void> {
    const { pushables, services, build } = this.#options;
    const what = chosen(pushables, request);
    const tests = request.test ? chosenTests(this.#options.tests, what, request) : [];
    const signal = AbortSignal.any([services.signal, gone]);
    // Every process of a build listens.
    setMaxListeners(0, signal);
    await build(
      what,
      (event) => {
        // An error has no own properties that JSON would show.
        const error = event.type === 'task-failed' ? serializeError(event.error) : undefined;
        reply({ type: 'event', event, error });
      },
      signal,
    );
    reply({ type: 'plan', names: what.map(({ name }) => name), tests: tests.map(({ id }) => id) });
    for (const one of what) {
      // Of what has begun, the rest is done all the same: half a file is nothing to stop at.
      if (gone.aborted) return;
      const answer = await this.#put(one);
      reply({ type: 'put', name: one.name, ...answer });
      if (answer.status !== 0) return;
    }
    for (const { id, command } of tests) {
      if (gone.aborted) return;
      const ran = await this.#awake(async (delivery) =>
        delivery.run(command, (line) => reply({ type: 'output', id, line }), gone),
      );
      reply({ type: 'ran', id, ...ran });
    }
  }
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isEvent(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function within(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = hostClock.after(milliseconds, () => resolve(false));
    void promise.then(() => {
      cancel();
      resolve(true);
    });
  });
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
