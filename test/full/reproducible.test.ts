// SPDX-License-Identifier: MIT
/** The same inputs give the same bits in another directory and without ccache. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { laboratory, progress } from '../e2e/laboratory.js';
import { environment, left, projectIn } from '../e2e/project.js';

test('a second build, in a directory with a longer path and without ccache, makes the same files', async () => {
  const { directory, project: first } = laboratory();
  await first.passes(['update']);
  const built = first.manifest();
  const other = join(directory, 'a-second-directory-whose-path-is-a-good-deal-longer');
  cpSync(first.directory, join(other, 'project'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path !== first.work,
  });
  const env = { ...environment(join(other, 'tmp'), join(other, 'ccache')), STOPWATCH_BUILD_CCACHE: 'off' };
  const project = projectIn(join(other, 'project'), env);
  try {
    progress('the second build, without ccache');
    const { code, result, done } = await project.events(['all']);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(code).toBe(0);
    expect(done).toContain('qemu:build');
    const { artifacts, sources } = project.manifest();
    expect(Object.keys(artifacts).sort()).toEqual([
      'build/busybox/busybox',
      'build/drivers/rngboi/rngboi.ko',
      'build/drivers/stopwatch/stopwatch.ko',
      'build/linux/arch/arm64/boot/Image',
      'build/qemu/qemu-system-aarch64',
      'vm/initramfs.cpio',
      'vm/virt.dtb',
    ]);
    expect(artifacts).toEqual(built.artifacts);
    expect(sources).toEqual(built.sources);
    expect(await left(project)).toEqual([]);
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});
