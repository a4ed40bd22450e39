// SPDX-License-Identifier: MIT
/**
 * A VM that takes new files while it runs (`run --serve`), as `push` and the
 * guest's network_update.sh ask for them.
 *
 * A lock allows one per work directory, and ends with this process. `push` finds
 * the socket through a file of the work directory. If a killed process left that
 * file, connecting to its socket fails.
 */
import { EventEmitter, once, setMaxListeners } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostClock } from '../../vm/clock.js';
import { type Finding, findingOf } from '../../vm/console/console.js';
import { type Answer, Delivery, GONE } from '../../vm/console/delivery.js';
import { Tail } from '../../lib/tail.js';
import { LineSplitter } from '../../lib/lines.js';
import { printable } from '../../lib/printable.js';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import type { BootPorts, RunningMachine } from '../../vm/boot-request.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import type { Emit, Event } from '../engine/events.js';
import { serializeError } from '../../lib/serialize-error.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { withLock } from '../../lib/lock.js';
import { chosen, chosenTests, type Pushable, type PushableTest } from './pushable.js';
import type { Config } from '../config/schema.js';
import type { Result, Services } from '../config/services.js';
import { type PushedTest, resultOfTests } from './pushed-tests.js';

/** Time for the guest to take a file, or to start network_update.sh, in milliseconds of the host. */
const ANSWER_MS = 15_000;

/** What `push` asks for: one line of JSON. */
export interface PushRequest {
  /** Empty: everything. */
  readonly names: readonly string[];
  /** Only what is for this device. */
  readonly device?: string | undefined;
  /** Then run the tests of the devices that it is for. */
  readonly test: boolean;
  /** A test that prints nothing for this long hangs. */
  readonly silenceSeconds: number;
}

/** The request of `exec --attach`: files for the guest, which runs the first one. The client's next line confirms that it is connected to the ports. */
export interface AttachRequest {
  readonly attach: readonly { readonly path: string; readonly base64: string }[];
}

/** A line from the server: an event of the build, or the result, or the error alone. If the connection ends before that, the machine has ended. */
export interface PushReply {
  readonly event?: Event;
  readonly result?: Omit<Result, 'error'>;
  /** The directory of the ports for a command. */
  readonly ports?: string;
  /** The error of the event or of the result, or why there is no result. Separate, because JSON shows nothing of an Error. */
  readonly error?: ReturnType<typeof serializeError> | undefined;
}

export interface ServerAddress {
  readonly pid: number;
  readonly socket: string;
}
/** The file with the address of the serving VM. */
export const addressFile = (work: string): string => join(work, 'run', 'serve.json');

export interface ServeOptions {
  readonly services: Pick<Services, 'signal' | 'processes'> & {
    readonly loaded: { readonly paths: { readonly work: string } };
  };
  readonly pushables: readonly Pushable[];
  readonly tests: readonly PushableTest[];
  readonly splats: Config['vm']['splats'];
  /** The machine is stopped between requests. */
  readonly pausing: boolean;
  /** Builds the stale ones of these. */
  readonly build: (what: readonly Pushable[], emit: Emit, signal: AbortSignal) => Promise<void>;
}

/** Additional ports for the machine; `directory`: where QEMU listens at the ports for commands. */
export type ServingPorts = Required<Pick<BootPorts, 'onStart' | 'onDelivery' | 'onConsoleLine'>> & {
  readonly directory: string;
};

/** Runs `fn`, which boots with these ports as well. Throws 'already-serving' when another VM serves this work directory. */
export async function serving<T>(options: ServeOptions, fn: (ports: ServingPorts) => Promise<T>): Promise<T> {
  const { services } = options;
  const { work } = services.loaded.paths;
  const lock = { signal: services.signal, wait: false, processes: await services.processes() };
  const locked = async (): Promise<T> => {
    const directory = await makePrivateDirectory(tmpdir());
    const own = new Serving(options, directory.path);
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
    throw new StopwatchError('already-serving', `Another VM of ${work} serves already: ${error.message}`, {
      cause: error,
      hint: 'End that one (poweroff), or give this one a work directory of its own: --workdir.',
    });
  }
}

