// SPDX-License-Identifier: MIT
/**
 * Carries the standard streams of a guest command. Each is a virtio-serial port connected to a UNIX socket on the host.
 *
 * With a standard input, the command starts once the host has sent a line to the port `status`; otherwise at once.
 *
 * A port is binary-safe, has flow control in both directions, and closes with its socket. When the command ends, the
 * guest writes its exit status and the number of bytes that it sent to the port `status`:
 *
 *   EXIT-STATUS STDOUT-BYTES STDERR-BYTES
 *
 * The guest then waits. The host replies once all bytes have arrived, or ends the machine.
 */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { PRODUCT } from '../../lib/product.js';
import { type Listener, listenOnce } from '../qemu/qmp.js';

/** In the order in which QEMU announces them. The guest waits for the last one. */
const NAMES = ['stdin', 'stdout', 'stderr', 'status'] as const;
type PortName = (typeof NAMES)[number];

/** Paths of listening sockets; QEMU connects to them. */
export type PortPaths = Readonly<Partial<Record<PortName, string>>>;

export interface GuestPorts {
  /** Undefined: the command's standard input is empty. */
  readonly stdin: Socket | undefined;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly status: Socket;
}

/** The host's sockets, created before the machine starts. */
export interface PortEnds {
  readonly paths: PortPaths;
  /** Resolves when QEMU has connected to all of them. */
  readonly ports: Promise<GuestPorts>;
  close(): void;
}

export async function makePortEnds(
  directory: string,
  { stdin }: { readonly stdin: boolean },
): Promise<PortEnds> {
  const listen = async (name: PortName): Promise<Listener> => listenOnce(join(directory, name));
  const [first, stdout, stderr, status] = await Promise.all([
    stdin ? listen('stdin') : undefined,
    listen('stdout'),
    listen('stderr'),
    listen('status'),
  ]);
  const connected = async (): Promise<GuestPorts> => ({
    stdin: await first?.connection,
    stdout: await stdout.connection,
    stderr: await stderr.connection,
    status: await status.connection,
  });
  const names = NAMES.filter((name) => stdin || name !== 'stdin');
  return {
    paths: Object.fromEntries(names.map((name) => [name, join(directory, name)])),
    ports: connected(),
    close: () => {
      for (const listener of [first, stdout, stderr, status]) listener?.close();
    },
  };
}

function port(name: PortName, path: string): string[] {
  return [
    '-chardev',
    `socket,id=port-${name},path=${path.replaceAll(',', ',,')}`,
    '-device',
    `virtserialport,chardev=port-${name},name=${PRODUCT}.${name}`,
  ];
}

/** QEMU's arguments for the ports. Without ioeventfd a write completes with the guest's instruction, so its bytes can be counted. */
export function portArguments(paths: PortPaths | undefined): string[] {
  if (paths === undefined) return [];
  return [
    ['-global', 'virtio-mmio.ioeventfd=off'],
    ['-device', 'virtio-serial-device'],
    ...NAMES.map((name) => {
      const path = paths[name];
      return path === undefined ? [] : port(name, path);
    }),
  ].flat();
}

/** The guest's message on the port `status` when the command has ended. */
export interface CommandEnd {
  readonly status: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

export function parseCommandEnd(line: string): CommandEnd | undefined {
  const [, status, stdout, stderr] = /^(\d{1,3}) (\d+) (\d+)$/.exec(line) ?? [];
  if (status === undefined) return undefined;
  return { status: Number(status), stdoutBytes: Number(stdout), stderrBytes: Number(stderr) };
}
