// SPDX-License-Identifier: MIT
/** Variants of QEMU that compile only the device with other flags, and link it with the objects of the plain build. */
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type BuildLink, type DeviceDescription, deviceSource } from '../../vm/device.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Task } from '../engine/task.js';
import type { Layout } from './layout.js';
import { buildCommands, relink } from './relink.js';

export interface DeviceAgain {
  readonly title: string;
  /** What for; part of the error message. */
  readonly purpose: string;
  /** Appended to the flags of compiler and linker, so that they win. */
  readonly flags: string;
}

/** What a debugger shows is then what the source says: every variable, every line in its order, and its macros. */
export const DEBUGGED: DeviceAgain = {
  title: 'QEMU: the device again, for debuggers',
  purpose: 'with debug information',
  flags: '-g3 -O0 -fno-inline -U_FORTIFY_SOURCE',
};

/** Without optimisation a line is a line, and a branch is one of the source. */
export const COUNTING: DeviceAgain = {
  title: 'QEMU: the device again, counting what it reaches',
  purpose: 'to count its lines',
  flags: '--coverage -O0 -fno-inline',
};

/** `qemu:build` of such a variant. `plain`: the task that makes the rest. */
export function deviceAgainTask(
  { title, purpose, flags }: DeviceAgain,
  plain: string,
  layout: Layout,
  device: DeviceDescription,
): Task {
  const { link, target } = sourceOf(device);
  const directory = dirname(layout.qemu);
  const links = device.build.qemu.links.map((one) => join(layout.device, one.target));
  return {
    name: 'qemu:build',
    title,
    deps: [plain],
    inputs: { files: links, values: { flags, source: target }, tools: ['gcc'] },
    outputs: [layout.qemu],
    jobs: 'one',
    run: async (context) => {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      const commands = await buildCommands(layout.qemuBuild, link, basename(layout.qemu), context);
      const { failed } = await relink(
        commands,
        {
          source: join(layout.device, target),
          object: objectOf(layout, device),
          program: layout.qemu,
          flags,
        },
        context,
      );
      if (failed !== undefined)
        throw new StopwatchError('command-failed', `${target} cannot be built ${purpose}`, {
          lastLines: failed.slice(-15),
        });
    },
  };
}

/** Throws 'bad-config' where the device declares none. */
export function sourceOf(device: DeviceDescription): BuildLink {
  const found = deviceSource(device);
  if (found === undefined) {
    throw new StopwatchError('bad-config', `The device ${device.name} links no C source into QEMU's tree`, {
      hint: 'Its description names it: build.qemu.links, a link that ends with .c',
    });
  }
  return found;
}

export function objectOf(layout: Layout, device: DeviceDescription): string {
  return join(dirname(layout.qemu), `${basename(sourceOf(device).link, '.c')}.o`);
}
