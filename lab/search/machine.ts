// SPDX-License-Identifier: MIT
/** One QEMU without a guest: qtest through two FIFOs, QMP on a socket, and a clock that only the search moves. */
import { join } from 'node:path';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import type { Child, Exit, Processes } from '../../lib/process/process.js';
import type { Clock } from '../../vm/clock.js';
import { LineSplitter } from '../../lib/lines.js';
import { qmpFailureText, type Listener, listenOnce, QmpClient, type QmpEvent } from '../../vm/qemu/qmp.js';
import { openPipes, type Pipes, QtestChannel } from './qtest.js';

/** A machine for a device with any properties. */
export interface SearchRequest {
  readonly qemu: string;
  /** Directory for sockets and saved states. */
  readonly directory: string;
  /** How long QEMU may be silent before it counts as hung. */
  readonly silenceMs: number;
  /** Each QEMU writes these trace events, and guest errors, to a new file. */
  readonly trace?: { readonly patterns: readonly string[]; readonly newFile: () => string } | undefined;
  /** Let QEMU exit by itself instead of killing it, so that it writes its coverage. Implied by `trace`. */
  readonly orderly?: boolean | undefined;
}

export interface MachineRequest extends SearchRequest {
  /** QEMU type of the device and its properties, as for `-device`, without an id. */
  readonly device: string;
  /** `driven` (the default): moved by the search. `host`: the host's clock. */
  readonly clock?: 'driven' | 'host' | undefined;
  /** More arguments for QEMU. */
  readonly more?: readonly string[] | undefined;
}

export interface MachinePorts {
  readonly processes: Processes;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** QEMU has ended or no longer answers. `hung`: it was still running. */
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

/** The device's id in QEMU and in its trace. */
export const SEARCH_ID = 'fuzzed';
/** Lines of standard error that are kept. A sanitizer's report is long. */
const STDERR_LINES = 200;

/** A sanitizer's finding ends QEMU at once. Leaks at exit are not the device's. */
const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1:abort_on_error=0:exitcode=77',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1:exitcode=77',
};

/** How long a QEMU that failed to start may take to exit with a message. */
const FAILED_START_MS = 2000;

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
  const output: string[] = [];
  const args = ['-m', '600', ...paths];
  const made = await processes.run(
    { file: 'mkfifo', args, env },
    { signal, onLine: (line) => output.push(line) },
  );
  if (made.exitCode !== 0 && !signal.aborted)
    throw new MachineError(`mkfifo ${args.join(' ')} failed: ${output.join(' | ')}`, false);
}

function pipesTo(path: string): Pipes {
  try {
    return openPipes(path);
  } catch (cause) {
    throw new MachineError('QEMU ended, or did not open its FIFOs', false, { cause });
  }
}

function argumentsOf(
  { device, clock, trace, more = [] }: MachineRequest,
  directory: string,
  incoming: boolean,
): string[] {
  return [
    ['-machine', 'virt', '-m', '8M'],
    // The host's clock needs TCG; its processor stays off.
    clock === 'host' ? ['-accel', 'tcg', '-global', 'arm-cpu.start-powered-off=on'] : ['-accel', 'qtest'],
    ['-nodefaults', '-no-user-config', '-display', 'none'],
    ['-chardev', `pipe,id=qtest,path=${join(directory, 'qtest')}`],
    ['-qtest', 'chardev:qtest', '-qtest-log', 'none'],
    ['-chardev', `socket,id=qmp,path=${join(directory, 'qmp')}`, '-mon', 'chardev=qmp,mode=control'],
    ['-device', `${device},id=${SEARCH_ID}`],
    incoming ? ['-incoming', 'defer'] : [],
    trace === undefined
      ? []
      : [...trace.patterns.flatMap((one) => ['-trace', one]), '-d', 'guest_errors', '-D', trace.newFile()],
    more,
  ].flat();
}

export class SearchMachine {
  readonly #events: QmpEvent[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  private constructor(
    readonly qtest: QtestChannel,
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

