// SPDX-License-Identifier: MIT
/** What surrounds every command: configuration and reporter before it, summary and exit code after it. */
import { appendFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import defaults from '../../config.js';
import { loadConfig, type Loaded } from '../config/load.js';
import { findPaths, WORKDIR_VARIABLE } from '../config/paths.js';
import { EXIT, messageOf, StopwatchError } from '../../lib/errors.js';
import type { CiOptions } from '../report/ci.js';
import { serializeError } from '../../lib/serialize-error.js';
import { failureText } from '../report/failure.js';
import { cleaned, cleanedPainted, jsonText, painter, type Output } from '../report/format.js';
import { shielded } from '../report/github.js';
import { chooseLook, createReporter, type Look, type Reporter } from '../report/reporter.js';
import { confirmOn } from './confirm.js';
import { crashError } from './crash.js';
import type { Interrupt } from './interrupt.js';
import { loadDevices } from './devices.js';
import { settingsOf, type Flags } from './options.js';
import type { Result, Services } from '../config/services.js';
import type { CommandDefinition } from '../commands/define.js';
import { PRODUCT } from '../../lib/product.js';

/** `git bisect run` skips a revision that ends with it. */
const BISECT_SKIP = 125;

export interface World {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly interrupt: Interrupt;
}

export class App {
  exitCode: number = EXIT.passed;
  /** Set as soon as it is known, for the log of a crash. */
  logs: string | undefined;
  private reporter: Reporter | undefined;
  /** Where progress and summary go. */
  private out: 'stdout' | 'stderr' | 'nowhere' = 'stdout';

  constructor(private readonly world: World) {}

  /** Runs one command from its options to its exit code. Never rejects. */
  async run(command: CommandDefinition, options: Flags, args: readonly unknown[]): Promise<void> {
    const { world } = this;
    this.out = command.ownOutput === true ? (options.quiet === true ? 'nowhere' : 'stderr') : 'stdout';
    const look = this.look(options);
    try {
      checkTogether(options);
      const workdir = options.workdir ?? (world.environment[WORKDIR_VARIABLE] || undefined);
      this.logs = findPaths(world.cwd, workdir).logs;
      const loaded = await loadConfig({
        defaults,
        cwd: world.cwd,
        environment: world.environment,
        flags: settingsOf(command.ownSource === true ? { ...options, source: [] } : options),
        workdir,
      });
      // With one document on standard output, everything else is for standard error.
      const documents = command.document === true && look.kind === 'json';
      const reporterLook: Look = documents ? { ...look, kind: 'plain' } : look;
      const stream = documents ? world.stderr : this.output;
      this.reporter = await createReporter(reporterLook, outputTo(stream), ciDirectories(loaded, world));
      const services = this.services(loaded, this.reporter, look, command, options);
      const elsewhere = usedElsewhere(loaded, world.cwd);
      if (elsewhere !== undefined) this.note(`Using ${elsewhere}`, look);
      for (const text of loaded.warnings) this.note(`Warning: ${text}`, look);
      const result = await command.run(services, options, ...args);
      await this.finish(command, result, look);
      await this.afterwards(result);
    } catch (thrown) {
      await this.fail(command, thrown, look);
      const { exitCode } = this;
      if (options.bisect === true && (exitCode === EXIT.host || exitCode === EXIT.usage))
        this.exitCode = BISECT_SKIP;
    }
  }

  /** Gives the terminal back, as far as that is possible within a moment. */
  async release(): Promise<void> {
    await this.reporter?.finish();
  }

  private get output(): Stream {
    const { stdout, stderr } = this.world;
    if (this.out === 'nowhere') return NOWHERE;
    return this.out === 'stderr' ? stderr : stdout;
  }

  private look(options: Flags): Look {
    const stdout = this.output;
    return chooseLook({
      json: options.json === true,
      verbose: options.verbose === true,
      ci: options.ci,
      noColour: !options.color,
      isTerminal: stdout.isTTY,
      columns: stdout.columns ?? 0,
      environment: this.world.environment,
    });
  }

  private services(
    loaded: Loaded,
    reporter: Reporter,
    look: Look,
    command: CommandDefinition,
    options: Flags,
  ): Services {
    const { environment, stdin, stdout, stderr, interrupt } = this.world;
    const interactive = stdin.isTTY && stdout.isTTY && look.kind !== 'json';
    let ensured: Promise<void> | undefined;
    const services: Services = {
      loaded,
      devices: async () => loadDevices(loaded.config.devices, loaded.paths),
      environment,
      signal: interrupt.signal,
      force: options.force,
      emit: reporter.emit,
      release: async () => reporter.finish(),
      json: look.kind === 'json',
      colour: look.colour,
      interactive,
      confirm: async (question, otherwise) => {
        if (!interactive) return otherwise;
        await reporter.finish();
        return confirmOn(stdin, stderr, cleaned(question), interrupt.signal);
      },
      processes: async () => interrupt.processes(),
      ensureHost:
        command.builds?.(options) === true
          ? async () => (ensured ??= ensurePackagesFor(services, command, options))
          : undefined,
    };
    return services;
  }

  private async finish(command: CommandDefinition, result: Result, look: Look): Promise<void> {
    this.exitCode = result.passedThrough ?? (result.exitCode || (result.guestStatus ?? EXIT.passed));
    await this.release();
    if (result.passedThrough !== undefined) return;
    const stdout = this.output;
    if (look.kind === 'json') {
      stdout.write(
        command.document === true
          ? `${jsonText(result.data ?? null, 2)}\n`
          : `${jsonText({ type: 'result', command: command.name, ...withoutError(result) })}\n`,
      );
      return;
    }
    if (result.text !== undefined) this.print(cleanedPainted(result.text, look.colour), look);
    await this.summarise(look, result);
    // What explains the failure comes last, where it is on the screen.
    if (result.error !== undefined) this.tell(result.error, look);
    await this.writeStepSummary(command.name, look, result);
  }

  /** Its failure is no failure of the command. */
  private async afterwards({ afterwards }: Result): Promise<void> {
    try {
      await afterwards?.();
    } catch (error) {
      this.world.stderr.write(`Warning: ${messageOf(error)}\n`);
    }
  }

  private async fail(command: CommandDefinition, thrown: unknown, look: Look): Promise<void> {
    const { interrupt } = this.world;
    const stdout = this.output;
    await this.release();
    for (const one of flatten(thrown)) {
      // Whatever an abort made others throw, it is the abort that happened.
      const error = await this.understand(interrupt.signal.aborted ? interrupt.signal.reason : one);
      if (this.exitCode === EXIT.passed) {
        this.exitCode = error.exitCode;
        if (look.kind !== 'json') await this.summarise(look, {});
        await this.writeStepSummary(command.name, look, { error });
      }
      if (look.kind === 'json') {
        const document = {
          type: 'result',
          command: command.name,
          exitCode: error.exitCode,
          error: serializeError(error),
        };
        stdout.write(`${jsonText(document, command.document === true ? 2 : 0)}\n`);
        return;
      }
      this.tell(error, look);
      if (interrupt.signal.aborted) return;
    }
  }

  /** Any thrown value as the error that it is for the user. */
  private async understand(thrown: unknown): Promise<StopwatchError> {
    if (thrown instanceof StopwatchError) return thrown;
    const { toStopwatchError } = await import('../../lib/failure.js');
    const error = await toStopwatchError(thrown, { task: PRODUCT, directory: this.world.cwd });
    return error.code === 'internal' ? crashError(thrown, this.logs) : error;
  }

  private tell(error: StopwatchError, look: Look): void {
    const { stderr } = this.world;
    this.print(failureText(error, painter(look.colour && stderr.isTTY)), look, stderr);
  }

  private note(text: string, look: Look): void {
    this.print(`${cleaned(text)}\n`, look, this.world.stderr);
  }

  /** GitHub's runner reads both streams, each in its own time: what it must not obey is all on one of them. */
  private print(text: string, look: Look, stream: Stream = this.output): void {
    const shield = look.system === 'github' ? shielded(text) : text;
    (shield === text ? stream : this.output).write(shield);
  }

  /** For the page of a run on GitHub, which names a file for it. */
  private async writeStepSummary(command: string, look: Look, closing: Partial<Result>): Promise<void> {
    const file = this.world.environment['GITHUB_STEP_SUMMARY'] ?? '';
    if (look.kind !== 'ci' || file === '') return;
    const { stepSummary } = await import('../report/step-summary.js');
    const { exitCode } = this;
    try {
      const outcome = {
        command,
        exitCode,
        verdict: closing.verdict ?? [],
        text: closing.text,
        error: closing.error,
        page: closing.page,
        artifacts: artifactsOf(this.world.environment),
        sketch: closing.error === undefined ? [] : await closing.sketch?.(),
      };
      appendFileSync(file, stepSummary(outcome, this.reporter?.model));
    } catch (error) {
      this.note(`Warning: GITHUB_STEP_SUMMARY (${file}) cannot be written: ${messageOf(error)}`, look);
    }
  }

  private async summarise(look: Look, closing: Partial<Result>): Promise<void> {
    const { summariseClosing, summariseStages } = await import('../report/summary.js');
    const stdout = this.output;
    const summary = {
      paint: painter(look.colour),
      columns: stdout.isTTY ? stdout.columns || undefined : undefined,
      elapsedMs: performance.now(),
    };
    // Beside the output of a command, what was up to date is not worth a word.
    if (this.reporter !== undefined && this.out === 'stdout')
      this.print(summariseStages(this.reporter.model, summary), look);
    this.print(summariseClosing({ verdict: closing.verdict ?? [], next: closing.next }, summary), look);
  }
}

async function ensurePackagesFor(
  services: Services,
  command: CommandDefinition,
  options: Flags,
): Promise<void> {
  const { ensurePackages, requestFor } = await import('../doctor/packages.js');
  const install = options.install ? 'ask' : 'no';
  await ensurePackages(requestFor(services, { install, tools: command.tools?.(options) }));
}

/** The configuration, or the project, that is not in the current directory: it was found above that. */
function usedElsewhere({ paths: { project }, file }: Loaded, cwd: string): string | undefined {
  return project === resolve(cwd) ? undefined : (file ?? project);
}

/** Where compilers run, and the repository that a CI system has checked out. */
function ciDirectories({ paths }: Loaded, { environment }: World): Omit<CiOptions, 'system'> {
  return {
    workspace: environment['GITHUB_WORKSPACE'] || environment['CI_PROJECT_DIR'] || paths.project,
    directories: ['qemu', 'linux', 'busybox'].map((name) => join(paths.build, name)),
  };
}

/** Where GitHub shows the artifacts of a run. */
function artifactsOf(environment: Readonly<Record<string, string>>): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = environment;
  if (server === undefined || repository === undefined || run === undefined) return undefined;
  return `${server}/${repository}/actions/runs/${run}#artifacts`;
}

