// SPDX-License-Identifier: MIT
/** Signals of the system, as the one AbortSignal. */
import { setMaxListeners } from 'node:events';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import type { Child, Processes } from '../../lib/process/process.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Milliseconds in which a second signal is taken for the same keystroke, sent by the terminal and by npm. */
const SAME = 300;

export class Interrupt {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly children = new Set<Child>();
  private abortedAt: number | undefined;
  private foreground = 0;

  /** `say` confirms the signal to the user. */
  constructor(private readonly say: (text: string) => void) {
    this.signal = this.controller.signal;
    // Every process and download adds a listener.
    setMaxListeners(0, this.signal);
  }

  /** From now on the first signal aborts, and the next one kills. */
  listen(): void {
    for (const name of SIGNALS) process.on(name, () => this.receive(name));
  }

  /** The first reason stays. */
  abort(reason: StopwatchError): void {
    this.abortedAt ??= performance.now();
    this.controller.abort(reason);
  }

  private receive(name: string): void {
    // Ctrl-C is a key of the program that has the terminal.
    if (name === 'SIGINT' && this.foreground > 0) return;
    if (this.abortedAt === undefined) {
      this.abort(
        new StopwatchError('interrupted', `Interrupted by ${name}`, {
          hint: 'The same command goes on from what is finished.',
        }),
      );
      if (name === 'SIGINT') this.say('Stopping; press Ctrl-C again to kill everything.');
      return;
    }
    if (performance.now() - this.abortedAt < SAME) return;
    this.killAll();
    process.exit(EXIT.interrupted);
  }

  /** Ends every process that we started, at once. */
  killAll(): void {
    for (const child of this.children) child.kill('SIGKILL');
  }

  /** The port for processes, with every child remembered. */
  async processes(): Promise<Processes> {
    const [{ createProcesses }, { withRun }] = await Promise.all([
      import('../../lib/process/process.js'),
      import('../../lib/process/run-to-end.js'),
    ]);
    const real = createProcesses();
    return withRun(async (command, options) => {
      const child = await real.spawn(command, options);
      this.children.add(child);
      const seat = options.foreground === true ? 1 : 0;
      this.foreground += seat;
      void child.exited.then(() => {
        this.children.delete(child);
        this.foreground -= seat;
      });
      return child;
    });
  }
}
