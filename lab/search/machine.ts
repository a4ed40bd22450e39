// SPDX-License-Identifier: MIT
/** One QEMU without a guest: qtest through two FIFOs, QMP on a socket, its clock driven by hand. */
import { join } from 'node:path';
import type { Child, Exit, Processes } from '../../lib/process/process.js';
import type { Clock } from '../../vm/clock.js';
import { LineSplitter } from '../../vm/console/lines.js';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import { describeFailure, type Listener, listenOnce, QmpClient, type QmpEvent } from '../../vm/qmp.js';
import { processorSeconds } from './processor-time.js';
import { Tape } from './tape.js';
import { openWire, type Wire } from './wire.js';

export interface MachineRequest {
  readonly qemu: string;
  /** QEMU type of the device and its properties, as for `-device`, without an id. */
  readonly device: string;
  /** A directory for sockets. */
  readonly directory: string;
  /** How long QEMU may be silent before it counts as hung. */
  readonly silenceMs: number;
  /** Each QEMU writes these trace events, and guest errors, to a file of its own, and is ended in good order. */
  readonly trace?: { readonly patterns: readonly string[]; readonly newFile: () => string };
  /** Driven by hand; or the host's, which goes on by itself. Driven if not given. */
  readonly clock?: 'driven' | 'host';
  /** More of QEMU's arguments. */
  readonly more?: readonly string[];
  /** QEMU is ended in good order and not killed: it has something to write at its end. */
  readonly orderly?: boolean;
}

export interface MachinePorts {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** QEMU is gone or answers no longer; `hung`: it was still there. */
export class MachineError extends Error {
  override readonly name = 'MachineError';
  constructor(
    message: string,
    readonly hung: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const ID = 'fuzzed';
/** Lines of standard error that are kept: a sanitizer's report is long. */
const STDERR_LINES = 200;

/** A sanitizer that finds something ends QEMU at once; leaks at its exit are not the device's. */
const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1:abort_on_error=0:exitcode=77',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1:exitcode=77',
};

/** How long a QEMU that does not start may take to say why. */
const LAST_WORDS_MS = 2000;

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}

async function makeFifos(paths: readonly string[], { processes, env, signal }: MachinePorts): Promise<void> {
  const said: string[] = [];
  const args = ['-m', '600', ...paths];
  const made = await processes.run(
    { file: 'mkfifo', args, env },
    { signal, onLine: (line) => said.push(line) },
  );
  if (made.exitCode !== 0 && !signal.aborted)
    throw new MachineError(`mkfifo ${args.join(' ')} failed: ${said.join(' | ')}`, false);
}

function wireTo(path: string): Wire {
  try {
    return openWire(path);
  } catch (cause) {
    throw new MachineError('QEMU ended, or does not open its FIFOs', false, { cause });
  }
}

/** With a clock that goes on by itself goes a processor that has nothing to do. */
function accelerator(clock: MachineRequest['clock']): string[] {
  if (clock !== 'host') return ['-accel', 'qtest'];
  return ['-accel', 'tcg', '-global', 'arm-cpu.start-powered-off=on'];
}

function tracing(trace: MachineRequest['trace']): string[] {
  if (trace === undefined) return [];
  const patterns = trace.patterns.flatMap((pattern) => ['-trace', pattern]);
  return [...patterns, '-d', 'guest_errors', '-D', trace.newFile()];
}

export class FuzzMachine {
  readonly #events: QmpEvent[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  private constructor(
    readonly tape: Tape,
    readonly stderr: string[],
    private readonly child: Child,
    private readonly qmp: QmpClient,
    private readonly directory: { readonly path: string; remove(): Promise<void> },
    private readonly silenceMs: number,
    private readonly orderly: boolean,
  ) {
    void child.exited.then(() => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Seconds of processor time so far. */
  get processor(): number {
    return processorSeconds(this.child.pid);
  }

  /** Starts QEMU; with `incoming` it waits for `load`, its clock at that time. Rejects with MachineError. */
  static async start(
    request: MachineRequest,
    ports: MachinePorts,
    incoming?: { readonly now: bigint },
  ): Promise<FuzzMachine> {
    const directory = await makePrivateDirectory(request.directory);
    const listeners: Listener[] = [];
    const stderr: string[] = [];
    let child: Child | undefined;
    let tape: Tape | undefined;
    try {
      const wire = join(directory.path, 'qtest');
      await makeFifos([`${wire}.in`, `${wire}.out`], ports);
      const monitor = await listenOnce(join(directory.path, 'qmp'));
      listeners.push(monitor);
      const args = [
        ['-machine', 'virt', '-m', '8M', ...accelerator(request.clock)],
        ['-nodefaults', '-no-user-config', '-display', 'none'],
        ['-chardev', `pipe,id=qtest,path=${wire}`, '-qtest', 'chardev:qtest', '-qtest-log', 'none'],
        ['-chardev', `socket,id=qmp,path=${join(directory.path, 'qmp')}`],
        ['-mon', 'chardev=qmp,mode=control'],
        ['-device', `${request.device},id=${ID}`],
        incoming === undefined ? [] : ['-incoming', 'defer'],
        tracing(request.trace),
        [...(request.more ?? [])],
      ].flat();
      child = await ports.processes.spawn(
        { file: request.qemu, args, env: { ...ports.env, ...SANITIZERS } },
        { signal: ports.signal, graceMs: 200 },
      );
      const lines = new LineSplitter((line) => {
        if (stderr.length < STDERR_LINES) stderr.push(line);
      });
      child.stderr?.on('data', (chunk: Buffer) => lines.push(chunk));
      child.stdout?.on('data', () => {});
      const early = child.exited.then((): never => {
        throw new MachineError('QEMU ended', false);
      });
      const qmpStream = await Promise.race([monitor.connection, early]);
      let machine: FuzzMachine | undefined;
      const waiting: QmpEvent[] = [];
      const qmp = new QmpClient(qmpStream, {
        clock: ports.clock,
        timeoutMs: request.silenceMs,
        onEvent: (event) => (machine === undefined ? waiting.push(event) : machine.#event(event)),
      });
      // QEMU greets when all its chardevs are open.
      const ready = await qmp.ready;
      if (!ready.ok) throw new MachineError(`QMP: ${describeFailure(ready.failure)}`, true);
      tape = new Tape(wireTo(wire), request.silenceMs);
      machine = new FuzzMachine(
        tape,
        stderr,
        child,
        qmp,
        directory,
        request.silenceMs,
        request.orderly === true || request.trace !== undefined,
      );
      early.catch(() => {});
      waiting.forEach((event) => machine.#event(event));
      await machine.#prepare(incoming);
      return machine;
    } catch (error) {
      // If it is about to end by itself, it may have something to say.
      const exit = child && (await within(LAST_WORDS_MS, child.exited));
      if (exit === undefined) child?.kill('SIGKILL');
      await child?.exited;
      listeners.forEach((listener) => listener.close());
      tape?.close();
      await directory.remove();
      if (!(error instanceof MachineError)) throw error;
      const said = stderr.length === 0 ? 'and said nothing' : `and said: ${stderr.join(' | ')}`;
      throw new MachineError(`${error.message} at its start, ${said}`, error.hung);
    }
  }

  async #prepare(incoming?: { readonly now: bigint }): Promise<void> {
    await this.execute('migrate-set-capabilities', {
      capabilities: ['events', 'pause-before-switchover'].map((capability) => ({ capability, state: true })),
    });
    // From now on every change of the line is told, in order with the answers.
    await this.#ask(`irq_intercept_out /machine/peripheral/${ID} sysbus-irq`, 'OK');
    if (incoming !== undefined && incoming.now > 0n)
      await this.#ask(`clock_set ${incoming.now}`, `OK ${incoming.now}`);
  }

  async #ask(command: string, answer: string): Promise<void> {
    const heard = await this.tape.exchange(`${command}\n`, `${answer}\n`);
    if (heard.heard === 'same') return;
    const got = heard.heard === 'different' ? heard.difference.actual : heard.heard;
    throw new MachineError(`${command}: expected ${answer}, got ${got}`, heard.heard === 'nothing');
  }

  /** A QMP command. Rejects with MachineError. */
  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = await this.qmp.execute(command, args);
    if (answer.ok) return answer.value;
    throw new MachineError(
      `${command}: ${describeFailure(answer.failure)}`,
      answer.failure.kind === 'timeout',
    );
  }

  async reset(): Promise<void> {
    this.#events.length = 0;
    await this.execute('system_reset');
    await this.#happens(({ event }) => event === 'RESET', 'machine reset');
  }

  async stop(): Promise<void> {
    await this.execute('stop');
  }

  async cont(): Promise<void> {
    await this.execute('cont');
  }

  /** Saves the VM's memory to a file, and stops the VM. What changes from here on follows in `finishSave`. */
  async beginSave(file: string): Promise<void> {
    await this.execute('migrate', { uri: `file:${file}` });
    await this.#migrated('saving', 'pre-switchover');
  }

  /** Saves the rest. Nothing can be done with the VM afterwards. */
  async finishSave(): Promise<void> {
    await this.execute('migrate-continue', { state: 'pre-switchover' });
    await this.#migrated('saving');
  }

  async load(file: string): Promise<void> {
    await this.execute('migrate-incoming', { uri: `file:${file}` });
    await this.#migrated('loading');
  }

  /** Whether QEMU takes it. If not, it must say so and stay; it is of no use any more then. */
  async takes(file: string): Promise<boolean> {
    await this.execute('migrate-incoming', { uri: `file:${file}`, 'exit-on-error': false });
    const { data } = await this.#happens(
      ({ event, data: told }) =>
        event === 'MIGRATION' && ['completed', 'failed'].includes(String(told['status'])),
      'loading a changed state',
    );
    await this.execute('query-status');
    return data['status'] === 'completed';
  }

