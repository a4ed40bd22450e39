// SPDX-License-Identifier: MIT
/** A machine that replays a recording and can stop at an instruction count (replay-break in QEMU's docs/system/replay.rst). */
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import type { Child, Processes } from '../../lib/process/process.js';
import { type MachineParts, qemuArguments } from '../qemu/command-line.js';
import { EventLog } from '../qemu/event-log.js';
import type { Clock } from '../clock.js';
import { LineSplitter } from '../../lib/lines.js';
import { Tail } from '../../lib/tail.js';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import { qmpFailureText, type Listener, listenOnce, QmpClient } from '../qemu/qmp.js';

/** Timeout for an answer from QMP, host milliseconds. */
const QMP_TIMEOUT = 10_000;

export interface ReplayedPorts {
  readonly processes: Processes;
  readonly clock: Clock;
  /** QEMU's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ReplayedRequest {
  /** Must have a `recording` to replay. */
  readonly parts: MachineParts;
  /** File for the devices' events. */
  readonly events: string;
  /** Id of the device whose events are counted. */
  readonly id: string;
  /** Existing directory for sockets. */
  readonly directory: string;
  /** Further arguments for QEMU, including -S. */
  readonly more: readonly string[];
}

/** The parts of a running machine. */
interface Parts {
  readonly child: Child;
  readonly qmp: QmpClient;
  /** Emits QMP's events by their names. */
  readonly qmpEvents: EventEmitter;
  readonly stderr: Tail;
  readonly events: Events;
  readonly clean: () => Promise<void>;
}

export class Replayed {
  private constructor(private readonly parts: Parts) {}

  /** Starts QEMU, stopped before the first instruction. Rejects with StopwatchError. */
  static async start(request: ReplayedRequest, ports: ReplayedPorts): Promise<Replayed> {
    const { parts, more } = request;
    const directory = await makePrivateDirectory(request.directory);
    const stderr = new Tail();
    let listener: Listener | undefined;
    let child: Child | undefined;
    const events = new Events(request.events, request.id);
    const clean = async (): Promise<void> => {
      child?.kill('SIGKILL');
      await child?.exited;
      listener?.close();
      events.close();
      await directory.remove();
    };
    try {
      const socket = join(directory.path, 'qmp');
      listener = await listenOnce(socket);
      const args = qemuArguments(parts, { qmp: socket, events: request.events, monitorPatterns: [] });
      const env = { ...ports.env, TMPDIR: directory.path };
      child = await ports.processes.spawn(
        { file: parts.files.qemu, args: [...args, ...more], cwd: directory.path, env },
        { signal: ports.signal },
      );
      const lines = new LineSplitter((line) => stderr.push(line));
      child.stderr?.on('data', (chunk: Buffer) => lines.push(chunk));
      child.stdout?.on('data', () => {});
      const stream = await Promise.race([listener.connection, child.exited.then(() => undefined)]);
      if (stream === undefined) throw died('start failed', stderr);
      const qmpEvents = new EventEmitter();
      const qmp = new QmpClient(stream, {
        clock: ports.clock,
        timeoutMs: QMP_TIMEOUT,
        onEvent: ({ event }) => qmpEvents.emit(event),
      });
      const ready = await qmp.ready;
      if (!ready.ok) throw died(`start failed: ${qmpFailureText(ready.failure)}`, stderr);
      return new Replayed({ child, qmp, qmpEvents, stderr, events, clean });
    } catch (error) {
      await clean();
      throw error;
    }
  }

  /** Runs until this many instructions have executed since the start. 'ended': the recording ended before. */
  async runTo(instructions: bigint): Promise<'stopped' | 'ended'> {
    const stopped = once(this.parts.qmpEvents, 'STOP').then(() => 'stopped' as const);
    await this.#execute('replay-break', { icount: Number(instructions) });
    await this.#execute('cont');
    return Promise.race([stopped, this.ended.then(() => 'ended' as const)]);
  }

  /** `seq` of the device's last event so far, while stopped; -1 if there was none. */
  lastSeq(): bigint {
    return this.parts.events.lastSeq();
  }

  /** QEMU's process id. */
  get pid(): number {
    return this.parts.child.pid;
  }

  /** Resolves when QEMU has exited. */
  get ended(): Promise<void> {
    return this.parts.child.exited.then(() => {});
  }

  /** Ends QEMU and cleans up. */
  async end(): Promise<void> {
    await this.parts.clean();
    this.parts.qmp.close();
  }

  async #execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await this.parts.qmp.execute(command, args);
    if (!answer.ok) throw died(`${command} failed: ${qmpFailureText(answer.failure)}`, this.parts.stderr);
  }
}

function died(when: string, { lines }: Tail): StopwatchError {
  return new StopwatchError('qemu-died', `QEMU did not replay the recording: ${when}`, { lastLines: lines });
}

/** Follows the device's events in QEMU's log. */
class Events {
  readonly #log: EventLog;
  readonly #lines: LineSplitter;
  #last = -1n;

  constructor(path: string, id: string) {
    this.#log = new EventLog(path);
    this.#lines = new LineSplitter((line) => {
      this.#last = seqOf(line, id) ?? this.#last;
    });
  }

  lastSeq(): bigint {
    this.#log.read((bytes) => this.#lines.push(bytes));
    return this.#last;
  }

  close(): void {
    this.#log.close();
  }
}

/** `seq` of a trace line, if it belongs to this device. */
export function seqOf(line: string, id: string): bigint | undefined {
  const [, of, seq = ''] = /^\w+ id=(\S+) seq=(\d+) /.exec(line) ?? [];
  return of === id ? BigInt(seq) : undefined;
}
