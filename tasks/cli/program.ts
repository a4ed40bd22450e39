// SPDX-License-Identifier: MIT
/** The command line: its options, its commands, its help. */
import { Command } from 'commander';
import { EXIT } from '../../lib/errors.js';
import { all } from '../commands/all.js';
import { bench } from '../commands/bench.js';
import { bump } from '../commands/bump.js';
import { clean } from '../commands/clean.js';
import { crosscheck } from '../commands/crosscheck.js';
import { ALL_EXITS, type CommandDefinition } from '../commands/define.js';
import { dev } from '../commands/dev.js';
import { docker } from '../commands/docker.js';
import { dockerAll } from '../commands/docker-all.js';
import { doctor } from '../commands/doctor.js';
import { exec } from '../commands/exec.js';
import { fuzz } from '../commands/fuzz.js';
import { graph } from '../commands/graph.js';
import { init } from '../commands/init.js';
import { kunit } from '../commands/kunit.js';
import { matrix } from '../commands/matrix.js';
import { module } from '../commands/module.js';
import { mutants } from '../commands/mutants.js';
import { patch } from '../commands/patch.js';
import { prepare } from '../commands/prepare.js';
import { push } from '../commands/push.js';
import { replay } from '../commands/replay.js';
import { report } from '../commands/report.js';
import { run } from '../commands/run.js';
import { runTestQuit } from '../commands/run-test-quit.js';
import { status } from '../commands/status.js';
import { stress } from '../commands/stress.js';
import { test } from '../commands/test.js';
import { update } from '../commands/update.js';
import { updatePatches } from '../commands/update-patches.js';
import { closest } from '../config/closest.js';
import { packageVersion } from '../config/paths.js';
import type { App } from './app.js';
import { addGlobalOptions } from './options.js';
import { PRODUCT } from '../../lib/product.js';

/** In the order of --help. */
const COMMANDS: readonly CommandDefinition[] = [
  all,
  prepare,
  patch,
  updatePatches,
  bump,
  update,
  dev,
  test,
  runTestQuit,
  matrix,
  kunit,
  replay,
  report,
  run,
  exec,
  push,
  module,
  init,
  doctor,
  status,
  graph,
  clean,
  crosscheck,
  dockerAll,
  docker,
  fuzz,
  mutants,
  stress,
  bench,
];

/** For `--help` and docs/commands.md. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  passed: 'passed',
  testFailed:
    'a check failed: a test in the guest or of KUnit, a mutant that survived, a part of the device that `fuzz` did not reach, a count of exits',
  usage: 'usage or configuration',
  differs: "the device and the model differ, or the run's trace is incomplete",
  guest: 'the guest or QEMU crashed, hung, printed nothing or refused, or there is no VM to use',
  host: 'host, download or build',
  interrupted: 'interrupted',
};

/** Throws CommanderError instead of exiting; its exit code is 0 for --help and --version. */
export function createProgram(app: App): Command {
  const program = new Command(PRODUCT)
    .description('Build, boot and check a para-virtualized device.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    // Before the commands are added: they take these over.
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('`--help` says what there is.')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'Error:')) });
  addGlobalOptions(program);
  for (const definition of COMMANDS) addCommand(program, app, definition);
  // commander's own suggestions know no beginnings of words: `run-test`.
  const unknown = (word: string): never => {
    const found = closest(
      word,
      program.commands.map((command) => command.name()),
    );
    const hint = found === undefined ? '' : `\n(Did you mean ${found}?)`;
    return program.error(`error: unknown command '${word}'${hint}`, { code: 'commander.unknownCommand' });
  };
  program.on('command:*', ([word = '']: readonly string[]) => unknown(word));
  // Without this, commander answers `nope --help` with the general help and exit code 0.
  program.on('beforeHelp', () => {
    const word = program.args.find((arg) => !arg.startsWith('-'));
    if (word !== undefined && !program.commands.some((command) => command.name() === word)) unknown(word);
  });
  // commander's own takes an unknown command for none.
  program
    .command('help [command]')
    .summary('print the help of a command')
    .action((word: string | undefined) => {
      const asked = word === undefined ? program : program.commands.find((one) => one.name() === word);
      (asked ?? unknown(word ?? '')).help();
    });
  addExitsAndExamples(program, {
    exits: ALL_EXITS,
    examples: [
      ['all', 'everything; then edit the device in device/, and again'],
      ['run-test-quit --help', 'more about one command'],
    ],
  });
  return program;
}

function addCommand(program: Command, app: App, definition: CommandDefinition): void {
  const { name, alias, summary, description, args = [], options = [] } = definition;
  for (const spelling of alias === undefined ? [name] : [name, alias]) {
    const command = program.command(spelling, { hidden: spelling !== name });
    command.summary(summary).description(description);
    for (const argument of args) command.addArgument(argument);
    for (const option of options) command.addOption(option);
    // Commander passes the arguments, then the options and the command itself.
    command.action(async (...given: unknown[]) => {
      // doctor's --install is not the global --no-install: without it, the value is undefined.
      const own: Record<string, unknown> = command.opts();
      const names = options.map((option) => option.attributeName());
      const values = Object.fromEntries(names.map((key) => [key, own[key]]));
      return app.run(definition, { ...command.optsWithGlobals(), ...values }, given.slice(0, -2));
    });
    addExitsAndExamples(command, definition);
  }
}

/** The parts of --help that commander does not make. */
function addExitsAndExamples(
  command: Command,
  { exits, examples }: Pick<CommandDefinition, 'exits' | 'examples'>,
): void {
  const typed = examples.map(([line, text]) => [`${PRODUCT} ${line}`, text] as const);
  const width = Math.max(...typed.map(([line]) => line.length));
  const lines = [
    '',
    'Exit codes:',
    ...exits.map((name) => `  ${String(EXIT[name]).padEnd(4)}${EXIT_MEANINGS[name]}`),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...typed.map(([line, text]) => `  ${line.padEnd(width)}  # ${text}`),
  ];
  command.addHelpText('after', lines.join('\n'));
}
