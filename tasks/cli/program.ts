// SPDX-License-Identifier: MIT
/** The program: its options, its commands, its help. */
import { Command } from 'commander';
import { packageVersion } from '../config/paths.js';
import type { App } from './app.js';
import { addAll } from '../commands/all.js';
import { addBump } from '../commands/bump.js';
import { addClean } from '../commands/clean.js';
import { addCrosscheck } from '../commands/crosscheck.js';
import { addDev } from '../commands/dev.js';
import { addDocker } from '../commands/docker.js';
import { addDockerAll } from '../commands/docker-all.js';
import { addDoctor } from '../commands/doctor.js';
import { addFuzz } from '../commands/fuzz.js';
import { addGraph } from '../commands/graph.js';
import { addInit } from '../commands/init.js';
import { addModule } from '../commands/module.js';
import { addMutants } from '../commands/mutants.js';
import { addPatch } from '../commands/patch.js';
import { addPrepare } from '../commands/prepare.js';
import { addPush } from '../commands/push.js';
import { addReplay } from '../commands/replay.js';
import { addRun } from '../commands/run.js';
import { addRunTestQuit } from '../commands/run-test-quit.js';
import { addStatus } from '../commands/status.js';
import { addStress } from '../commands/stress.js';
import { addUpdate } from '../commands/update.js';
import { addUpdatePatches } from '../commands/update-patches.js';
import { addHelp, ALL_EXITS } from './help.js';
import { addGlobalOptions } from './options.js';

/** Throws CommanderError instead of exiting; its exit code is 0 for --help and --version. */
export function createProgram(app: App): Command {
  const program = new Command('stopwatch')
    .description('Build, boot and prove a para-virtualized device.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    // Before the commands are added: they take these over.
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('`--help` says what there is.');
  addGlobalOptions(program);
  for (const add of [
    addAll,
    addPrepare,
    addPatch,
    addUpdatePatches,
    addBump,
    addUpdate,
    addDev,
    addRunTestQuit,
    addReplay,
    addRun,
    addPush,
    addModule,
    addInit,
    addDoctor,
    addStatus,
    addGraph,
    addClean,
    addCrosscheck,
    addDockerAll,
    addDocker,
    addFuzz,
    addMutants,
    addStress,
  ]) {
    add(program, app);
  }
  addHelp(program, ALL_EXITS, [
    ['stopwatch all', 'everything; then edit the device in device/, and again'],
    ['stopwatch run-test-quit --help', 'more about one command'],
  ]);
  return program;
}
