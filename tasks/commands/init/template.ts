// SPDX-License-Identifier: MIT
/** The files of a new project: templates/project, and the package's own device under another name. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isIgnored } from '../../../lib/files/ignored.js';
import { renamed } from './rename.js';

export interface ProjectFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** The device's own parts, and the configurations of what is built; the rest of vm/ is the tool's. */
const PARTS = [
  'device',
  'driver',
  'guest_fs',
  'patches',
  'vm/busybox/busybox.config',
  'vm/linux/kernel.config',
  'vm/qemu',
];

/** Only the package's own tests and documents use these. */
const OMITTED = new Set(
  ['generate.ts', 'contract/registers-doc.ts'].map((name) => `device/stopwatch/${name}`),
);

/** The files of the package's own device, unchanged, in the order of their paths. */
export async function deviceFiles(packageRoot: string): Promise<readonly ProjectFile[]> {
  const found = await Promise.all(PARTS.map(async (part) => filesIn(packageRoot, part)));
  return found.flat().filter(({ path }) => !OMITTED.has(path) && !/\.test\.ts$|^vm\/.*\.ts$/.test(path));
}

async function filesIn(root: string, part: string): Promise<ProjectFile[]> {
  const top = join(root, part);
  const isFile = (await stat(top)).isFile();
  const entries = isFile ? [] : await readdir(top, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split('/').some(isIgnored));
  return Promise.all(
    (isFile ? [part] : files.sort()).map(async (path) => {
      const executable = ((await stat(join(root, path))).mode & 0o111) !== 0;
      return { path, text: await readFile(join(root, path), 'utf8'), executable };
    }),
  );
}

/** One of them, in a project whose device has this name. */
export function renamedFile({ path, text, executable }: ProjectFile, name: string): ProjectFile {
  const own = path.endsWith('.ts') ? withKit(text, dirname(path)) : text;
  return { path: renamed(path, name), text: renamed(own, name), executable };
}

/** Its imports of the tool, by the names that the project's package.json gives them. */
function withKit(text: string, directory: string): string {
  return text.replaceAll(/'((?:\.\.\/)+[^']+)'/g, (whole, specifier: string) => {
    const path = join(directory, specifier);
    if (path === 'vm/device-kit.js') return "'#device-kit'";
    return path === 'lab/search/device-kit.js' ? "'#device-kit/fuzz'" : whole;
  });
}

/** The files around the device. `devDependencies`: of the project's package.json. */
export async function surroundings(
  packageRoot: string,
  name: string,
  devDependencies: Readonly<Record<string, string>>,
): Promise<readonly ProjectFile[]> {
  const files = await filesIn(join(packageRoot, 'templates', 'project'), '.');
  return files.map(({ path, text, executable }) => {
    if (path === 'package.json') {
      const json: object = JSON.parse(text.replaceAll('DEVICE', name.replaceAll('_', '-')));
      return { path, text: `${JSON.stringify({ ...json, devDependencies }, null, 2)}\n`, executable };
    }
    // npm leaves .gitignore out of packages.
    return {
      path: path === 'gitignore' ? '.gitignore' : path,
      text: text.replaceAll('DEVICE', name),
      executable,
    };
  });
}
