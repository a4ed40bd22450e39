// SPDX-License-Identifier: MIT
/** `devices:qemu`: the directory that QEMU's tree has as hw/misc/pv, made from the project's list of devices. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ProjectDevice } from '../../../vm/device.js';
import type { Task } from '../../engine/task.js';
import type { SourceLink } from '../../trees/links.js';
import { type GeneratedDirectory, makeDirectory, pathsIn } from '../generated-directory.js';
import type { Layout } from '../layout.js';

export const QEMU_DEVICES = 'devices:qemu';
/** QEMU's list of devices: configs/devices/aarch64-softmmu/pv.mak. */
export const DEVICE_LIST = 'pv';
const PLACE = 'hw/misc/pv';

/** The links in QEMU's tree: the same for every project. */
export function qemuLinks({ qemuDevices }: Layout): SourceLink[] {
  return [
    { link: PLACE, target: qemuDevices },
    {
      link: `configs/devices/aarch64-softmmu/${DEVICE_LIST}.mak`,
      target: join(qemuDevices, `${DEVICE_LIST}.mak`),
    },
  ];
}

/** The C files of a device: where QEMU finds them, and where they are edited. */
export function cSources({ device, files }: ProjectDevice): SourceLink[] {
  return files.qemu
    .filter((file) => file.endsWith('.c'))
    .map((target) => ({ link: join(PLACE, pathOf(device.description.name, target)), target }));
}

/** Included by every device as "hw/misc/pv/pv.h". */
const commonHeader = (layout: Pick<Layout, 'package'>): string => join(layout.package, 'vm', 'qemu', 'pv.h');

/** The files that the devices are compiled from. */
export const deviceInputs = (
  layout: Pick<Layout, 'package'>,
  devices: readonly ProjectDevice[],
): readonly string[] => [...devices.flatMap(({ files }) => files.qemu), commonHeader(layout)];

/** In the generated directory. */
const pathOf = (name: string, file: string): string => join(name, basename(file));

/** `base`: QEMU's own devices that every machine may have. */
export function qemuDirectory(
  layout: Pick<Layout, 'package' | 'qemuDevices'>,
  devices: readonly ProjectDevice[],
  base: string,
): GeneratedDirectory {
  const descriptions = devices.map(({ device }) => device.description);
  const links = devices.flatMap(({ device, files }) =>
    files.qemu.map((file) => [pathOf(device.description.name, file), file] as const),
  );
  const sources = links.map(([path]) => path).filter((path) => path.endsWith('.c'));
  const nodes = descriptions.flatMap(({ qemuType, deviceTree }) =>
    deviceTree === undefined
      ? []
      : `    DEVICE(${[qemuType, [deviceTree.compatible].flat().join('\0'), ...deviceTree.regions].map(cString).join(', ')})`,
  );
  return {
    directory: layout.qemuDevices,
    links: { ...Object.fromEntries(links), 'pv.h': commonHeader(layout) },
    files: {
      'meson.build': `system_ss.add(when: 'CONFIG_PV_DEVICES', if_true: files(\n${sources.map((path) => `  '${path}',\n`).join('')}))\n`,
      'trace-events': descriptions.map(({ traceEvents }) => traceEvents?.text ?? '').join(''),
      'devices.h': [
        '/* Generated from the list of devices: type, compatible, reg-names */',
        '#ifndef HW_MISC_PV_DEVICES_H',
        '#define HW_MISC_PV_DEVICES_H',
        '',
        ['#define PV_DEVICES(DEVICE)', ...nodes].join(' \\\n'),
        '',
        '#endif',
        '',
      ].join('\n'),
      [`${DEVICE_LIST}.mak`]: [
        base.trimEnd(),
        ...new Set(descriptions.flatMap(({ qemuConfig = [] }) => qemuConfig)),
        '',
      ].join('\n'),
    },
  };
}

const cString = (text: string): string => JSON.stringify(text).replaceAll('\\u0000', '\\000');

export function qemuDevicesTask(layout: Layout, devices: readonly ProjectDevice[]): Task {
  const base = join(layout.package, 'vm', 'qemu', 'devices.mak');
  const expected = qemuDirectory(layout, devices, '');
  return {
    name: QEMU_DEVICES,
    title: 'QEMU: list of devices',
    deps: [],
    inputs: { values: { files: expected.files, links: expected.links }, files: [base] },
    outputs: pathsIn(expected),
    jobs: 'none',
    run: async () => makeDirectory(qemuDirectory(layout, devices, await readFile(base, 'utf8'))),
  };
}
