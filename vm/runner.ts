// SPDX-License-Identifier: MIT
/** Boots one machine, monitors it, and cleans up when it ends. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { StopwatchError } from '../lib/errors.js';
import type { Child } from '../lib/process/process.js';
import type { BootPorts, BootRequest, RunningMachine } from './boot-request.js';
import { qemuArguments } from './qemu/command-line.js';
import { AwakeClock, type Clock } from './clock.js';
import { type DeliveryEnds, makeDeliveryEnds } from './console/delivery.js';
import { makePortEnds, type PortEnds } from './console/guest-ports.js';
import { TraceLog } from './qemu/trace-log.js';
import { plannedTests } from './guest-tests.js';
import { type Ending, outcomeOf } from './outcome.js';
import { LineSplitter } from '../lib/lines.js';
import { ConsoleObserver } from './console/observer.js';
import { makePrivateDirectory } from '../lib/files/private-directory.js';
import { type Listener, listenOnce, QmpClient } from './qemu/qmp.js';
import { RawLogs, tooLarge } from './raw-logs.js';
import { Tail } from '../lib/tail.js';
import { type BootResult, powersOffWhenDone } from './types.js';
import { Watchdog } from './watchdog.js';

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

/**
 * Runs the machine until it ends. Every failure of the guest or of QEMU becomes
 * a BootResult; it rejects only if the host fails (a log cannot be written) or a
 * callback throws. QEMU has exited when it settles.
 */
export async function boot(request: BootRequest, ports: BootPorts): Promise<BootResult> {
  const directory = await makePrivateDirectory(request.directory);
  const machine = new Boot(request, ports);
  const ends: Partial<BootEnds> = {};
  try {
    const qmp = (ends.qmp = await listenOnce(join(directory.path, 'qmp')));
    if (ports.onDelivery !== undefined) ends.delivery = await makeDeliveryEnds(directory.path);
    if (request.ports !== undefined) ends.ports = await makePortEnds(directory.path, request.ports);
    return await machine.run(directory.path, { ...ends, qmp });
  } finally {
    ends.ports?.close();
    ends.delivery?.listener.close();
    ends.qmp?.close();
    machine.close();
    await directory.remove();
  }
}

/** The host's ends of QEMU's channels. */
interface BootEnds {
  qmp: Listener;
  delivery?: DeliveryEnds | undefined;
  ports?: PortEnds | undefined;
}

class Boot {
  readonly #request: BootRequest;
  readonly #ports: BootPorts;
  readonly #logs = new RawLogs();
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
  /** The last console line before the guest was asked why it hangs. */
  #lastLine: string | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(request: BootRequest, ports: BootPorts) {
    this.#request = request;
    this.#ports = ports;
    this.#clock = new AwakeClock(ports.clock);
    this.#startMs = this.#clock.now();
    this.#watchdog = new Watchdog(this.#clock, (ending) => this.#expire(ending));
    this.#console = new ConsoleObserver(
      () => this.#elapsed(),
      (line) => ports.onConsoleLine?.(line),
    );
  }

  async run(directory: string, ends: BootEnds): Promise<BootResult> {
    const { parts, logs } = this.#request;
    const consoleLog = this.#logs.create(logs.console);
    const qemuLog = this.#logs.create(logs.qemu);
    if (parts.options.trace) await this.#trace(directory, qemuLog);
    if (this.#ports.interrupt.aborted) return this.#notStarted({ by: 'interrupt' }, '');
    let child: Child;
    try {
      child = await this.#spawn(directory, ends);
    } catch (error) {
      if (!(error instanceof StopwatchError)) throw error;
      return this.#notStarted({ by: 'itself' }, error.message);
    }
    this.#child = child;
    this.#read(child.stdout, consoleLog, (bytes) => this.#consoleBytes(bytes));
    const messages = new LineSplitter((line) => this.#messages.push(line));
    this.#read(child.stderr, qemuLog, (bytes) => messages.push(bytes));
    child.stdin?.on('error', () => {}); // EPIPE: QEMU has exited, which is handled below.
    this.#connectEnds(ends);

    const onInterrupt = (): void => this.#finish({ by: 'interrupt' });
    this.#ports.interrupt.addEventListener('abort', onInterrupt, { once: true });
    if (this.#ports.interrupt.aborted) onInterrupt();
    this.#watchdog.start(this.#request.limits);
    if (parts.options.trace) this.#followEvents();
    this.#guard(() => this.#ports.onStart?.(this.#machine()));

    const exit = await child.exited;
    // The trace or a disk exceeded the shell's limit, which is no fault of the machine.
    if (exit.signal === 'SIGXFSZ') this.#fault ??= { error: tooLarge(logs.events) };
    this.#ports.interrupt.removeEventListener('abort', onInterrupt);
    this.#watchdog.stop();
    this.#guard(() => this.#events?.end((bytes) => this.#ports.onEvents?.(bytes)));
    // Its last event has the reason of the shutdown.
    if (this.#qmp !== undefined) await this.#qmp.closed;
    messages.end();
    return this.#result({ code: exit.exitCode, signal: exit.signal });
  }

  close(): void {
    this.#events?.close();
    this.#logs.close();
  }

  /** Creates the trace log, and a link to it in the directory: QEMU interprets a % in the name of its log. */
  async #trace(directory: string, message: (bytes: Uint8Array) => void): Promise<void> {
    const { parts, observer, logs } = this.#request;
    const { processes, env } = this.#ports;
    this.#events = new TraceLog(
      logs.events,
      {
        ids: parts.devices.map(({ id }) => id),
        prefixes: parts.devices.flatMap(({ device }) => device.description.traceEvents?.prefix ?? []),
        observer,
      },
      { save: this.#logs.create(logs.events), message, processes, env },
    );
    await symlink(this.#events.raw, join(directory, 'events'));
  }

  async #spawn(directory: string, { delivery, ports }: BootEnds): Promise<Child> {
    const { parts, monitorPatterns, input } = this.#request;
    const args = qemuArguments(parts, {
      qmp: join(directory, 'qmp'),
      events: this.#events && join(directory, 'events'),
      monitorPatterns,
      delivery: delivery?.endpoints,
      ports: ports?.paths,
    });
    // QEMU puts a disk's snapshot in TMPDIR.
    const env = { ...this.#ports.env, TMPDIR: directory };
    return this.#ports.processes.spawn(
      { file: parts.files.qemu, args, cwd: directory, env },
      { signal: new AbortController().signal, stdin: input ? 'pipe' : 'ignore' },
    );
  }

  #connectEnds({ qmp, delivery, ports }: BootEnds): void {
    void qmp.connection.then((socket) => this.#connect(socket));
    void delivery?.listener.connection.then((line) =>
      this.#guard(() => this.#ports.onDelivery?.(line, delivery.endpoints.disk)),
    );
    void ports?.ports.then((connected) => this.#guard(() => this.#ports.onPorts?.(connected)));
  }

  #consoleBytes(bytes: Uint8Array): void {
    this.#watchdog.outputSeen();
    this.#ports.onConsole?.(bytes);
    this.#console.push(bytes);
    this.#watchConsole();
    if (!this.#console.panicked || this.#dying) return;
    this.#dying = true;
    this.#endSoon('the kernel panicked');
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
