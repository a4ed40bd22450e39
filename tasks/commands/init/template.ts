// SPDX-License-Identifier: MIT
/** The files of a new project: those that every project has, and a device under another name. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isIgnored } from '../../../lib/files/ignored.js';
import { renamed, withoutBareName } from './rename.js';

export interface ProjectFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

export const TEMPLATES = ['minimal', 'stopwatch'] as const;
export type Template = (typeof TEMPLATES)[number];

/** The device in a template, by its own name: the smallest one there can be, or the package's. */
const DEVICES: Readonly<Record<Template, string>> = { minimal: 'gadget', stopwatch: 'stopwatch' };

/** Only the package's own tests and documents use these. */
const OMITTED = new Set(
  ['generate.ts', 'contract/registers-doc.ts'].map((name) => `device/stopwatch/${name}`),
);

export interface TemplateFiles {
  /** Name of the device. */
  readonly device: string;
  /** Its files, in the order of their paths. */
  readonly files: readonly ProjectFile[];
}

export async function templateFiles(packageRoot: string, template: Template): Promise<TemplateFiles> {
  const device = DEVICES[template];
  if (template === 'minimal')
    return { device, files: await filesIn(join(packageRoot, 'templates', template), '.') };
  const parts = await Promise.all(
    ['device', 'driver', 'guest_fs'].map(async (part) => filesIn(packageRoot, join(part, device))),
  );
  const files = parts.flat().filter(({ path }) => !OMITTED.has(path) && !path.endsWith('.test.ts'));
  return { device, files };
}

/** Paths are relative to `root`. */
async function filesIn(root: string, part: string): Promise<ProjectFile[]> {
  const entries = await readdir(join(root, part), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split('/').some(isIgnored));
  return Promise.all(
    files.sort().map(async (path) => {
      const executable = ((await stat(join(root, path))).mode & 0o111) !== 0;
      return { path, text: await readFile(join(root, path), 'utf8'), executable };
    }),
  );
}

/** One of a template's files, in a project whose device has this name. */
export function renamedFile(
  { path, text, executable }: ProjectFile,
  from: string,
  name: string,
): ProjectFile {
  const own = path.endsWith('.ts') ? withKit(text, dirname(path)) : text;
  const all = renamed(own, from, name);
  const isC = /\.[ch]$/.test(path) && name !== from;
  return { path: renamed(path, from, name), text: isC ? withoutBareName(all, name) : all, executable };
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
  template: Template,
  name: string,
  devDependencies: Readonly<Record<string, string>>,
): Promise<readonly ProjectFile[]> {
  const templates = join(packageRoot, 'templates');
  const files = await filesIn(join(templates, 'project'), '.');
  // That of the minimal device is among its own files.
  if (template === 'stopwatch') files.push(...(await filesIn(join(templates, template), '.')));
  return files.map(({ path, text, executable }) => {
    if (path === 'package.json') {
      const json: object = JSON.parse(text.replaceAll('DEVICE', name.replaceAll('_', '-')));
      return { path, text: `${JSON.stringify({ ...json, devDependencies }, null, 2)}\n`, executable };
    }
    // npm leaves .gitignore out of packages.
    return {
      path: path === 'gitignore' ? `.${path}` : path,
      text: text.replaceAll('DEVICE', name),
      executable,
    };
  });
}
