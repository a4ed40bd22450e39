// SPDX-License-Identifier: MIT
/** Variants of QEMU that compile only the project's devices with other flags, and link them with the objects of the plain build. */
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ProjectDevice } from '../../../vm/device.js';
import { StopwatchError } from '../../../lib/errors.js';
import type { Task } from '../../engine/task.js';
import type { SourceLink } from '../../trees/links.js';
import type { Layout } from '../layout.js';
import { cSources, deviceInputs } from './qemu-devices.js';
import { buildCommands, relink } from './relink.js';

export interface DeviceAgain {
  readonly title: string;
  /** The purpose, for the error message. */
  readonly purpose: string;
  /** Appended to the flags of compiler and linker, so that they win. */
  readonly flags: string;
}

/** A debugger then shows every variable, every line in order, and the macros. */
export const DEBUGGED: DeviceAgain = {
  title: 'QEMU: rebuild the devices for debugging',
  purpose: 'with debug information',
  flags: '-g3 -O0 -fno-inline -U_FORTIFY_SOURCE',
};

/** Without optimisation, lines and branches are those of the source. */
export const COUNTING: DeviceAgain = {
  title: 'QEMU: rebuild the devices with coverage',
  purpose: 'to count their lines',
  flags: '--coverage -O0 -fno-inline',
};

/** `qemu:build` of such a variant. `plain`: the task that makes the rest. */
export function deviceAgainTask(
  { title, purpose, flags }: DeviceAgain,
  plain: string,
  layout: Layout,
  devices: readonly ProjectDevice[],
): Task {
  const directory = dirname(layout.qemu);
  const sources = devices.flatMap(cSources);
  const links = sources.map(({ link }) => link);
  return {
    name: 'qemu:build',
    title,
    deps: [plain],
    inputs: {
      files: deviceInputs(layout, devices),
      values: { flags, links },
      tools: ['gcc'],
    },
    outputs: [layout.qemu],
    jobs: 'one',
    run: async (context) => {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      const commands = await buildCommands(layout.qemuBuild, links, basename(layout.qemu), context);
      const objects = sources.map((source) => ({
        source: source.target,
        object: objectPath(layout, source),
      }));
      const { failed } = await relink(
        commands,
        { objects, program: layout.qemu, flags },
        { ...context, onLine: context.log },
      );
      if (failed === undefined) return;
      const names = devices.map(({ device }) => device.description.name).join(', ');
      throw new StopwatchError('command-failed', `QEMU with ${names} cannot be built ${purpose}`, {
        lastLines: failed.slice(-15),
      });
    },
  };
}

/** The main C file of a device: NAME.c, else the first. Throws 'bad-config' where QEMU has the device. */
export function sourceOf(device: ProjectDevice): SourceLink {
  const { name } = device.device.description;
  const sources = cSources(device);
  const found = sources.find(({ link }) => basename(link) === `${name}.c`) ?? sources[0];
  if (found === undefined) {
    throw new StopwatchError('bad-config', `The device ${name} has no C source of its own`, {
      hint: `It would be in ${join(device.root, 'device', name)}.`,
    });
  }
  return found;
}

/** The object of that file. */
export const objectOf = (layout: Layout, device: ProjectDevice): string =>
  objectPath(layout, sourceOf(device));

/** The directory keeps apart files of two devices that have one name. */
function objectPath(layout: Layout, { link }: SourceLink): string {
  return join(dirname(layout.qemu), `${basename(dirname(link))}-${basename(link, '.c')}.o`);
}
