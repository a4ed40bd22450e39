// SPDX-License-Identifier: MIT
/** `vm:manifest`: the sources, checksums, tool versions and artifact hashes of what boots. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { packageVersion } from '../config/paths.js';
import type { Config, SourceName } from '../config/schema.js';
import type { Task } from '../engine/task.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import type { ProjectDevice } from '../../vm/device.js';
import { versionOf } from './build-tools.js';
import type { Layout } from './layout.js';
import { rootFiles } from './guest/rootfs.js';
import { sha256File } from '../../lib/files/sha256.js';
import { readStamp } from './source-stamp.js';

export function manifestTask(
  config: Config,
  layout: Layout,
  devices: readonly ProjectDevice[],
  parts: readonly Task[],
): Task {
  const ext4 = config.vm.rootfs === 'ext4';
  const tools = [...new Set(parts.flatMap(({ inputs }) => inputs.tools ?? []))].sort();
  const artifacts = [
    layout.qemu,
    layout.kernel,
    layout.busybox,
    ...rootFiles(config, layout, devices).built.map(({ file }) => file),
    ext4 ? layout.ext4 : layout.initramfs,
    layout.dtb,
  ];
  return {
    name: 'vm:manifest',
    title: 'VM: manifest',
    deps: ['linux:build', 'vm:devicetree', ext4 ? 'guest:ext4' : 'guest:initramfs'],
    inputs: { files: artifacts, values: { artifacts, version: packageVersion() }, tools },
    outputs: [layout.manifest],
    jobs: 'one',
    run: async (context) => {
      const sources: Record<string, object> = {};
      for (const name of ['qemu', 'linux', 'busybox'] as const) {
        sources[name] = await sourceOf(name, config, layout);
      }
      const versions = Object.fromEntries(
        await Promise.all(tools.map(async (tool) => [tool, await versionOf(tool, context)] as const)),
      );
      const hashes = await Promise.all(
        artifacts
          .filter((path) => existsSync(path))
          .map(async (path) => [relative(layout.work, path), await sha256File(path)] as const),
      );
      await mkdir(dirname(layout.manifest), { recursive: true });
      const manifest = {
        schema: 1,
        stopwatch: packageVersion(),
        sources,
        tools: versions,
        artifacts: Object.fromEntries(hashes),
      };
      await writeFileAtomic(layout.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
    },
  };
}

async function sourceOf(name: SourceName, config: Config, layout: Layout): Promise<object> {
  const { tree, version } = config.sources[name];
  if (tree !== null) return { tree };
  const stamp = readStamp(layout.sourceStamp(name));
  // Not the mirror: the same file may come from another one next time.
  return {
    version,
    sha256: stamp?.sha256 ?? null,
    archive: stamp === undefined ? null : basename(stamp.file),
  };
}
