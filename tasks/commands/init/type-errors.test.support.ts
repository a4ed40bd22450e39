// SPDX-License-Identifier: MIT
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../config/paths.js';

/** What the compiler says of a project, as if npm had installed the package there. */
export function typeErrors(directory: string): string {
  const own = packageRoot();
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  symlinkSync(join(own, 'node_modules', '@types'), join(modules, '@types'));
  symlinkSync(own, join(modules, 'stopwatch'));
  // The sources themselves: dist/ may not be built.
  const paths = {
    stopwatch: [join(own, 'tasks/config/define.ts')],
    '#device-kit': [join(own, 'vm/device-kit.ts')],
    '#device-kit/fuzz': [join(own, 'lab/search/device-kit.ts')],
  };
  const config = { extends: './tsconfig.json', compilerOptions: { paths } };
  writeFileSync(join(directory, 'tsconfig.test.json'), JSON.stringify(config));
  const tsc = join(own, 'node_modules', '.bin', 'tsc');
  const { status, stdout } = spawnSync(tsc, ['-p', 'tsconfig.test.json'], {
    cwd: directory,
    encoding: 'utf8',
  });
  return status === 0 ? '' : stdout;
}
