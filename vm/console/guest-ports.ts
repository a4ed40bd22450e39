// SPDX-License-Identifier: MIT
/**
 * Standard input and output of a command in the guest: each a port of virtio-serial, and a UNIX socket on the host.
 *
 * The command begins when the host has sent a line to the port `status`; without a standard input at once.
 *
 * A port carries any bytes, has flow control in both directions, and ends when its socket does. At the end the guest
 * says on the port `status` how the command ended and how many bytes it has written to each of the others:
 *
 *   EXIT-STATUS STDOUT-BYTES STDERR-BYTES
 *
 * and waits. The host answers when all of them have arrived, or ends the machine.
 */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { PRODUCT } from '../../lib/product.js';
import { type Listener, listenOnce } from '../qemu/qmp.js';

/** The guest waits for the last one: QEMU announces them in this order. */
const NAMES = ['stdin', 'stdout', 'stderr', 'status'] as const;
type PortName = (typeof NAMES)[number];

/** Paths of listening sockets; QEMU connects to them. */
export type PortPaths = Readonly<Partial<Record<PortName, string>>>;

export interface GuestPorts {
  /** Undefined: the command has an empty one. */
  readonly stdin: Socket | undefined;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly status: Socket;
}

/** The host's ends before the machine starts. */
export interface PortEnds {
  readonly paths: PortPaths;
  /** Settles when QEMU has connected to all of them. */
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

/** QEMU's arguments for them. Without ioeventfd a write is over when the guest's instruction is, so it can be counted. */
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

/** What the guest says at the end. */
export interface CommandEnd {
  readonly status: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** Undefined for any other line. */
export function parseCommandEnd(line: string): CommandEnd | undefined {
  const [, status, stdout, stderr] = /^(\d{1,3}) (\d+) (\d+)$/.exec(line) ?? [];
  if (status === undefined) return undefined;
  return { status: Number(status), stdoutBytes: Number(stdout), stderrBytes: Number(stderr) };
}
