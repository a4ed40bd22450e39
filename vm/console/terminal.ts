// SPDX-License-Identifier: MIT
/**
 * Connects the user's terminal to the guest's serial console.
 *
 * This process passes the bytes, because QEMU runs in its own process group: it
 * would be stopped for using the terminal, and leave it raw if killed. Node
 * restores the terminal on every exit.
 */
import type { Clock } from '../clock.js';
import { KEY_HELP, KeyFilter } from './keys.js';
import { NO_FIRST_PROMPT, PipedInput, SETTLED } from './piped-input.js';
import type { BootPorts, BootRequest, RunningMachine } from '../boot-request.js';
import { boot } from '../runner.js';
import type { BootResult } from '../types.js';

/** The part of `process.stdin` used here. */
export interface TerminalInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

export interface TerminalStreams {
  readonly stdin: TerminalInput;
  readonly stdout: NodeJS.WritableStream;
}

/** Text that ends like a prompt: a program is about to read the console. */
const PROMPT = /(?:[#$>]|login:|[Pp]assword:) ?$/;
/** Bytes of piped input to read ahead of the guest. */
const READ_AHEAD = 64 * 1024;

/**
 * Boots with the console on these streams: a raw terminal, where Ctrl-C goes to
 * the guest and Ctrl-A x quits, or piped commands. A terminal has no time limits.
 * With piped commands the request's limits apply, but silence counts only after
 * the last command. Settles like `boot`, with the terminal restored.
 */
export async function bootOnTerminal(
  request: Omit<BootRequest, 'input'>,
  ports: BootPorts,
  streams: TerminalStreams,
): Promise<BootResult> {
  const { limits } = request;
  const isTerminal = streams.stdin.isTTY === true;
  const noLimits = { firstOutputSeconds: undefined, silenceSeconds: undefined, totalSeconds: undefined };
  const bridge = isTerminal
    ? new TerminalBridge(streams, ports.clock)
    : new PipeBridge(streams, ports.clock, limits.silenceSeconds ?? 15);
  try {
    return await boot(
      {
        ...request,
        input: true,
        limits: isTerminal ? noLimits : { ...limits, silenceSeconds: undefined },
      },
      {
        ...ports,
        onStart: (machine) => {
          ports.onStart?.(machine);
          bridge.start(machine);
        },
        onConsole: (bytes) => {
          ports.onConsole?.(bytes);
          bridge.printed(bytes);
        },
      },
    );
  } finally {
    bridge.stop();
  }
}

/** Forwards the guest's output, and ends the machine if the output is closed. */
abstract class Bridge {
  protected readonly streams: TerminalStreams;
  protected machine: RunningMachine | undefined;
  readonly #outputError = (): void => this.machine?.quit('standard output was closed');

  constructor(streams: TerminalStreams) {
    this.streams = streams;
  }

  start(machine: RunningMachine): void {
    this.machine = machine;
    this.streams.stdout.on('error', this.#outputError);
    this.streams.stdin.on('data', this.onInput);
    this.streams.stdin.on('end', this.onEnd);
    this.streams.stdin.resume();
  }

  printed(bytes: Uint8Array): void {
    this.streams.stdout.write(bytes);
  }

  stop(): void {
    this.streams.stdin.removeListener('data', this.onInput);
    this.streams.stdin.removeListener('end', this.onEnd);
    // An open standard input would keep this process alive.
    this.streams.stdin.pause();
    this.streams.stdout.removeListener('error', this.#outputError);
  }

  protected abstract readonly onInput: (chunk: Buffer | string) => void;
  protected abstract readonly onEnd: () => void;
}

/**
 * Holds typed bytes until the guest's first prompt. The UART buffers only a few characters, and if more arrive before
 * the kernel starts its driver, the kernel never reads from it.
 */
class TerminalBridge extends Bridge {
  readonly #keys = new KeyFilter();
  readonly #clock: Clock;
  /** Bytes typed before the guest's first prompt; undefined after it. */
  #held: Uint8Array[] | undefined = [];
  #cancel: () => void = () => {};

  constructor(streams: TerminalStreams, clock: Clock) {
    super(streams);
    this.#clock = clock;
  }

  override start(machine: RunningMachine): void {
    this.streams.stdin.setRawMode?.(true);
    super.start(machine);
    this.#wait();
  }

  /** Checks the prompt in a microtask: the console's own reader gets these bytes later. */
  override printed(bytes: Uint8Array): void {
    super.printed(bytes);
    if (this.#held !== undefined) queueMicrotask(() => this.#wait());
  }

  #wait(): void {
    this.#cancel();
    if (this.#held === undefined) return;
    const ms = PROMPT.test(this.machine?.prompt ?? '') ? SETTLED : NO_FIRST_PROMPT;
    this.#cancel = this.#clock.after(ms, () => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const bytes of held) this.machine?.send(bytes);
    });
  }

  override stop(): void {
    super.stop();
    this.#cancel();
    this.streams.stdin.setRawMode?.(false);
  }

  protected readonly onInput = (chunk: Buffer | string): void => {
    const { send, action } = this.#keys.push(Buffer.from(chunk));
    if (send.length > 0) {
      if (this.#held === undefined) this.machine?.send(send);
      else this.#held.push(send);
    }
    // Raw mode needs explicit carriage returns.
    if (action === 'help') this.streams.stdout.write(`\r\n${KEY_HELP.join('\r\n')}\r\n`);
    if (action === 'quit') this.machine?.quit('ended by Ctrl-A x');
  };

  protected readonly onEnd = (): void => this.machine?.quit('the terminal was closed');
}

class PipeBridge extends Bridge {
  readonly #clock: Clock;
  readonly #quietSeconds: number;
  #input: PipedInput | undefined;

  constructor(streams: TerminalStreams, clock: Clock, quietSeconds: number) {
    super(streams);
    this.#clock = clock;
    this.#quietSeconds = quietSeconds;
  }

  override start(machine: RunningMachine): void {
    this.#input = new PipedInput(this.#clock, machine, this.#quietSeconds);
    super.start(machine);
  }

  /** Checks the prompt in a microtask: the console's own reader gets these bytes later. */
  override printed(bytes: Uint8Array): void {
    super.printed(bytes);
    queueMicrotask(() => {
      this.#input?.printed(bytes);
      if (this.#input !== undefined && this.#input.waiting < READ_AHEAD) this.streams.stdin.resume();
    });
  }

  override stop(): void {
    super.stop();
    this.#input?.stop();
  }

  protected readonly onInput = (chunk: Buffer | string): void => {
    this.#input?.push(Buffer.from(chunk));
    if ((this.#input?.waiting ?? 0) >= READ_AHEAD) this.streams.stdin.pause();
  };

  protected readonly onEnd = (): void => this.#input?.end();
}
