// SPDX-License-Identifier: MIT
/** Builds a QEMU with other versions of some sources, beside a build that stays unchanged. */
import { dirname } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import type { Processes } from '../../../lib/process/process.js';
import { Tail } from '../../../lib/tail.js';

/** Shell commands, for the build directory, that make some objects and the program. */
interface BuildCommands {
  readonly directory: string;
  readonly compilations: readonly Rule[];
  readonly link: string;
  /** As in the command. */
  readonly program: string;
}

export interface RelinkPorts {
  readonly processes: Processes;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Gets the output of compilers and linker. */
  readonly onLine?: ((line: string) => void) | undefined;
}

const BUILD_FIRST = 'Build QEMU first: npx stopwatch update';

/** Asks ninja. `sources`: paths below QEMU's tree. Throws 'command-failed'. */
export async function buildCommands(
  directory: string,
  sources: readonly string[],
  program: string,
  ports: RelinkPorts,
): Promise<BuildCommands> {
  const rules = await compilations(directory, ports);
  const find = (what: string, isIt: (rule: Rule) => boolean): Rule => {
    const rule = rules.find(isIt);
    if (rule !== undefined) return rule;
    throw new StopwatchError('command-failed', `ninja in ${directory} does not say how ${what} is made`, {
      command: 'ninja -t compdb -x',
      hint: BUILD_FIRST,
    });
  };
  return {
    directory,
    compilations: sources.map((source) => find(source, ({ file }) => file.endsWith(`/${source}`))),
    link: find(program, ({ output }) => output === program).command,
    program,
  };
}

/** The commands of a build directory, from ninja. Throws 'command-failed'. */
export async function compilations(directory: string, ports: RelinkPorts): Promise<readonly Rule[]> {
  const said = new Tail(15);
  const { exitCode, stdout } = await ports.processes.run(
    { file: 'ninja', args: ['-t', 'compdb', '-x'], cwd: directory, env: ports.env },
    {
      signal: ports.signal,
      capture: true,
      onLine: (line, stream) => {
        if (stream === 'stderr') said.push(line);
      },
    },
  );
  if (exitCode === 0) return rulesOf(stdout);
  throw new StopwatchError('command-failed', `ninja cannot list the commands of ${directory}`, {
    command: 'ninja -t compdb -x',
    lastLines: said.lines,
    hint: BUILD_FIRST,
  });
}

/** One source and how its object is made, as ninja has it. */
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

/**
 * Compiles the sources of `objects` instead of those of `commands`, and links `program`. Adds flags to all commands.
 * `objects`: one for each of `commands.compilations`, in the same order.
 */
export async function relink(
  commands: BuildCommands,
  to: {
    readonly objects: readonly { readonly source: string; readonly object: string }[];
    readonly program: string;
    readonly flags?: string;
  },
  ports: RelinkPorts,
): Promise<Relinked> {
  const { flags = '' } = to;
  const variables: Record<string, string> = { PROGRAM: to.program };
  let link = commands.link.replace(` -o ${commands.program}`, ` ${flags} -o "$PROGRAM"`);
  const compile = commands.compilations.map(({ command, file, output }, index) => {
    const [source, object] = [`SOURCE${index}`, `OBJECT${index}`];
    const own = to.objects[index];
    if (own !== undefined) Object.assign(variables, { [source]: own.source, [object]: own.object });
    link = link.replace(` ${output}`, ` "$${object}"`);
    return (
      command
        // Keep the build's own list of headers.
        .replace(/ -MD -MQ \S+ -MF \S+/, '')
        .replace(` -o ${output}`, ` ${flags} -o "$${object}"`)
        .replace(` -c ${file}`, ` -iquote ${dirname(file)} -c "$${source}"`)
    );
  });
  const lines: string[] = [];
  const { exitCode } = await ports.processes.run(
    {
      file: 'sh',
      args: ['-c', ['set -e', ...compile, link].join('\n')],
      cwd: commands.directory,
      env: { ...ports.env, ...variables },
    },
    {
      signal: ports.signal,
      onLine: (line) => {
        lines.push(line);
        ports.onLine?.(line);
      },
    },
  );
  return { failed: exitCode === 0 ? undefined : lines };
}