/** `lastLines`: of its console. */
export function vmEnded(lastLines: readonly string[] = []): StopwatchError {
  return new StopwatchError('push-failed', 'The VM ended meanwhile', {
    lastLines,
    hint: 'Its console, in the terminal of `run --serve`, may say why. Start it again: npx stopwatch run --serve',
  });
}

/** A connected client. */
interface Client {
  readonly gone: AbortSignal;
  /** Emits `line` for each line after the request. */
  readonly lines: EventEmitter;
}

class Serving {
  readonly ports: ServingPorts;
  readonly #options: ServeOptions;
  readonly #sockets = new Set<Socket>();
  readonly #console = new Tail();
  /** Receivers of what the kernel reports. */
  readonly #hearing = new Set<(finding: Finding) => void>();
  #machine: RunningMachine | undefined;
  #delivery: Delivery | undefined;
  /** A request of the guest is in progress. */
  #asking = false;
  /** The request in progress, and all that wait for it. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ServeOptions, directory: string) {
    this.#options = options;
    this.ports = {
      directory,
      onConsoleLine: (line) => {
        this.#console.push(printable(line));
        const finding = findingOf(line);
        if (finding !== undefined) for (const hear of this.#hearing) hear(finding);
      },
      onStart: (machine) => {
        this.#machine = machine;
      },
      onDelivery: (line, disk) => this.#started(line, disk),
    };
  }

  end(): void {
    // The answer for clients that still wait for one.
    const error = serializeError(this.#ended());
    for (const socket of this.#sockets) {
      send(socket, { error });
      socket.destroySoon();
    }
  }

  #ended(): StopwatchError {
    return vmEnded(this.#console.lines.slice(-15));
  }

  #started(line: Socket, disk: string): void {
    this.#delivery = new Delivery(line, disk, {
      clock: hostClock,
      timeoutMs: ANSWER_MS,
      onAsk: (name) => this.#asked(name),
    });
    // The guest must have started before it is stopped.
    void this.#awake(async () => ({ status: 0, text: '' }));
  }

  /** Runs actions one after the other, with the machine running. */
  #awake(action: (delivery: Delivery) => Promise<Answer>): Promise<Answer> {
    const { pausing } = this.#options;
    const turn = this.#queue.then(async (): Promise<Answer> => {
      const delivery = this.#delivery;
      if (delivery === undefined) return { status: 1, text: 'the machine has not started yet' };
      if (pausing) await this.#machine?.execute('cont');
      try {
        const up = await within(delivery.ready, ANSWER_MS);
        if (!up) return { status: 1, text: 'the guest does not run network_update.sh' };
        const answer = await action(delivery);
        if (answer === GONE) throw this.#ended();
        return answer;
      } finally {
        if (pausing) await this.#machine?.execute('stop');
      }
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** A request from the guest. One build at a time, because a guest may send any number of requests. */
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

