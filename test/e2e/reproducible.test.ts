// SPDX-License-Identifier: MIT
/** The same inputs give the same bits: in another directory, with or without ccache, killed or not. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { laboratory, readManifest, say } from './laboratory.js';
import { environment, left, projectIn } from './project.js';

test('a second build, in a directory with a longer path and without ccache, makes the same files', async () => {
  const lab = await laboratory();
  const { code: updated } = await lab.project.stopwatch(['update']);
  expect(updated).toBe(0);
  // A kept laboratory may have been brought up to date since its first build.
  const isKept = process.env['E2E_DIR'] !== undefined;
  const first = isKept ? readManifest(join(lab.project.work, 'vm', 'manifest.json')) : lab.manifest;
  const directory = join(lab.directory, 'a-second-directory-whose-path-is-a-good-deal-longer', 'project');
  const tmp = join(lab.directory, 'second-tmp');
  cpSync(lab.project.directory, directory, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path !== lab.project.work,
  });
  const env = { ...environment(tmp, join(lab.directory, 'no-ccache')), STOPWATCH_BUILD_CCACHE: 'off' };
  const project = projectIn(directory, env);
  try {
    say('the second build, without ccache');
    const { code, result, done } = await project.events(['all']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(code).toBe(0);
    expect(done).toContain('qemu:build');
    const { artifacts, sources } = readManifest(join(project.work, 'vm', 'manifest.json'));
    expect(Object.keys(artifacts).sort()).toEqual([
      'build/busybox/busybox',
      'build/linux/arch/arm64/boot/Image',
      'build/linux/drivers/misc/stopwatch/stopwatch.ko',
      'build/qemu/qemu-system-aarch64',
      'vm/initramfs.cpio',
      'vm/virt.dtb',
    ]);
    expect(artifacts).toEqual(first.artifacts);
    expect(sources).toEqual(first.sources);
    expect(await left(project)).toEqual([]);
  } finally {
    rmSync(join(lab.directory, 'a-second-directory-whose-path-is-a-good-deal-longer'), {
      recursive: true,
      force: true,
    });
  }
});
