// SPDX-License-Identifier: MIT
/**
 * `editor:commands`: compile_commands.json for the devices, the drivers and the guest's programs, so that clangd finds
 * every header. It names the files where they are edited, not where they are linked into the trees.
 */
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProjectDevice } from '../../vm/device.js';
import type { Config } from '../config/schema.js';
import { errnoOf } from '../../lib/errno.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Task } from '../engine/task.js';
import { linkAtomic, writeFileAtomic } from '../../lib/files/atomic.js';
import { shellQuote } from '../../lib/process/process.js';
import { programCommands } from './guest/guest-programs.js';
import type { Layout } from './layout.js';
import { BUILTIN_PLACE, directoryOf, type Driver, driversOf, driverTaskOf } from './linux/drivers.js';
import { kernelSource } from './linux/linux.js';
import { cSources } from './qemu/qemu-devices.js';
import { compilations } from './qemu/relink.js';

/** An entry of a compilation database (the format is LLVM's). */
export interface CompileCommand {
  readonly directory: string;
  /** Absolute. */
  readonly file: string;
  /** A shell command. */
  readonly command: string;
  readonly output: string;
}

export function editorTasks(config: Config, layout: Layout, devices: readonly ProjectDevice[]): Task[] {
  const deviceCommands = join(layout.vm, 'device-commands.json');
  const tree = layout.tree('qemu');
  const sources = devices.flatMap(cSources);
  const drivers = driversOf(devices);
  const programs = programCommands(config, layout, devices);
  const isModule = config.vm.driver === 'module';
  return [
    {
      name: 'editor:device',
      title: "Editor: the compiler's commands for the devices",
      // Not the build, because the commands do not change with the sources.
      deps: ['qemu:configure'],
      inputs: {
        values: { sources: sources.map(({ link, target }) => `${link} -> ${target}`), tree },
      },
      outputs: [deviceCommands],
      jobs: 'one',
      run: async (context) => {
        const rules = await compilations(layout.qemuBuild, context);
        const found = sources.flatMap(({ link, target }) => {
          const rule = rules.find(({ file }) => file.endsWith(`/${link}`));
          if (rule === undefined) return [];
          const { command, file, output } = rule;
          return [edit({ directory: layout.qemuBuild, file, command, output }, target, join(tree, link))];
        });
        await mkdir(layout.vm, { recursive: true });
        await writeFileAtomic(deviceCommands, JSON.stringify(found, null, 2));
      },
    },
    {
      name: 'editor:commands',
      title: 'Editor: compile_commands.json',
      deps: [
        'editor:device',
        'linux:build',
        ...(isModule ? drivers.map(({ name }) => driverTaskOf(name)) : []),
      ],
      inputs: {
        values: {
          drivers: drivers.map(({ files }) => files.directory),
          programs: programs.map(({ file, command }) => [file, command]),
        },
      },
      outputs: [layout.compileCommands],
      jobs: 'one',
      run: async (context) => {
        const found: CompileCommand[] = JSON.parse(await readFile(deviceCommands, 'utf8'));
        found.push(...programs);
        for (const driver of drivers) found.push(...(await driverCommands(layout, driver, isModule)));
        await writeFileAtomic(layout.compileCommands, `${JSON.stringify(found, null, 2)}\n`);
        await linkForEditors(layout.compileCommands, join(layout.project, 'compile_commands.json')).catch(
          (error: unknown) => {
            context.notice(
              `No compile_commands.json for editors in ${layout.project}: ${errnoOf(error).message}; it is ${layout.compileCommands}`,
            );
          },
        );
      },
    },
  ];
}

/** A file that no Kbuild names is not compiled. */
async function driverCommands(
  layout: Layout,
  { name, files }: Driver,
  isModule: boolean,
): Promise<CompileCommand[]> {
  const builtin = join(BUILTIN_PLACE, name);
  // Where the links are, the objects, and the sources as the compiler's command names them.
  const module = directoryOf(layout, name);
  const [links, objects, sources] = isModule
    ? [module, module, module]
    : [
        join(layout.builtinDrivers, name),
        join(layout.linuxBuild, builtin),
        join(kernelSource(layout), builtin),
      ];
  const found: CompileCommand[] = [];
  for (const source of files.names.filter((each) => each.endsWith('.c'))) {
    const object = source.replace(/\.c$/, '.o');
    const record = await readFile(join(objects, `.${object}.cmd`), 'utf8').catch(() => '');
    const command = savedCommand(record);
    if (command === undefined) continue;
    const file = join(sources, source);
    const entry = { directory: layout.linuxBuild, file, command, output: join(objects, object) };
    found.push(edit(entry, join(files.directory, source), join(links, source)));
  }
  return found;
}

/** The command for a file where it is edited. What it includes beside it is looked for where it is linked, too. */
export function edit(entry: CompileCommand, edited: string, linked: string): CompileCommand {
  const { file, command } = entry;
  const parts = command.split(` ${file}`);
  if (parts.length !== 2)
    throw new StopwatchError(
      'internal',
      `Expected '${file}' once in the command that compiles it: ${command}`,
    );
  const words = shellQuote({ file: '-iquote', args: [dirname(linked), edited] });
  // An editor wants the compiler without ccache,
  const compiler = parts[0]
    ?.replace(/^ccache /, '')
    // and without the build's list of headers.
    .replace(/ -MD -MQ \S+ -MF \S+/, '')
    .replace(/ -Wp,-MM?D,\S+/, '');
  return { ...entry, file: edited, command: `${compiler} ${words}${parts[1]}`.trim() };
}

/** The compiler's command in a file that kbuild writes beside an object (scripts/Kbuild.include), if any. */
export function savedCommand(text: string): string | undefined {
  const [, command] = /^(?:saved)?cmd_\S+ := (.*)$/m.exec(text) ?? [];
  // Escaped for make. Drop the commands after the compiler.
  return command
    ?.replaceAll('$(pound)', '#')
    .replaceAll('$$', '$')
    .replace(/ ; .*$/s, '')
    .trim();
}

/** Editors look for it in the directories above a file. Keeps the user's own file. */
async function linkForEditors(file: string, link: string): Promise<void> {
  const present = await lstat(link).catch(() => undefined);
  if (present?.isSymbolicLink() !== false) await linkAtomic(link, file);
}
