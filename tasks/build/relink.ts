// SPDX-License-Identifier: MIT
/** Builds a QEMU with another version of one source, beside a build that stays unchanged. */
import { dirname } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import type { Processes } from '../../lib/process/process.js';

/** Shell commands, for the build directory, that make one object and the program. */
export interface BuildCommands {
  readonly directory: string;
  readonly compile: string;
  readonly link: string;
  /** As in the commands. */
  readonly source: string;
  readonly object: string;
  readonly program: string;
}

export interface RelinkPorts {
  readonly processes: Processes;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Asks ninja. `source`: path below QEMU's tree. Throws 'command-failed'. */
export async function buildCommands(
  directory: string,
  source: string,
  program: string,
  ports: RelinkPorts,
): Promise<BuildCommands> {
  const rules = await compilations(directory, ports);
  const compile = rules.find(({ file }) => file.endsWith(`/${source}`));
  const link = rules.find(({ output }) => output === program);
  if (compile === undefined || link === undefined) {
    throw new StopwatchError(
      'command-failed',
      `ninja in ${directory} does not say how ${compile === undefined ? source : program} is made`,
      { command: 'ninja -t compdb -x', hint: 'Build QEMU first: npx stopwatch update' },
    );
  }
  return {
    directory,
    compile: compile.command,
    link: link.command,
    source: compile.file,
    object: compile.output,
    program,
  };
}

/** The commands of a build directory, from ninja; empty when ninja fails. */
export async function compilations(directory: string, ports: RelinkPorts): Promise<readonly Rule[]> {
  const { exitCode, stdout } = await ports.processes.run(
    { file: 'ninja', args: ['-t', 'compdb', '-x'], cwd: directory, env: ports.env },
    { signal: ports.signal, capture: true },
  );
  return exitCode === 0 ? rulesOf(stdout) : [];
}

interface Rule {
  readonly command: string;
  readonly file: string;
  readonly output: string;
}

function rulesOf(text: string): readonly Rule[] {
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries)) return [];
  return entries.filter(
    (entry: unknown): entry is Rule =>
      typeof entry === 'object' &&
      entry !== null &&
      ['command', 'file', 'output'].every((name) => typeof Reflect.get(entry, name) === 'string'),
  );
}

interface Relinked {
  /** The output when it does not compile or link. */
  readonly failed: readonly string[] | undefined;
}

/** Compiles `source` instead of the build's own and links `program`. Adds flags to both commands. */
export async function relink(
  commands: BuildCommands,
  to: { readonly source: string; readonly object: string; readonly program: string; readonly flags?: string },
  ports: RelinkPorts,
): Promise<Relinked> {
  const { flags = '' } = to;
  const compile = commands.compile
    // Keep the build's own list of headers.
    .replace(/ -MD -MQ \S+ -MF \S+/, '')
    .replace(` -o ${commands.object}`, ` ${flags} -o "$OBJECT"`)
    .replace(` -c ${commands.source}`, ` -iquote ${dirname(commands.source)} -c "$SOURCE"`);
  const link = commands.link
    .replace(` -o ${commands.program}`, ` ${flags} -o "$PROGRAM"`)
    .replace(` ${commands.object}`, ' "$OBJECT"');
  const lines: string[] = [];
  const { exitCode } = await ports.processes.run(
    {
      file: 'sh',
      args: ['-c', `set -e\n${compile}\n${link}`],
      cwd: commands.directory,
      env: { ...ports.env, SOURCE: to.source, OBJECT: to.object, PROGRAM: to.program },
    },
    { signal: ports.signal, onLine: (line) => lines.push(line) },
  );
  return { failed: exitCode === 0 ? undefined : lines };
}
