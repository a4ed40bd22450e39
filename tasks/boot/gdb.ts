// SPDX-License-Identifier: MIT
/** `run --gdb`: QEMU's gdb stub, what a machine is started with, and the command that attaches to it. */
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { shellQuote } from '../../lib/process/process.js';
import { which } from '../../lib/which.js';
import type { Layout } from '../build/layout.js';

/** Debuggers that know the guest's processor; the plain one does where the host is an aarch64, or was built for all. */
const DEBUGGERS = ['gdb-multiarch', 'aarch64-linux-gnu-gdb', 'aarch64-elf-gdb', 'gdb'];

/** Stopped before the first instruction; only this host can attach. */
export function gdbStub(port: number): string[] {
  return ['-S', '-gdb', `tcp:127.0.0.1:${port}`];
}

/**
 * The one command that attaches, with the kernel's symbols; where the kernel has debug information also with its sources,
 * and with what reads the symbols of modules. Where no debugger is installed, the one that would do is named. `path`: PATH;
 * `roots`: directories that the devices' `driver/` are in; `args`: the user's own, for gdb; they come last.
 */
export function attachCommand(
  layout: Layout,
  port: number,
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
  const attach = ['-ex', `target remote 127.0.0.1:${port}`];
  return shellQuote({ file, args: [vmlinux, ...sources, ...attach, ...args] });
}

/** Piped commands would be typed into a machine that stands still. */
export function needTerminal(interactive: boolean): void {
  if (interactive) return;
  throw new StopwatchError('bad-usage', '--gdb needs a terminal: expected one on standard input and output', {
    hint: 'Run it in a terminal of its own, and gdb in another one.',
  });
}
