// SPDX-License-Identifier: MIT
/** `run --gdb`: QEMU's gdb stub, what a machine is started with, and the command that attaches to it. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { optionValue } from '../../vm/qemu/command-line.js';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import { shellQuote } from '../../lib/process/process.js';
import { which } from '../../lib/which.js';
import type { Layout } from '../build/layout.js';

/** Debuggers that know the guest's processor; the plain one does where the host is an aarch64, or was built for all. */
const DEBUGGERS = ['gdb-multiarch', 'aarch64-linux-gnu-gdb', 'aarch64-elf-gdb', 'gdb'];

/** A machine is to wait for a debugger. */
export interface GdbRequest {
  /** At this TCP port of the loopback, which every user of this host reaches; undefined: at a private socket. */
  readonly port: number | undefined;
}

/**
 * Calls `fn` with the address of the stub, in the words of gdb's `target remote`: the path of a UNIX socket, or
 * `127.0.0.1:PORT`. The stub obeys QEMU's monitor commands, one of which runs a program: whoever reaches it can do what
 * QEMU's user can. So the socket is in a directory that only that user can enter.
 */
export async function withGdbAddress<T>(
  { port }: GdbRequest,
  fn: (address: string) => Promise<T>,
): Promise<T> {
  if (port !== undefined) {
    await checkPort(port);
    return fn(`127.0.0.1:${port}`);
  }
  const directory = await makePrivateDirectory(tmpdir());
  try {
    return await fn(join(directory.path, 'gdb'));
  } finally {
    await directory.remove();
  }
}

/** Stopped before the first instruction, waiting at this address. */
export function gdbStub(address: string): string[] {
  const place = address.startsWith('/')
    ? `unix:${optionValue(address)},server=on,wait=off`
    : `tcp:${address}`;
  return ['-S', '-gdb', place];
}

/**
 * The one command that attaches, with the kernel's symbols; where the kernel has debug information also with its sources,
 * and with what reads the symbols of modules. Where no debugger is installed, the one that would do is named. `path`: PATH;
 * `roots`: directories that the devices' `driver/` are in; `args`: the user's own, for gdb; they come last.
 */
export function attachCommand(
  layout: Layout,
  address: string,
  path: string,
  { roots, args = [] }: { readonly roots: readonly string[]; readonly args?: readonly string[] },
): string {
  const file = DEBUGGERS.find((name) => which(name, path).found) ?? DEBUGGERS[0] ?? 'gdb';
  const vmlinux = join(layout.linuxBuild, 'vmlinux');
  const sources =
    layout.variant === 'debug'
      ? [
          ...[layout.tree('linux'), ...new Set(roots)].flatMap((root) => ['-ex', `directory ${root}`]),
          '-x',
          join(layout.package, 'vm', 'linux', 'module-symbols.py'),
        ]
      : [];
  const attach = ['-ex', `target remote ${address}`];
  return shellQuote({ file, args: [vmlinux, ...sources, ...attach, ...args] });
}

/** Throws 'address-unavailable' where another program listens: QEMU would only say that it could not create a chardev. */
export async function checkPort(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new StopwatchError('address-unavailable', `127.0.0.1:${port} cannot be used: ${messageOf(cause)}`, {
      hint: 'Choose another port, or leave out --gdb-port: --gdb uses a private socket.',
      cause,
    });
  } finally {
    server.close();
  }
}

/** Piped commands would be typed into a machine that stands still. */
export function needTerminal(interactive: boolean): void {
  if (interactive) return;
  throw new StopwatchError('bad-usage', '--gdb needs a terminal: expected one on standard input and output', {
    hint: 'Run it in a terminal of its own, and gdb in another one.',
  });
}