  /** Starts QEMU. With `incoming`, its clock is set to that time and it waits for `load`. Rejects with MachineError. */
  static async start(
    request: MachineRequest,
    ports: MachinePorts,
    incoming?: { readonly now: bigint },
  ): Promise<SearchMachine> {
    const directory = await makePrivateDirectory(request.directory);
    const stderr: string[] = [];
    let monitor: Listener | undefined;
    let child: Child | undefined;
    let qtest: QtestChannel | undefined;
    try {
      const pipes = join(directory.path, 'qtest');
      await makeFifos([`${pipes}.in`, `${pipes}.out`], ports);
      monitor = await listenOnce(join(directory.path, 'qmp'));
      const args = argumentsOf(request, directory.path, incoming !== undefined);
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
      let machine: SearchMachine | undefined;
      const waiting: QmpEvent[] = [];
      const qmp = new QmpClient(qmpStream, {
        clock: ports.clock,
        timeoutMs: request.silenceMs,
        onEvent: (event) => (machine === undefined ? waiting.push(event) : machine.#event(event)),
      });
      // QEMU sends its greeting when all chardevs are open.
      const ready = await qmp.ready;
      if (!ready.ok) throw new MachineError(`QMP: ${qmpFailureText(ready.failure)}`, true);
      qtest = new QtestChannel(pipesTo(pipes), request.silenceMs);
      const orderly = request.orderly === true || request.trace !== undefined;
      machine = new SearchMachine(qtest, stderr, child, qmp, directory, request.silenceMs, orderly);
      early.catch(() => {});
      waiting.forEach((event) => machine.#event(event));
      await machine.#prepare(incoming);
      return machine;
    } catch (error) {
      // A QEMU that is about to exit may still print the reason.
      const exit = child && (await within(FAILED_START_MS, child.exited));
      if (exit === undefined) child?.kill('SIGKILL');
      await child?.exited;
      monitor?.close();
      qtest?.close();
      await directory.remove();
      if (!(error instanceof MachineError)) throw error;
      const printed = stderr.length === 0 ? 'and printed nothing' : `and printed: ${stderr.join(' | ')}`;
      throw new MachineError(`${error.message} at its start, ${printed}`, error.hung);
    }
  }

  async #prepare(incoming?: { readonly now: bigint }): Promise<void> {
    await this.execute('migrate-set-capabilities', {
      capabilities: ['events', 'pause-before-switchover'].map((capability) => ({ capability, state: true })),
    });
    await this.#intercept();
    if (incoming !== undefined && incoming.now > 0n)
      await this.#ask(`clock_set ${incoming.now}`, `OK ${incoming.now}`);
  }

  /** From here on, each change of the interrupt line is reported among the answers, in order. A device may have no such line. */
  async #intercept(): Promise<void> {
    const command = `irq_intercept_out /machine/peripheral/${SEARCH_ID} sysbus-irq`;
    const [answer = 'nothing'] = await this.qtest.record(`${command}\n`, 1, this.silenceMs);
    if (answer === 'OK' || answer === 'FAIL No intercepts installed') return;
    throw new MachineError(`${command}: expected OK, got ${answer}`, answer === 'nothing');
  }

  async #ask(command: string, answer: string): Promise<void> {
    const answered = await this.qtest.exchange(`${command}\n`, `${answer}\n`);
    if (answered.result === 'same') return;
    const got = answered.result === 'different' ? answered.mismatch.actual : answered.result;
    throw new MachineError(`${command}: expected ${answer}, got ${got}`, answered.result === 'silent');
  }

  /** Runs a QMP command. Rejects with MachineError. */
  async execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = await this.qmp.execute(command, args);
    if (answer.ok) return answer.value;
    const hung = answer.failure.kind === 'timeout';
    throw new MachineError(`${command}: ${qmpFailureText(answer.failure)}`, hung);
  }

  async reset(): Promise<void> {
    this.#events.length = 0;
    await this.execute('system_reset');
    await this.#waitFor(({ event }) => event === 'RESET', 'machine reset');
  }

  async stop(): Promise<void> {
    await this.execute('stop');
  }

  async cont(): Promise<void> {
    await this.execute('cont');
  }

  /** Saves the VM's memory to a file, and stops the VM. Later changes are saved by `finishSave`. */
  async beginSave(file: string): Promise<void> {
    await this.execute('migrate', { uri: `file:${file}` });
    await this.#migrated('saving', 'pre-switchover');
  }

  /** Saves the rest. The VM cannot be used afterwards. */
  async finishSave(): Promise<void> {
    await this.execute('migrate-continue', { state: 'pre-switchover' });
    await this.#migrated('saving');
  }

  async load(file: string): Promise<void> {
    await this.execute('migrate-incoming', { uri: `file:${file}` });
    await this.#migrated('loading');
  }

  /** Loads a changed state. Returns whether QEMU accepts it; if not, QEMU must report that and keep running. */
  async accepts(file: string): Promise<boolean> {
    await this.execute('migrate-incoming', { uri: `file:${file}`, 'exit-on-error': false });
    const ended = await this.#migration(['completed', 'failed'], 'loading a changed state');
    await this.execute('query-status');
    return ended === 'completed';
  }

  async #migrated(what: string, wanted = 'completed'): Promise<void> {
    if ((await this.#migration([wanted, 'failed'], what)) === 'failed')
      throw new MachineError(`${what} the VM failed`, false);
    // The event comes before QEMU has finished; the next command waits for that.
    await this.execute('query-status');
  }

  async #migration(statuses: readonly string[], what: string): Promise<string> {
    const isEnd = ({ event, data }: QmpEvent): boolean =>
      event === 'MIGRATION' && statuses.includes(String(data['status']));
    const { data } = await this.#waitFor(isEnd, what);
    return String(data['status']);
  }

  #event(event: QmpEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  async #waitFor(wanted: (event: QmpEvent) => boolean, what: string): Promise<QmpEvent> {
    const deadline = performance.now() + this.silenceMs;
    for (;;) {
      const found = this.#events.findIndex(wanted);
      if (found >= 0) {
        const [event] = this.#events.splice(0, found + 1).slice(-1);
        if (event !== undefined) return event;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw new MachineError(`${what}: not done within ${this.silenceMs} ms`, true);
      if (this.#ended) throw new MachineError(`${what}: QEMU has exited`, false);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Waits for QEMU to exit by itself; undefined if it is still running after that time. */
  async exit(withinMs: number): Promise<Exit | undefined> {
    return within(withinMs, this.child.exited);
  }

  /** Ends QEMU: at once, or in order if it has something to write first. */
  async end(): Promise<void> {
    if (this.orderly) {
      await this.qmp.execute('quit');
      await this.exit(this.silenceMs);
    }
    this.child.kill('SIGKILL');
    await this.child.exited;
    this.qtest.close();
    this.qmp.close();
    await this.directory.remove();
  }
}
