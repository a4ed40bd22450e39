// SPDX-License-Identifier: MIT
/**
 * The user's terminal on the guest's serial console.
 *
 * We pass the bytes ourselves instead of giving QEMU the terminal: QEMU is in a
 * process group of its own, so it would be stopped for touching the terminal,
 * and killed it would leave it raw. Node restores it however we end.
 */
import type { Clock } from '../clock.js';
import { KEY_HELP, KeyFilter } from './keys.js';
import { NO_FIRST_PROMPT, PipedInput, SETTLED } from './piped-input.js';
import { boot, type BootPorts, type BootRequest, type RunningMachine } from '../runner.js';
import type { BootResult } from '../types.js';

/** What is used of `process.stdin`. */
export interface TerminalInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

export interface TerminalStreams {
  readonly stdin: TerminalInput;
  readonly stdout: NodeJS.WritableStream;
}

/** Ends of what is printed before a program reads the console. */
const READS = /(?:[#$>]|login:|[Pp]assword:) ?$/;
/** Bytes of piped input that are read ahead of the guest. */
const READ_AHEAD = 64 * 1024;

/**
 * Boots with the console on these streams: a terminal (raw, Ctrl-C and all are
 * the guest's, Ctrl-A x ends), or piped commands. A terminal waits for ever;
 * with piped commands the request's limits hold, except for silence, which
 * counts only after the last command. Settles like `boot`, the terminal as it was.
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

/** What both have in common: the guest's output, and somebody who stops reading it. */
abstract class Bridge {
  protected readonly streams: TerminalStreams;
  protected machine: RunningMachine | undefined;
  readonly #outputError = (): void => this.machine?.quit('nobody reads the output any more');

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
    // Otherwise an open standard input keeps us from ending.
    this.streams.stdin.pause();
    this.streams.stdout.removeListener('error', this.#outputError);
  }

  protected abstract readonly onInput: (chunk: Buffer | string) => void;
  protected abstract readonly onEnd: () => void;
}

/**
 * Holds what is typed until the guest reads it, which its first prompt shows: the serial line keeps only a few characters,
 * and a kernel that starts its driver when more have come never reads from it.
 */
class TerminalBridge extends Bridge {
  readonly #keys = new KeyFilter();
  readonly #clock: Clock;
  /** Typed before the guest's first prompt; undefined: it has been there. */
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

  /** Before the console's own reader has seen the bytes: its prompt is looked at in the next turn. */
  override printed(bytes: Uint8Array): void {
    super.printed(bytes);
    if (this.#held !== undefined) queueMicrotask(() => this.#wait());
  }

  #wait(): void {
    this.#cancel();
    if (this.#held === undefined) return;
    const ms = READS.test(this.machine?.prompt ?? '') ? SETTLED : NO_FIRST_PROMPT;
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
    // Raw mode: a line end needs its carriage return.
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

  /** Before the console's own reader has seen the bytes: its prompt is looked at in the next turn. */
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
