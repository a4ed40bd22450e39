// SPDX-License-Identifier: MIT
/** Boots one machine, watches it, and sees to it that nothing of it is left. */
import { symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { StopwatchError } from '../lib/errors.js';
import type { Child, Processes } from '../lib/process/process.js';
import { qemuArguments, type MachineParts } from './qemu/command-line.js';
import { AwakeClock, type Clock } from './clock.js';
import { type DeliveryEnds, makeDeliveryEnds } from './console/delivery.js';
import { type GuestPorts, makePortEnds, type PortEnds } from './console/guest-ports.js';
import type { TraceObserver } from './qemu/trace-filter.js';
import { TraceLog } from './qemu/trace-log.js';
import { plannedTests } from './guest-tests.js';
import { type Ending, outcomeOf } from './outcome.js';
import { LineSplitter } from '../lib/lines.js';
import { ConsoleObserver, Tail } from './console/observer.js';
import { makePrivateDirectory } from '../lib/files/private-directory.js';
import { type Listener, listenOnce, type QmpAnswer, QmpClient } from './qemu/qmp.js';
import { RawLogs, tooLarge } from './raw-logs.js';
import { type BootResult, powersOffWhenDone } from './types.js';
import { type Limits, Watchdog } from './watchdog.js';

/** Host milliseconds. */
const QMP_TIMEOUT = 3000;
/** Between two looks at the event log: so late a divergence may stop the machine. */
const EVENTS_INTERVAL = 25;
/** Pieces of 256 KiB that are read at a time. */
const EVENTS_CHUNKS = 8;
/** For QEMU to go after it was told to through QMP, before it gets a signal. */
const QUIT_GRACE = 1000;
/** For the next result of a test after a kernel went wrong, which may go on. */
const SPLAT_GRACE = 5000;
/** For a kernel that panicked, or a guest that shut down, to end QEMU. */
const END_GRACE = 1500;

export interface BootRequest {
  readonly parts: MachineParts;
  /** QEMU's own trace events to record beside the devices'. */
  readonly monitorPatterns: readonly string[];
  /** Existing directory; sockets go below it if its path is short enough. */
  readonly directory: string;
  /** Absolute paths; each byte is written there before anything looks at it. */
  readonly logs: { readonly console: string; readonly events: string; readonly qemu: string };
  readonly limits: Limits;
  /** Bytes; absent: no limit. */
  readonly sizes?: { readonly console: number; readonly events: number } | undefined;
  /** Something will be sent to the console. */
  readonly input: boolean;
  /** The machine gets ports for a command; `stdin`: also one for its standard input. */
  readonly ports?: { readonly stdin: boolean } | undefined;
  /** Sees the trace, where there is one. */
  readonly observer?: TraceObserver | undefined;
}

export interface BootPorts {
  readonly processes: Processes;
  readonly clock: Clock;
  /** QEMU's whole environment, PATH included. */
  readonly env: Readonly<Record<string, string>>;
  readonly interrupt: AbortSignal;
  readonly onStart?: ((machine: RunningMachine) => void) | undefined;
  readonly onConsole?: ((bytes: Uint8Array) => void) | undefined;
  /** Without escapes and line end. */
  readonly onConsoleLine?: ((line: string) => void) | undefined;
  /** The next bytes of the trace. They are valid until it returns. */
  readonly onEvents?: ((bytes: Uint8Array) => void) | undefined;
  /** The machine gets what delivery.ts needs: QEMU's end of the serial line, and the path of the disk. */
  readonly onDelivery?: ((line: Socket, disk: string) => void) | undefined;
  /** QEMU has connected to them. */
  readonly onPorts?: ((ports: GuestPorts) => void) | undefined;
}

export interface RunningMachine {
  /** Bytes for the serial console. */
  send(bytes: Uint8Array | string): void;
  /** What the console shows after its last line end. */
  readonly prompt: string;
  /** Ends the machine: the outcome is 'stopped' with this reason. */
  stop(reason: string): void;
  /** Ends it at its user's wish: the outcome is 'ended'. */
  quit(reason: string): void;
  /** Gives a command through QMP; undefined while QEMU does not listen. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<QmpAnswer | undefined>;
  /** Lets its time stand still, and go on. Does nothing while QEMU does not listen. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/**
 * Runs the machine to its end, in whatever way that comes. All that a guest or
 * QEMU can do is a BootResult; it rejects only when the host fails (a log
 * cannot be written) or a callback throws. QEMU is gone when it settles.
 */
export async function boot(request: BootRequest, ports: BootPorts): Promise<BootResult> {
  const directory = await makePrivateDirectory(request.directory);
  let listener: Listener | undefined;
  let delivery: DeliveryEnds | undefined;
  let portEnds: PortEnds | undefined;
  const logs = new RawLogs();
  try {
    listener = await listenOnce(join(directory.path, 'qmp'));
    if (ports.onDelivery !== undefined) delivery = await makeDeliveryEnds(directory.path);
    if (request.ports !== undefined) portEnds = await makePortEnds(directory.path, request.ports);
    return await new Boot(request, ports, logs).run(directory.path, listener, { delivery, portEnds });
  } finally {
    portEnds?.close();
    delivery?.listener.close();
    listener?.close();
    logs.close();
    await directory.remove();
  }
}

interface BootEnds {
  readonly delivery: DeliveryEnds | undefined;
  readonly portEnds: PortEnds | undefined;
}

class Boot {
  readonly #request: BootRequest;
  readonly #ports: BootPorts;
  readonly #logs: RawLogs;
  #events: TraceLog | undefined;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #console: ConsoleObserver;
  readonly #messages = new Tail();
  readonly #watchdog: Watchdog;
  #child: Child | undefined;
  #qmp: QmpClient | undefined;
  #ending: Ending = { by: 'itself' };
  #shutdown: string | undefined;
  #dying = false;
  /** The kernel's complaint that waits for a result of the test. */
  #fatal: ConsoleObserver['fatal'];
  #unresponsive = false;
  #fault: { readonly error: unknown } | undefined;

  constructor(request: BootRequest, ports: BootPorts, logs: RawLogs) {
    this.#request = request;
    this.#ports = ports;
    this.#logs = logs;
    this.#clock = new AwakeClock(ports.clock);
    this.#startMs = this.#clock.now();
    this.#watchdog = new Watchdog(this.#clock, (ending) => this.#finish(ending));
    this.#console = new ConsoleObserver(
      () => this.#elapsed(),
      (line) => ports.onConsoleLine?.(line),
    );
  }

  async run(directory: string, listener: Listener, ends: BootEnds): Promise<BootResult> {
    try {
      return await this.#run(directory, listener, ends);
    } finally {
      this.#events?.close();
    }
  }

  async #run(directory: string, listener: Listener, { delivery, portEnds }: BootEnds): Promise<BootResult> {
    const { parts, logs, monitorPatterns, input } = this.#request;
    const consoleLog = this.#logs.create(logs.console);
    const qemuLog = this.#logs.create(logs.qemu);
    // By a short path of our own: QEMU takes a % in the name of its log for a directive.
    const events = join(directory, 'events');
    if (parts.options.trace) await symlink(this.#traceTo(logs.events, qemuLog), events);
    const args = qemuArguments(parts, {
      qmp: join(directory, 'qmp'),
      events: parts.options.trace ? events : undefined,
      monitorPatterns,
      delivery: delivery?.endpoints,
      ports: portEnds?.paths,
    });
    // A disk's snapshot goes to TMPDIR.
    const env = { ...this.#ports.env, TMPDIR: directory };
    if (this.#ports.interrupt.aborted) return this.#notStarted({ by: 'interrupt' }, '');
    let child: Child;
    try {
      child = await this.#ports.processes.spawn(
        { file: parts.files.qemu, args, cwd: directory, env },
        { signal: new AbortController().signal, stdin: input ? 'pipe' : 'ignore' },
      );
    } catch (error) {
      if (!(error instanceof StopwatchError)) throw error;
      return this.#notStarted({ by: 'itself' }, error.message);
    }
    this.#child = child;
    this.#read(child.stdout, consoleLog, (bytes) => {
      this.#watchdog.outputSeen();
      this.#ports.onConsole?.(bytes);
      this.#console.push(bytes);
      this.#watchConsole();
      if (this.#console.panicked && !this.#dying) {
        this.#dying = true;
        this.#endSoon('the kernel panicked');
      }
    });
    const messages = new LineSplitter((line) => this.#messages.push(line));
    this.#read(child.stderr, qemuLog, (bytes) => messages.push(bytes));
    child.stdin?.on('error', () => {}); // EPIPE: it has ended, which is seen elsewhere.

    void listener.connection.then((socket) => this.#connect(socket));
    if (delivery !== undefined) {
      const { disk } = delivery.endpoints;
      void delivery.listener.connection.then((line) =>
        this.#guard(() => this.#ports.onDelivery?.(line, disk)),
      );
    }
    void portEnds?.ports.then((ports) => this.#guard(() => this.#ports.onPorts?.(ports)));
    const onInterrupt = (): void => this.#finish({ by: 'interrupt' });
    this.#ports.interrupt.addEventListener('abort', onInterrupt, { once: true });
    if (this.#ports.interrupt.aborted) onInterrupt();
    this.#watchdog.start(this.#request.limits);
    if (parts.options.trace) this.#followEvents();
    this.#guard(() => this.#ports.onStart?.(this.#machine()));

    const exit = await child.exited;
    // No fault of the machine's: its trace, or its disk.
    if (exit.signal === 'SIGXFSZ') this.#fault ??= { error: tooLarge(logs.events) };
    this.#ports.interrupt.removeEventListener('abort', onInterrupt);
    this.#watchdog.stop();
    this.#guard(() => this.#events?.end((bytes) => this.#ports.onEvents?.(bytes)));
    // Its last event tells the reason of a shutdown.
    if (this.#qmp !== undefined) await this.#qmp.closed;
    messages.end();
    return this.#result({ code: exit.exitCode, signal: exit.signal });
  }

  /** Where QEMU is to write its trace. */
  #traceTo(path: string, message: (bytes: Uint8Array) => void): string {
    const { parts, observer } = this.#request;
    const { devices } = parts;
    this.#events = new TraceLog(
      path,
      {
        ids: devices.map(({ id }) => id),
        prefixes: devices.flatMap(({ device }) => device.description.traceEvents?.prefix ?? []),
        observer,
      },
      { save: this.#logs.create(path), message, release: (file, bytes) => void this.#punch(file, bytes) },
    );
    return this.#events.raw;
  }

  /** Gives the blocks back that QEMU's trace has and nobody needs any more. Not every file system can. */
  async #punch(file: string, bytes: number): Promise<void> {
    const args = ['--punch-hole', '--offset', '0', '--length', String(bytes), file];
    const signal = new AbortController().signal;
    await this.#ports.processes
      .run({ file: 'fallocate', args, env: this.#ports.env }, { signal })
      .catch(() => {});
  }

  /** A guest that prints without an end, or goes on after its kernel went wrong, is ended. */
  #watchConsole(): void {
    const { sizes, parts } = this.#request;
    const console = this.#console;
    if (sizes !== undefined && console.size > sizes.console)
      this.#finish({ by: 'size', what: 'console', bytes: sizes.console });
    const { fatal } = console;
    if (fatal === undefined || this.#fatal !== undefined || !powersOffWhenDone(parts.options)) return;
    this.#fatal = fatal;
    this.#watchdog.after(SPLAT_GRACE, () => {
      this.#fatal = undefined;
      const { text, results } = fatal;
      if (console.results === results && !console.panicked)
        this.#finish({ by: 'splat', seconds: SPLAT_GRACE / 1000, text });
      // The next complaint of the kernel starts this again.
      else if (console.fatal === fatal) console.fatal = undefined;
    });
  }

  /** Raw to the log first, then to whoever looks at it. */
  #read(
    stream: NodeJS.ReadableStream | null,
    log: (bytes: Uint8Array) => void,
    use: (bytes: Uint8Array) => void,
  ): void {
    stream?.on('data', (chunk: Buffer | string) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      this.#guard(() => {
        log(bytes);
        use(bytes);
      });
    });
    stream?.on('error', () => {}); // The process's end is what counts.
  }

  /** A part at a time, so that signals, timers and the console are served between them. */
  #followEvents(): void {
    const isMore = this.#readEvents(EVENTS_CHUNKS);
    this.#watchdog.after(isMore ? 0 : EVENTS_INTERVAL, () => this.#followEvents());
  }

  #readEvents(chunks: number): boolean {
    let isMore = false;
    this.#guard(() => {
      const events = this.#events;
      if (events === undefined) return;
      isMore = events.read((bytes) => this.#ports.onEvents?.(bytes), chunks);
      const most = this.#request.sizes?.events ?? Number.POSITIVE_INFINITY;
      if (events.size > most) this.#finish({ by: 'size', what: 'events', bytes: most });
    });
    return isMore;
  }

  /** What throws in here ends the machine, and is thrown again by `boot`. */
  #guard(action: () => void): void {
    if (this.#fault !== undefined) return;
    try {
      action();
    } catch (error) {
      this.#fault = { error };
      this.#finish({ by: 'stop', reason: 'an error of ours' });
    }
  }

  #connect(socket: ConstructorParameters<typeof QmpClient>[0]): void {
    this.#qmp = new QmpClient(socket, {
      clock: this.#clock,
      timeoutMs: QMP_TIMEOUT,
      onEvent: ({ event, data }) => {
        if (event !== 'SHUTDOWN') return;
        this.#shutdown = String(data['reason']);
        this.#endSoon('QEMU did not end after its shutdown');
      },
    });
  }

  /** Gives what is about to end by itself the time to do so. */
  #endSoon(reason: string): void {
    this.#watchdog.after(END_GRACE, () => this.#finish({ by: 'stuck', reason }));
  }

  /** Only the first call counts. In good order through QMP, so that the device can mark its end; else by signals. */
  #finish(ending: Ending): void {
    if (this.#ending.by !== 'itself') return;
    this.#ending = ending;
    const child = this.#child;
    if (child === undefined) return;
    if (this.#qmp === undefined) {
      void child.end();
      return;
    }
    this.#watchdog.after(QUIT_GRACE, () => {
      this.#unresponsive = true;
      void child.end();
    });
    void this.#qmp.execute('quit');
  }

  #machine(): RunningMachine {
    const console = this.#console;
    return {
      send: (bytes) => void this.#child?.stdin?.write(bytes),
      get prompt() {
        return console.partial;
      },
      stop: (reason) => this.#finish({ by: 'stop', reason }),
      quit: (reason) => this.#finish({ by: 'user', reason }),
      execute: async (command, args) => this.#qmp?.execute(command, args),
      pause: async () => void (await this.#qmp?.execute('stop')),
      resume: async () => void (await this.#qmp?.execute('cont')),
    };
  }

  #elapsed(): number {
    return this.#clock.now() - this.#startMs;
  }

  #notStarted(ending: Ending, why: string): BootResult {
    this.#ending = ending;
    if (why !== '') this.#messages.push(why);
    return this.#result({ code: undefined, signal: undefined });
  }

  #result(exit: BootResult['qemuExit']): BootResult {
    if (this.#fault !== undefined) throw this.#fault.error;
    const { suites, lastLines, splats } = this.#console.end();
    const { findings, firstOutputMs } = this.#console;
    const { options, accelerator } = this.#request.parts;
    const qemuMessages = this.#messages.lines;
    const { outcome, reason } = outcomeOf({
      guest: options.guest,
      expected: plannedTests(this.#request.parts).map(({ suite }) => suite),
      suites,
      findings,
      splats: options.vm.splats,
      printedAnything: firstOutputMs !== undefined,
      lastLine: lastLines.findLast((line) => line.trim() !== '') ?? '',
      ending: this.#ending,
      shutdown: this.#shutdown,
      qemuMessages,
      exit,
    });
    return {
      outcome,
      reason,
      accelerator,
      clock: options.vm.clock,
      suites,
      lastLines,
      warnings: findings
        .filter(({ kind }) => kind === 'splat' || kind === 'out-of-memory')
        .map(({ text }) => text)
        .slice(0, 20),
      splats,
      unresponsive: this.#unresponsive,
      dropped: this.#events?.dropped ?? { lines: 0, bytes: 0 },
      qemuMessages,
      qemuExit: exit,
      timing: {
        firstOutputMs,
        testStartMs: suites[0]?.timing.startMs,
        testEndMs: suites.at(-1)?.timing.endMs,
        endMs: this.#elapsed(),
      },
    };
  }
}
