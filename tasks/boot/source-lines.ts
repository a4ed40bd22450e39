// SPDX-License-Identifier: MIT
/** The source lines of a driver's functions in a call trace, by the kernel's own faddr2line. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { baseEnvironment } from '../../lib/environment.js';
import type { Processes } from '../../lib/process/process.js';
import { driverFunctions, type Splat } from '../../vm/console/splat.js';
import type { DeviceInstance } from '../../vm/device.js';
import { moduleOf } from '../build/linux/drivers.js';
import type { Layout } from '../build/layout.js';

interface Sources {
  readonly instances: readonly DeviceInstance[];
  readonly layout: Layout;
  /** build.cross */
  readonly cross: string;
}

interface Ports {
  readonly processes: Processes;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The same, with what can be found: a driver that is built in, or a tree without the script, gives nothing. */
export async function withSourceLines(
  splats: readonly Splat[],
  sources: Sources,
  ports: Ports,
): Promise<readonly Splat[]> {
  return Promise.all(
    splats.map(async (splat) => {
      const found = await Promise.all(
        driverFunctions(splat).map(async (entry) => {
          const text = await sourceLine(entry, entry !== splat.trace[0], sources, ports);
          return text === undefined ? [] : [[entry, text] as const];
        }),
      );
      return { ...splat, sources: Object.fromEntries(found.flat()) };
    }),
  );
}

/** `driver/led/led.c:42: code`, for `led_interrupt+0x10/0xb0 [led]`. `called`: the address is that to return to, behind the call. */
async function sourceLine(
  entry: string,
  called: boolean,
  { instances, layout, cross }: Sources,
  { processes, environment, signal }: Ports,
): Promise<string | undefined> {
  const [, name = '', offset = '', size = '', module = ''] =
    /^(.+)\+(0x\w+)\/(0x\w+) \[(.+)\]$/.exec(entry) ?? [];
  const owner = instances.find(({ files }) => files.driver?.module === module);
  if (owner?.files.driver === undefined) return undefined;
  const { directory } = owner.files.driver;
  const object = moduleOf(layout, owner.device.description.name);
  const place = `${name}+0x${(Number(offset) - (called ? 1 : 0)).toString(16)}/${size}`;
  const { stdout } = await processes
    .run(
      {
        file: 'bash',
        args: [join(layout.tree('linux'), 'scripts', 'faddr2line'), object, place],
        env: { ...baseEnvironment(environment), CROSS_COMPILE: cross },
      },
      { signal, capture: true },
    )
    .catch(() => ({ stdout: '' }));
  // The innermost that is the driver's: functions of the kernel's headers are inlined.
  const [, path = '', line = ''] = / at (?:\.\/)?(driver\/\S+):(\d+)/.exec(stdout) ?? [];
  if (path === '') return undefined;
  const text = await readFile(join(directory, basename(path)), 'utf8').catch(() => '');
  return `${path}:${line}: ${(text.split('\n')[Number(line) - 1] ?? '').trim()}`;
}
