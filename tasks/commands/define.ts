// SPDX-License-Identifier: MIT
/** A command as data: what --help says about it, and its body. tasks/cli/program.ts makes the command line of it. */
import { type Argument, InvalidArgumentError, Option } from 'commander';
import type { EXIT } from '../../lib/errors.js';
import type { Result, Services } from '../config/services.js';
import { VARIANTS } from '../config/variants.js';
import type { OptionalTool } from '../doctor/list.js';
import type { CiSystem } from '../report/reporter.js';

export type ExitName = keyof typeof EXIT;

/** Values of the options that every command takes. */
export interface GlobalOptions {
  readonly json?: true;
  readonly verbose?: true;
  readonly ci?: CiSystem | 'none';
  readonly color: boolean;
  readonly jobs?: number;
  readonly workdir?: string;
  readonly source?: readonly NamedPath[];
  readonly sourceInPlace?: true;
  readonly offline?: true;
  readonly install: boolean;
  readonly driver?: string;
  readonly rootfs?: string;
  readonly realtime?: true;
  readonly accel?: string;
  readonly quiet?: true;
  readonly force?: true | string;
  readonly bisect?: true;
}

export interface NamedPath {
  readonly name: string;
  readonly path: string;
}

/**
 * `Own`: the values of its options; `Args`: of its arguments. A command's file is loaded at every start, so its body
 * imports what is large when it runs.
 */
export interface CommandDefinition<Own = object, Args extends readonly unknown[] = readonly unknown[]> {
  readonly name: string;
  /** A second spelling. */
  readonly alias?: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly description: string;
  readonly args?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Exit codes it can end with. */
  readonly exits: readonly ExitName[];
  /** Command lines, without the name of the product, and what each does. */
  readonly examples: readonly (readonly [string, string])[];
  /** With --json it prints one document, not a line per event. */
  readonly document?: true;
  /** Standard output is for what it runs: progress and summary go to standard error, or with --quiet nowhere. */
  readonly ownOutput?: true;
  /** --source says what the command works on, and is not a setting. */
  readonly ownSource?: true;
  /** Whether it builds, and so needs the host packages. */
  builds?(options: Own): boolean;
  /** Programs it needs besides those of every build. */
  tools?(options: Own): readonly OptionalTool[];
  /** Throws StopwatchError; ends soon after the signal is aborted. */
  run(services: Services, options: Own & GlobalOptions, ...args: Args): Promise<Result>;
}

/** A command that builds, but never runs the guest's test, ends with one of these. */
export const BUILD_EXITS: readonly ExitName[] = ['passed', 'usage', 'host', 'interrupted'];
export const ALL_EXITS: readonly ExitName[] = [
  'passed',
  'testFailed',
  'usage',
  'differs',
  'guest',
  'host',
  'interrupted',
];

/** `--variant`, for the commands that build. */
export function variantOption(): Option {
  return new Option(
    '--variant <KIND>',
    'plain: as released; sanitize: QEMU with sanitizers; coverage: QEMU counts which lines of the device run; debug: debug information, and a kernel with KASAN and lockdep; kunit: a kernel with KUnit',
  ).choices(VARIANTS);
}

/** `--force`, for the commands that build. */
export function forceOption(): Option {
  return new Option(
    '--force [TASK]',
    'run this task although it is up to date; without a name, what the command is for (`graph` names all tasks)',
  );
}

/** `--device`, for the commands that concern one device. */
export function deviceOption(text: string): Option {
  return new Option('--device <NAME>', text);
}

interface GdbFlags {
  readonly gdb?: true;
  readonly gdbPort?: number;
}

/** `--gdb` and `--gdb-port`. `text`: where the machine stops. */
export function gdbOptions(text: string): [Option, Option] {
  return [
    new Option('--gdb', `${text}, wait at QEMU's gdb stub, and say the command that attaches`),
    new Option(
      '--gdb-port <PORT>',
      '--gdb at this TCP port of the loopback instead of a private socket: any user of this host can then run programs as you',
    ).argParser(parsePort),
  ];
}

export function gdbRequest({ gdb, gdbPort }: GdbFlags): { readonly port: number | undefined } | undefined {
  return gdb === undefined && gdbPort === undefined ? undefined : { port: gdbPort };
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError('Expected a TCP port from 1 to 65535.');
  return port;
}

/** A whole number above 0; underscores may group its digits. */
export function parseCount(text: string): number {
  const count = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

/** A list separated by commas. */
export function parseNames(text: string, example: string): readonly string[] {
  const names = text.split(',').filter(Boolean);
  if (names.length > 0) return names;
  throw new InvalidArgumentError(`Expected names, such as ${example}.`);
}
