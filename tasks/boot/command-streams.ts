// SPDX-License-Identifier: MIT
/** Standard input and output of a command in the guest, connected to ours. */
import type { Readable, Writable } from 'node:stream';
import { LineSplitter } from '../../lib/lines.js';
import { type CommandEnd, type GuestPorts, parseCommandEnd } from '../../vm/console/guest-ports.js';

interface CommandEnds {
  readonly stdin: Readable | undefined;
  readonly outputs: readonly [Writable, Writable];
  readonly onEnd: () => void;
}

/** Our streams at one end, the guest's at the other. */
export class CommandStreams {
  /** Undefined until the command has ended and all of its output has been written. */
  end: CommandEnd | undefined;
  readonly #stdin: Readable | undefined;
  readonly #outputs: readonly [Writable, Writable];
  readonly #written = [0, 0];
  readonly #onEnd: () => void;
  #said: CommandEnd | undefined;
  #ports: GuestPorts | undefined;

  /** `onEnd`: there is nothing more to come. */
  constructor({ stdin, outputs, onEnd }: CommandEnds) {
    this.#stdin = stdin;
    this.#outputs = outputs;
    this.#onEnd = onEnd;
  }

  /** The command begins. */
  run(ports: GuestPorts): void {
    this.#ports = ports;
    for (const [index, from] of [ports.stdout, ports.stderr].entries()) {
      const to = index === 0 ? this.#outputs[0] : this.#outputs[1];
      from.on('error', () => {}); // QEMU has ended, which is seen elsewhere.
      from.on('data', (bytes: Buffer) => {
        if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
        this.#written[index] = (this.#written[index] ?? 0) + bytes.length;
        this.#settle();
      });
    }
    const lines = new LineSplitter((line) => {
      this.#said ??= parseCommandEnd(line);
      this.#settle();
    });
    ports.status.on('error', () => {});
    ports.status.on('data', (bytes: Buffer) => lines.push(bytes));
    ports.status.write('run\n');
    if (ports.stdin === undefined) return;
    ports.stdin.on('error', () => {}); // The command need not read it.
    this.#stdin?.on('error', () => ports.stdin?.end());
    this.#stdin?.pipe(ports.stdin);
  }

  #settle(): void {
    const said = this.#said;
    if (said === undefined || this.end !== undefined) return;
    const [stdout = 0, stderr = 0] = this.#written;
    if (stdout < said.stdoutBytes || stderr < said.stderrBytes) return;
    this.end = said;
    this.#onEnd();
  }

  close(): void {
    const { stdin } = this.#ports ?? {};
    if (stdin !== undefined) this.#stdin?.unpipe(stdin);
    // Otherwise an open standard input keeps us from ending.
    this.#stdin?.pause();
  }
}
