// SPDX-License-Identifier: MIT
/**
 * A FIFO through which QEMU's log comes live and in order.
 *
 * Not a descriptor: the pipes Node makes for a child are socket pairs, and
 * QEMU's `-D /dev/fd/3` cannot open a socket (ENXIO). Not standard error
 * either: QEMU writes its messages there in pieces, which could fall into the
 * middle of an event.
 */
import { close, constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Processes } from '../../lib/process/process.js';
import { StopwatchError } from '../../lib/errors.js';

export interface EventPipe {
  readonly path: string;
  /** Readable until `finish` has been called and everything is drained. */
  readonly stream: NodeJS.ReadableStream;
  /** To be called when the writer is gone: resolves when all that it wrote has been read. */
  finish(): Promise<void>;
}

/** Makes the FIFO and opens it for reading. Rejects with StopwatchError if the host cannot. */
export async function openEventPipe(
  path: string,
  ports: {
    readonly processes: Processes;
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<EventPipe> {
  const said: string[] = [];
  const made = await ports.processes.run(
    { file: 'mkfifo', args: ['-m', '600', path], env: ports.env },
    { signal: ports.signal, onLine: (line) => said.push(line) },
  );
  if (ports.signal.aborted)
    throw new StopwatchError('interrupted', 'Interrupted while a FIFO was being made');
  if (made.exitCode !== 0) {
    throw new StopwatchError('command-failed', `Cannot make the FIFO ${path} for QEMU's events`, {
      command: `mkfifo -m 600 ${path}`,
      lastLines: said,
    });
  }
  const reader = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // A writer of our own: without one, the stream would end before QEMU has opened it.
  const writer = await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const stream = new Socket({ fd: reader, readable: true, writable: false });
  const ended = new Promise<void>((resolve) => {
    stream.once('end', resolve);
    stream.once('close', () => resolve());
  });
  return {
    path,
    stream,
    finish: async () => {
      await promisify(close)(writer);
      await ended;
      stream.destroy();
    },
  };
}