  async #migrated(what: string, wanted = 'completed'): Promise<void> {
    const done = await this.#happens(
      ({ event, data }) =>
        event === 'MIGRATION' && (data['status'] === wanted || data['status'] === 'failed'),
      what,
    );
    if (done.data['status'] === 'failed') throw new MachineError(`${what} the VM failed`, false);
    // The status is told before the last of it is done; a command waits for that.
    await this.execute('query-status');
  }

  #event(event: QmpEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  async #happens(wanted: (event: QmpEvent) => boolean, what: string): Promise<QmpEvent> {
    const deadline = performance.now() + this.silenceMs;
    for (;;) {
      const found = this.#events.findIndex(wanted);
      if (found >= 0) {
        const [event] = this.#events.splice(0, found + 1).slice(-1);
        if (event !== undefined) return event;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw new MachineError(`${what}: not done within ${this.silenceMs} ms`, true);
      if (this.#ended) throw new MachineError(`${what}: QEMU is gone`, false);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** How it ended by itself, waiting a moment for that; undefined if it is still there. */
  async exit(withinMs: number): Promise<Exit | undefined> {
    return within(withinMs, this.child.exited);
  }

  /** Ends QEMU: at once, or in good order for the sake of what it writes then. */
  async end(): Promise<void> {
    if (this.orderly) {
      await this.qmp.execute('quit');
      await this.exit(this.silenceMs);
    }
    this.child.kill('SIGKILL');
    await this.child.exited;
    this.tape.close();
    this.qmp.close();
    await this.directory.remove();
  }
}