/** For --json: an error has no own properties that JSON would show. */
function withoutError({ error, ...result }: Result): object {
  return error === undefined ? result : { ...result, error: serializeError(error) };
}

/** Several failures at once are reported one after the other. */
function flatten(thrown: unknown): unknown[] {
  return thrown instanceof AggregateError && thrown.errors.length > 0 ? [...thrown.errors] : [thrown];
}

const contradiction = (one: string, other: string): StopwatchError =>
  new StopwatchError('bad-usage', `${one} cannot be used with ${other}`);

function checkTogether(options: Flags): void {
  // commander does not compare the options of a command with those of all commands.
  if (options.deterministic && options.realtime) throw contradiction('--deterministic', '--realtime');
  if (options.gdbQemu && options.json) throw contradiction('--gdb-qemu', '--json');
  if (options.rw && options.rootfs === 'initramfs') {
    throw new StopwatchError('bad-usage', '--rw keeps changes, which an initramfs cannot', {
      hint: 'Leave out --rootfs initramfs: --rw takes the ext4 image.',
    });
  }
}

/** What is used of a stream for output. */
type Stream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown };

const NOWHERE: Stream = { isTTY: false, columns: 0, write: () => true };

function outputTo(stream: Stream): Output {
  return {
    write: (text) => void stream.write(text),
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
  };
}
