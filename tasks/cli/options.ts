// SPDX-License-Identifier: MIT
/** Options that every command takes, and what they set in the configuration. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GlobalOptions, NamedPath } from '../commands/define.js';
import { didYouMean } from '../config/closest.js';
import type { Given } from '../config/environment.js';
import { WORK_DIRECTORY } from '../../lib/product.js';

/** All that may be set by flags: options of every command, and those of some. */
export interface Flags extends GlobalOptions {
  /** Of the commands that build. */
  readonly variant?: string;
  /** Of `run`. */
  readonly crosscheck?: true;
  readonly rw?: true;
  readonly gdbQemu?: true;
  /** Of `exec`. */
  readonly deterministic?: true;
}

const SOURCES = ['qemu', 'linux', 'busybox'];

function parseJobs(text: string): number {
  if (!/^\d{1,4}$/.test(text))
    throw new InvalidArgumentError('Expected a number of processes, 0 for one per processor.');
  return Number(text);
}

function parseSource(text: string, before: readonly NamedPath[] = []): NamedPath[] {
  const [, name = '', path = ''] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  if (path === '') throw new InvalidArgumentError('Expected NAME=PATH, such as linux=../linux.');
  if (!SOURCES.includes(name)) {
    throw new InvalidArgumentError(
      `Expected one of ${SOURCES.join(', ')} as its name${didYouMean(name, SOURCES)}`,
    );
  }
  return [...before, { name, path }];
}

/** Adds them to the program; they are accepted before and after the command. */
export function addGlobalOptions(program: Command): void {
  program
    .option('--json', 'print JSON: one document, or one event per line while something runs')
    .option('--verbose', 'show every line of every tool')
    .addOption(
      new Option('--ci <SYSTEM>', 'output for the log of a CI system (chosen from its variables)').choices([
        'github',
        'gitlab',
        'none',
      ]),
    )
    .option('--no-color', 'no colours; so does NO_COLOR in the environment')
    .addOption(
      new Option('--jobs <N>', 'processes of a build at once, 0 for one per processor').argParser(parseJobs),
    )
    .option('--workdir <DIR>', `where everything generated goes (default: ${WORK_DIRECTORY} in the project)`)
    .addOption(
      new Option(
        '--source <NAME=PATH>',
        'use a source tree of your own for qemu, linux or busybox',
      ).argParser(parseSource),
    )
    .option('--source-in-place', 'patch and build the trees of --source where they are, instead of copies')
    .option('--offline', 'download nothing')
    .option('--no-install', 'never install packages on the host')
    .addOption(new Option('--driver <KIND>', 'how the driver is built').choices(['module', 'builtin']))
    .addOption(new Option('--rootfs <KIND>', 'root file system of the guest').choices(['initramfs', 'ext4']))
    .option('--realtime', "the host's clock instead of the deterministic one (icount)")
    .addOption(new Option('--accel <KIND>', 'accelerator').choices(['auto', 'tcg', 'kvm']));
}

/** The settings that were given as flags. */
export function settingsOf(options: Flags): Given[] {
  const given: Given[] = [];
  const set = (path: string, value: unknown, origin: string): void => {
    if (value !== undefined) given.push({ path, value, origin });
  };
  set('build.jobs', options.jobs, '--jobs');
  for (const { name, path } of options.source ?? []) {
    set(`sources.${name}.tree`, path, '--source');
    if (options.sourceInPlace === true) set(`sources.${name}.inPlace`, true, '--source-in-place');
  }
  set('build.variant', options.variant, '--variant');
  set('downloads.offline', options.offline, '--offline');
  set('vm.driver', options.driver, '--driver');
  if (options.rw) set('vm.rootfs', 'ext4', '--rw');
  set('vm.rootfs', options.rootfs, '--rootfs');
  set('vm.clock', options.realtime ? 'realtime' : undefined, '--realtime');
  set('vm.accelerator', options.accel, '--accel');
  set('crosscheck.run', options.crosscheck, '--crosscheck');
  return given;
}
