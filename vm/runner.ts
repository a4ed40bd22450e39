// SPDX-License-Identifier: MIT
/** Boots one machine, monitors it, and cleans up when it ends. */
import { symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { StopwatchError } from '../lib/errors.js';
import type { Child, Processes } from '../lib/process/process.js';
import { qemuArguments, type MachineParts } from './qemu/command-line.js';
import { AwakeClock, type Clock } from './clock.js';
import { type DeliveryEnds, makeDeliveryEnds } from './console/delivery.js';
import { type GuestPorts, makePortEnds, type PortEnds, type PortsRequest } from './console/guest-ports.js';
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

// Times are in host milliseconds.
const QMP_TIMEOUT = 3000;
/** Time between two reads of the event log; limits how late a divergence can stop the machine. */
const EVENTS_INTERVAL = 25;
/** Number of 256 KiB chunks to read at a time. */
const EVENTS_CHUNKS = 8;
/** How long QEMU may take to exit after QMP's `quit` before it gets a signal. */
const QUIT_GRACE = 1000;
/** How long the next test result may take after a fatal splat. */
const SPLAT_GRACE = 5000;
/** For a guest that hangs to print where its processes wait. */
const BLOCKED_GRACE = 1000;
/** How long QEMU may take to exit after a panic or a shutdown. */
const END_GRACE = 1500;

export interface BootRequest {
  readonly parts: MachineParts;
  /** QEMU's own trace events to record in addition to the devices'. */
  readonly monitorPatterns: readonly string[];
  /** Existing directory for sockets, unless its path is too long. */
  readonly directory: string;
  /** Absolute paths. Every byte is logged before it is processed. */
  readonly logs: { readonly console: string; readonly events: string; readonly qemu: string };
  readonly limits: Limits;
  /** Size limits, bytes; absent: no limits. */
  readonly sizes?: { readonly console: number; readonly events: number } | undefined;
  /** Whether the caller will send input to the console. */
  readonly input: boolean;
  /** Adds the ports of guest-ports.ts. */
  readonly ports?: PortsRequest | undefined;
  /** Receives trace events, if tracing is on. */
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
  /** Called with each line, without escape sequences and newline. */
  readonly onConsoleLine?: ((line: string) => void) | undefined;
  /** Called with the next bytes of the trace, which are valid until it returns. */
  readonly onEvents?: ((bytes: Uint8Array) => void) | undefined;
  /** Adds the serial line and the disk of delivery.ts; called with the line and the disk's path. */
  readonly onDelivery?: ((line: Socket, disk: string) => void) | undefined;
  /** Called when QEMU has connected to the ports. */
  readonly onPorts?: ((ports: GuestPorts) => void) | undefined;
}

export interface RunningMachine {
  /** Sends bytes to the serial console. */
  send(bytes: Uint8Array | string): void;
  /** The console's text after the last newline. */
  readonly prompt: string;
  /** Ends the machine with the outcome 'stopped' and this reason. */
  stop(reason: string): void;
  /** Ends the machine on the user's request, with the outcome 'ended'. */
  quit(reason: string): void;
  /** Executes a QMP command; resolves with undefined while QMP is not connected. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<QmpAnswer | undefined>;
  /** Stops and continues the virtual machine. No effect while QMP is not connected. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/**
 * Runs the machine until it ends. Every failure of the guest or of QEMU becomes
 * a BootResult; it rejects only if the host fails (a log cannot be written) or a
 * callback throws. QEMU has exited when it settles.
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
  /** The fatal splat after which a test result is awaited. */
  #fatal: ConsoleObserver['fatal'];
  #unresponsive = false;
  /** Of the console, before the guest was asked why it hangs. */
  #lastLine: string | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(request: BootRequest, ports: BootPorts, logs: RawLogs) {
    this.#request = request;
    this.#ports = ports;
    this.#logs = logs;
    this.#clock = new AwakeClock(ports.clock);
    this.#startMs = this.#clock.now();
    this.#watchdog = new Watchdog(this.#clock, (ending) => this.#expire(ending));
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
    // Use a private symlink: QEMU interprets a % in the name of its log.
    const events = join(directory, 'events');
    if (parts.options.trace) await symlink(this.#traceTo(logs.events, qemuLog), events);
    const args = qemuArguments(parts, {
      qmp: join(directory, 'qmp'),
      events: parts.options.trace ? events : undefined,
      monitorPatterns,
      delivery: delivery?.endpoints,
      ports: portEnds?.paths,
    });
    // QEMU puts a disk's snapshot in TMPDIR.
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
    child.stdin?.on('error', () => {}); // EPIPE: QEMU has exited, which is handled below.

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
    // Its last event has the reason of the shutdown.
    if (this.#qmp !== undefined) await this.#qmp.closed;
    messages.end();
    return this.#result({ code: exit.exitCode, signal: exit.signal });
  }

  /** Creates the trace log; returns the path of the file for QEMU to write. */
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

  /** Frees the disk blocks of trace that has been read, if the file system supports it. */
  async #punch(file: string, bytes: number): Promise<void> {
    const args = ['--punch-hole', '--offset', '0', '--length', String(bytes), file];
    const signal = new AbortController().signal;
    await this.#ports.processes
      .run({ file: 'fallocate', args, env: this.#ports.env }, { signal })
      .catch(() => {});
  }

  /** Ends a guest that floods the console, or whose tests stop after a fatal splat. */
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
      // The next fatal splat starts the timer again.
      else if (console.fatal === fatal) console.fatal = undefined;
    });
  }

  /** Logs each chunk before processing it. */
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
    stream?.on('error', () => {}); // Only the end of the process matters.
  }

  /** Reads a limited amount at a time, so that signals, timers and the console are served in between. */
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

  /** If `action` throws, ends the machine; `boot` then rethrows the error. */
  #guard(action: () => void): void {
    if (this.#fault !== undefined) return;
    try {
      action();
    } catch (error) {
      this.#fault = { error };
      this.#finish({ by: 'stop', reason: 'a callback failed' });
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

  /** Gives QEMU time to exit by itself. */
  #endSoon(reason: string): void {
    this.#watchdog.after(END_GRACE, () => this.#finish({ by: 'stuck', reason }));
  }

  /** Before a test that hangs is ended, its guest is asked where its processes wait. */
  #expire(ending: Ending): void {
    const { stdin } = this.#child ?? {};
    if (ending.by !== 'silence' || !stdin || !powersOffWhenDone(this.#request.parts.options))
      return this.#finish(ending);
    this.#lastLine = this.#console.lastLine;
    stdin.write('\n');
    this.#watchdog.after(BLOCKED_GRACE, () => this.#finish(ending));
  }

  /** Ends QEMU; only the first call has an effect. Prefers QMP's `quit`, so that the device can write its end marker. */
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
    const { findings, firstOutputMs, driverMessages } = this.#console;
    const { options, accelerator } = this.#request.parts;
    const qemuMessages = this.#messages.lines;
    const { outcome, reason } = outcomeOf({
      guest: options.guest,
      expected: plannedTests(this.#request.parts).map(({ suite }) => suite),
      suites,
      findings,
      splats: options.vm.splats,
      printedAnything: firstOutputMs !== undefined,
      lastLine: this.#lastLine ?? this.#console.lastLine,
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
      driverMessages,
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