  /** A connection of `push` or `exec --attach`. */
  connected(socket: Socket): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort(new StopwatchError('interrupted', 'Whoever pushed has gone'));
    });
    socket.on('error', () => {}); // 'close' follows.
    const client: Client = { gone: gone.signal, lines: new EventEmitter() };
    const splitter = new LineSplitter((line) => {
      if (client.lines.emit('line')) return;
      void this.#serve(line, socket, client).catch(() => socket.destroy());
    });
    socket.on('data', (chunk: Buffer) => splitter.push(chunk));
  }

  async #serve(line: string, socket: Socket, { gone, lines }: Client): Promise<void> {
    const request: PushRequest | AttachRequest = JSON.parse(line);
    const reply = (message: PushReply): void => send(socket, message);
    const emit: Emit = (event) =>
      reply({ event, error: event.type === 'task-failed' ? serializeError(event.error) : undefined });
    const findings: Finding[] = [];
    const hear = (finding: Finding): void => void findings.push(finding);
    this.#hearing.add(hear);
    try {
      const { error, ...result } =
        'attach' in request
          ? await this.#attach(request, reply, { gone, lines })
          : await this.#carryOut(request, { emit, findings, gone });
      reply({ result, error: error && serializeError(error) });
    } catch (thrown) {
      reply({ error: serializeError(thrown) });
    }
    this.#hearing.delete(hear);
    socket.end();
  }

  async #attach(
    { attach }: AttachRequest,
    reply: (message: PushReply) => void,
    { gone, lines }: Client,
  ): Promise<Result> {
    const { status, text } = await this.#awake(async (delivery) => {
      for (const { path, base64 } of attach) {
        const file = { content: Buffer.from(base64, 'base64'), path, mode: 0o755, module: undefined };
        const answer = await delivery.put(file);
        if (answer.status !== 0) return answer;
      }
      const connected = once(lines, 'line', { signal: gone });
      reply({ ports: this.ports.directory });
      await connected;
      return delivery.run(`run_command.sh ${attach[0]?.path}`, () => {}, gone);
    });
    if (status === 0) return { exitCode: EXIT.passed };
    throw new StopwatchError('push-failed', `The command did not end: ${text || `status ${status}`}`);
  }

  async #carryOut(
    request: PushRequest,
    { emit, findings, gone }: { emit: Emit; findings: readonly Finding[]; gone: AbortSignal },
  ): Promise<Result> {
    const { pushables, services, build, splats } = this.#options;
    const what = chosen(pushables, request);
    const signal = AbortSignal.any([services.signal, gone]);
    // Every process of a build adds a listener.
    setMaxListeners(0, signal);
    await build(what, emit, signal);
    const pushed: string[] = [];
    const verdict = () => [...pushed, ...findings.map(({ text }) => `Warning      ${text}`)];
    for (const one of what) {
      gone.throwIfAborted();
      const { status, text } = await this.#put(one);
      if (status !== 0) {
        const hint = 'What it had before is still there.';
        const message = `The guest did not take ${one.name}: ${text}`;
        const error = new StopwatchError('push-failed', message, { hint });
        return { exitCode: error.exitCode, error, verdict: verdict() };
      }
      pushed.push(`Pushed       ${one.name}: ${text}`);
    }
    if (!request.test)
      return { exitCode: EXIT.passed, verdict: verdict(), next: 'npx stopwatch push --test' };
    const tests: PushedTest[] = [];
    for (const test of chosenTests(this.#options.tests, what, request))
      tests.push(await this.#test(test, request.silenceSeconds, gone));
    return resultOfTests(tests, findings, { splats, verdict: verdict() });
  }

  /** Throws 'guest-hung'. */
  async #test({ id, command }: PushableTest, silenceSeconds: number, gone: AbortSignal): Promise<PushedTest> {
    const output: string[] = [];
    const hung = new AbortController();
    const signal = AbortSignal.any([gone, hung.signal]);
    let cancel: (() => void) | undefined;
    const wait = (): void => {
      cancel?.();
      cancel = hostClock.after(silenceSeconds * 1000, () =>
        hung.abort(
          new StopwatchError('guest-hung', `The guest printed nothing for ${silenceSeconds} s`, {
            lastLines: output.slice(-15),
            hint: 'Look at its console: the terminal of `run --serve`.',
          }),
        ),
      );
    };
    const { status } = await this.#awake(async (delivery) => {
      signal.throwIfAborted();
      wait();
      const onOutput = (line: string): void => {
        output.push(line);
        wait();
      };
      return delivery.run(command, onOutput, signal);
    }).finally(() => cancel?.());
    signal.throwIfAborted();
    return { id, output, status };
  }
}

async function within(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = hostClock.after(milliseconds, () => resolve(false));
    void promise.then(() => {
      cancel?.();
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

function send(socket: Socket, message: PushReply): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}
