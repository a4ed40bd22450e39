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
 *
 * A machine that runs several commands in turn (`run --serve`) listens on these sockets itself.
 */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { PRODUCT } from '../../lib/product.js';
import { type Listener, listenOnce } from '../qemu/qmp.js';

/** In the order in which QEMU announces them. The guest waits for the last one. */
const NAMES = ['stdin', 'stdout', 'stderr', 'status'] as const;
type PortName = (typeof NAMES)[number];

/** Paths of sockets: QEMU connects to them, or listens on them itself. */
export interface PortPaths extends Readonly<Partial<Record<PortName, string>>> {
  readonly qemuListens?: true;
}

/** Which ports a machine gets: for one command, or for several in turn, with QEMU's sockets in that directory. */
export type PortsRequest = { readonly stdin: boolean } | { readonly directory: string };

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

export async function makePortEnds(directory: string, request: PortsRequest): Promise<PortEnds> {
  if ('directory' in request) {
    const paths = Object.fromEntries(NAMES.map((name) => [name, join(request.directory, name)]));
    return { paths: { ...paths, qemuListens: true }, ports: new Promise(() => {}), close: () => {} };
  }
  const { stdin } = request;
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

/** Connects to the ports of a machine that listens in this directory. Rejects if the machine has ended. */
export async function connectPorts(directory: string): Promise<GuestPorts> {
  const connected = async (name: PortName): Promise<Socket> => {
    const socket = connect(join(directory, name));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return socket;
  };
  const [stdin, stdout, stderr, status] = await Promise.all([
    connected('stdin'),
    connected('stdout'),
    connected('stderr'),
    connected('status'),
  ]);
  return { stdin, stdout, stderr, status };
}

function port(name: PortName, path: string, listens: boolean): string[] {
  return [
    '-chardev',
    `socket,id=port-${name},path=${path.replaceAll(',', ',,')}${listens ? ',server=on,wait=off' : ''}`,
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
      return path === undefined ? [] : port(name, path, paths.qemuListens === true);
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
