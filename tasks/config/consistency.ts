// SPDX-License-Identifier: MIT
/** What the schema cannot say: settings that do not go together. */
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
  if (config.vm.accelerator === 'kvm' && config.vm.clock === 'icount') {
    found.push(
      `vm.accelerator (from ${originOf('vm.accelerator', provenance)}) is kvm, but vm.clock (from ${originOf('vm.clock', provenance)}) is icount, which counts instructions and so needs tcg: use --realtime with kvm`,
    );
  }
  return found;
}
