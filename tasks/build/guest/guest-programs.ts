// SPDX-License-Identifier: MIT
/** The guest's programs in C (`program:NAME`): each C file in guest_fs/base and in a device's folder, linked statically. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { shellQuote } from '../../../lib/process/process.js';
import type { GuestFile, GuestProgram, ProjectDevice } from '../../../vm/device.js';
import { headersIn, programsIn } from '../../config/device-files.js';
import type { Config } from '../../config/schema.js';
import type { Task } from '../../engine/task.js';
import type { CompileCommand } from '../compile-commands.js';
import { GENERATED } from '../generated.js';
import type { Layout } from '../layout.js';

const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

const baseOf = (layout: Layout): string => join(layout.package, 'guest_fs', 'base');

/** The programs of every guest. */
export const basePrograms = (layout: Layout): readonly GuestProgram[] => programsIn(baseOf(layout));

/** The programs of a device. They may include the headers of guest_fs/base too. */
export function programsOf(layout: Layout, { files }: ProjectDevice): readonly GuestProgram[] {
  const shared = headersIn(baseOf(layout));
  return files.programs.map((each) => Object.assign({}, each, { headers: [...each.headers, ...shared] }));
}

export function allPrograms(layout: Layout, devices: readonly ProjectDevice[]): readonly GuestProgram[] {
  return [...basePrograms(layout), ...devices.flatMap((device) => programsOf(layout, device))];
}

export const programTask = ({ name }: GuestProgram): string => `program:${name}`;

/** The program as it was built, and its place in the guest. */
export function builtProgram({ guestPrograms }: Layout, { name, path, mode }: GuestProgram): GuestFile {
  return { file: join(guestPrograms, name), path, mode };
}

function compilation(config: Config, layout: Layout, program: GuestProgram) {
  const output = builtProgram(layout, program).file;
  const directories = new Set([program.file, ...program.headers].map((each) => dirname(each)));
  // The same program in every directory.
  const places = [...directories].flatMap((each) => [`-ffile-prefix-map=${each}/=`, '-I', each]);
  const args = ['-std=gnu11', '-O2', ...WARNINGS, ...places, '-static', '-o', output, program.file];
  return { compiler: `${config.build.cross}gcc`, args, output };
}

export function programTasks(config: Config, layout: Layout, devices: readonly ProjectDevice[]): Task[] {
  return allPrograms(layout, devices).map((program): Task => {
    const { compiler, args, output } = compilation(config, layout, program);
    return {
      name: programTask(program),
      title: `Guest: compile ${program.name}`,
      deps: [GENERATED],
      inputs: { files: [program.file, ...program.headers], values: { args }, tools: [compiler] },
      outputs: [output],
      jobs: 'one',
      run: async (context) => {
        await mkdir(dirname(output), { recursive: true });
        await context.exec(compiler, args);
      },
    };
  });
}

/** For editors. */
export function programCommands(
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
): readonly CompileCommand[] {
  return allPrograms(layout, devices).map((program) => {
    const { compiler, args, output } = compilation(config, layout, program);
    const command = shellQuote({ file: compiler, args });
    return { directory: layout.guestPrograms, file: program.file, command, output };
  });
}
