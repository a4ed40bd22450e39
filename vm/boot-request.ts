// SPDX-License-Identifier: MIT
/** The request for a boot, its callbacks, and the handle of the running machine. */
import type { Socket } from 'node:net';
import type { Processes } from '../lib/process/process.js';
import type { Clock } from './clock.js';
import type { GuestPorts, PortsRequest } from './console/guest-ports.js';
import type { MachineParts } from './qemu/command-line.js';
import type { QmpAnswer } from './qemu/qmp.js';
import type { TraceObserver } from './qemu/trace-filter.js';
import type { Limits } from './watchdog.js';

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
}
