// SPDX-License-Identifier: MIT
/** Finds settings that contradict each other, which the schema cannot express. */
import { basename } from 'node:path';
import { originOf, type Provenance } from './layers.js';
import { SOURCES_FILE } from './paths.js';
import type { Config, SourceName } from './schema.js';

/** One sentence per contradiction. */
export function contradictions(config: Config, provenance: Provenance): string[] {
  const found: string[] = [];
  for (const name of ['qemu', 'linux', 'busybox'] as const satisfies readonly SourceName[]) {
    const version = `sources.${name}.version`;
    const mirrors = `sources.${name}.mirrors`;
    const origin = originOf(version, provenance);
    if (config.sources[name].tree !== null) continue;
    const mirrorsFrom = originOf(mirrors, provenance);
    if (origin !== mirrorsFrom && (mirrorsFrom === 'default' || basename(mirrorsFrom) === SOURCES_FILE)) {
      found.push(
        `${version} (from ${origin}) is ${config.sources[name].version}, but ${mirrors} are still those of another version (from ${mirrorsFrom}): give their addresses and sha256 too, or a tree of your own`,
      );
    }
  }
  found.push(...deviceContradictions(config, provenance));
  if (config.vm.accelerator === 'kvm' && config.vm.clock === 'icount') {
    found.push(
      `vm.accelerator (from ${originOf('vm.accelerator', provenance)}) is kvm, but vm.clock (from ${originOf('vm.clock', provenance)}) is icount, which counts instructions and so needs tcg: use --realtime with kvm`,
    );
  }
  return found;
}

function deviceContradictions({ devices, vm }: Config, provenance: Provenance): string[] {
  const list = `devices (from ${originOf('devices', provenance)})`;
  const machine = `vm.devices (from ${originOf('vm.devices', provenance)})`;
  const ids = vm.devices.map(({ device, id = device }) => id);
  return [
    ...repeated(devices).map((name) => `${list} names ${name} twice`),
    ...vm.devices
      .filter(({ device }) => !devices.includes(device))
      .map(
        ({ device }) =>
          `${machine} names the device ${device}, but ${list} has ${devices.join(', ') || 'nothing'}: add it there, or take it out of the machine`,
      ),
    ...repeated(ids).map(
      (id) => `${machine} has two devices with the id ${id}: give one of them another \`id\``,
    ),
  ];
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) < index))];
}
